using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Attestation;

/// <summary>Sends a request to a time stamp authority; takes the request's body and returns the response's body.</summary>
/// <exception cref="IOException">There is no response; the message says why.</exception>
public delegate Task<byte[]> AskTimeStampAuthority(Uri authority, byte[] query, CancellationToken cancellationToken);

/// <summary>The inputs for signing a bundle.</summary>
/// <param name="Challenge">See <see cref="BundleStatement.Challenge"/>.</param>
/// <param name="Previous">The head of the chain that the bundle continues; null starts a new chain.</param>
/// <param name="Authorities">Time stamp authorities, tried in order until one stamps.</param>
public sealed record SigningRequest(
    SigningKey Key, string? Challenge, ChainHead? Previous, ImmutableArray<Uri> Authorities, AskTimeStampAuthority Ask)
{
    /// <summary>The tag manifest that was verified: no other one is signed. Null signs the one that is present.</summary>
    public Digest? Expected { get; init; }
}

/// <summary>The newest bundle of a chain.</summary>
/// <param name="Id">The chain's ID.</param>
public sealed record ChainHead(string Id, long Sequence, PreviousBundle Bundle)
{
    /// <summary>The bundle that it names as its predecessor; null for the first.</summary>
    public PreviousBundle? Before { get; init; }
}

/// <summary>The result of signing.</summary>
/// <param name="Head">
/// SHA-256 of the statement. When somebody else keeps it, it later proves that no bundle was dropped or exchanged.
/// </param>
/// <param name="Stamped">When the authority stamped it; null without a time stamp.</param>
/// <param name="TimeStampFailures">A line for each authority that failed, whether or not another one stamped it.</param>
public sealed record SignedBundle(Digest Head, long Sequence, DateTimeOffset? Stamped, ImmutableArray<string> TimeStampFailures);

/// <summary>Signs bundles.</summary>
public static class BundleSigner
{
    /// <summary>
    /// Adds <c>attestation/</c> to a bundle whose manifests are written; the folder appears completely or not at all.
    /// </summary>
    /// <param name="folder">The bundle's root, sealed or about to be.</param>
    /// <exception cref="InvalidDataException">
    /// The bundle lacks a fact that the signer repeats, or is not the one that was verified.
    /// </exception>
    /// <exception cref="InvalidOperationException">It is already signed.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static async Task<SignedBundle> SignAsync(string folder, SigningRequest request, CancellationToken cancellationToken)
    {
        var final = Path.Combine(folder, BundleLayout.Attestation);
        if (Path.Exists(final))
            throw new InvalidOperationException($"{folder} is signed already");
        var (facts, tagManifest) = BundleFacts.Covered(folder);
        if (request.Expected is { } expected && tagManifest != expected)
        {
            throw new InvalidDataException(
                $"{folder}: {BundleLayout.TagManifest} has the SHA-256 {tagManifest}, but {expected} was checked; it changed in the meantime");
        }
        var signer = Encoding.ASCII.GetBytes(request.Key.PublicPem);
        var statement = new BundleStatement
        {
            TagManifest = tagManifest,
            Facts = facts,
            Challenge = request.Challenge,
            Chain = request.Previous is { } head ? new(head.Id, head.Sequence + 1, head.Bundle) : new(facts.BundleId, 1, null),
            SignerKey = request.Key.Fingerprint,
            SignerFile = Digest.Of(signer),
            TimeStamp = request.Authorities.IsEmpty ? BundleStatement.NotStamped : BundleStatement.Stamped,
            TimeStampFailures = [],
        };
        var (content, signature) = Sign(statement, request.Key);
        byte[]? stamp = null;
        ImmutableArray<string> failures = [];
        if (!request.Authorities.IsEmpty)
        {
            (stamp, failures) = await StampAsync(signature, request, cancellationToken);
            if (stamp is null)
            {
                // The missing time stamp, and the reason, become part of the signed statement.
                statement = statement with { TimeStamp = BundleStatement.NotStamped, TimeStampFailures = failures };
                (content, signature) = Sign(statement, request.Key);
            }
        }
        var certificate = request.Key.Certificates is [var leaf, ..] ? (ReadOnlyMemory<byte>?)leaf.RawData : null;
        // A null array would convert to an empty time stamp, not to an absent one.
        var shown = stamp is null ? (ReadOnlyMemory<byte>?)null : stamp;
        var sigstore = new SigstoreBundle(content, signature, certificate, shown, certificate is null ? request.Key.Fingerprint.Hex : null).Write();
        Write(folder, final, new(content, signature, stamp, sigstore, signer));
        return new(Digest.Of(content), statement.Chain.Sequence, stamp is null ? null : TimeStamp.Read(stamp).Time, failures);
    }

    private static (byte[] Content, byte[] Signature) Sign(BundleStatement statement, SigningKey key)
    {
        var content = statement.Write();
        return (content, key.Sign(Dsse.PreAuthentication(content)));
    }

    private static async Task<(byte[]? Stamp, ImmutableArray<string> Failures)> StampAsync(
        byte[] signature, SigningRequest request, CancellationToken cancellationToken)
    {
        var failures = ImmutableArray.CreateBuilder<string>();
        foreach (var authority in request.Authorities)
        {
            try
            {
                var query = new TimeStampQuery(signature);
                var answer = await request.Ask(authority, query.Content, cancellationToken);
                query.Accept(answer);
                return (answer, failures.ToImmutable());
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                failures.Add($"{authority.Scheme}://{authority.Authority}{authority.AbsolutePath}: {e.Message}");
            }
        }
        return (null, failures.ToImmutable());
    }

    private static void Write(string folder, string final, AttestationFiles files)
    {
        // The files are written next to the bundle, so that an interrupted signing leaves nothing in it, and each time into a new
        // folder, so that two programs never mix their files.
        var partial = $"{folder}.attestation-{Path.GetRandomFileName()}";
        Directory.CreateDirectory(partial);
        try
        {
            foreach (var (name, content) in files.All)
            {
                using var file = new FileStream(Path.Combine(partial, name), FileMode.CreateNew, FileAccess.Write, FileShare.None);
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            SafeFile.Synchronise(partial);
            Directory.Move(partial, final);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Directory.Delete(partial, recursive: true);
            throw Path.Exists(final) ? new InvalidOperationException($"{folder} was signed by another program in the meantime", e) : e;
        }
        SafeFile.Synchronise(folder);
    }
}
