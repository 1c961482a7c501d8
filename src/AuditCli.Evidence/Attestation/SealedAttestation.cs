using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// Reads what a signed bundle says about itself, to continue its chain. It does not check the signature; verification does.
/// </summary>
public static class SealedAttestation
{
    /// <summary>Reads the bundle as the head of its chain.</summary>
    /// <param name="folder">The bundle's root.</param>
    /// <exception cref="InvalidDataException">It is not signed, or its statement cannot be read; the message names the bundle.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ChainHead Head(string folder)
    {
        var content = Part(folder, AttestationFiles.StatementName) ?? throw Unsigned(folder);
        var signature = Part(folder, AttestationFiles.SignatureName) ?? throw Unsigned(folder);
        try
        {
            var statement = BundleStatement.Read(content);
            return new(statement.Chain.Id, statement.Chain.Sequence, new(
                statement.Facts.BundleId, Digest.Of(content), Digest.Of(signature),
                Part(folder, AttestationFiles.TimeStampName) is { } stamp ? Digest.Of(stamp) : null))
            { Before = statement.Chain.Previous };
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException)
        {
            throw new InvalidDataException($"{folder}: {e.Message}", e);
        }
    }

    private static byte[]? Part(string folder, string name)
    {
        try
        {
            return SafeFile.Read(Path.Combine(folder, AttestationFiles.PathOf(name)), AttestationFiles.Limit);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    private static InvalidDataException Unsigned(string folder) => new($"{folder} is not a signed bundle");
}
