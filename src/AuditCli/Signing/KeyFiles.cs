using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;

namespace AuditCli.Signing;

/// <summary>Reads keys from files.</summary>
internal static class KeyFiles
{
    /// <summary>Reads a private key. The passphrase comes from the environment or from a prompt.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file does not hold such a key, or the passphrase is wrong.</exception>
    public static SigningKey Private(string file, AuditHost host)
    {
        var pem = Text(file);
        try
        {
            return SigningKey.FromPem(pem, () => host.Environment(SigningSession.PassphraseVariable) ?? host.AskSecret($"Passphrase of {file}: "));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{file}: {e.Message}; set a passphrase in {SigningSession.PassphraseVariable} or enter it in a terminal", e);
        }
    }

    /// <summary>Reads the text of a file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string Text(string file)
    {
        try
        {
            return RegularFile.ReadAllText(file);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{file}: {e.Message}", e);
        }
    }
}
