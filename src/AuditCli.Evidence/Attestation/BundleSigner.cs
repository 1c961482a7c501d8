using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Attestation;

/// <summary>Asks a time stamp authority: the content of the request in, that of the answer out.</summary>
/// <exception cref="IOException">There is no answer; the message says why.</exception>
public delegate Task<byte[]> AskTimeStampAuthority(Uri authority, byte[] query, CancellationToken cancellationToken);

/// <summary>How a bundle is to be signed.</summary>
/// <param name="Challenge">See <see cref="BundleStatement.Challenge"/>.</param>
/// <param name="Previous">The head of the row that the bundle continues; null begins a row.</param>
/// <param name="Authorities">Asked in order until one stamps.</param>
public sealed record SigningRequest(SigningKey Key, string? Challenge, ChainHead? Previous, ImmutableArray<Uri> Authorities, AskTimeStampAuthority Ask)
{
    /// <summary>The tag manifest that was checked: no other is signed. Null signs what is there.</summary>
    public Digest? Expected { get; init; }
}

/// <summary>The newest bundle of a row.</summary>
/// <param name="Id">The row's.</param>
public sealed record ChainHead(string Id, long Sequence, PreviousBundle Bundle)
{
    /// <summary>The bundle that it names before itself; null for the first.</summary>
    public PreviousBundle? Before { get; init; }
}

/// <summary>What was signed.</summary>
/// <param name="Head">SHA-256 of the statement. Held by somebody else, it shows later that no bundle was dropped or exchanged.</param>
/// <param name="Stamped">When the authority stamped it; null without a time stamp.</param>
/// <param name="TimeStampFailures">Of the authorities that were asked in vain, whether or not another one stamped it.</param>
public sealed record SignedBundle(Digest Head, long Sequence, DateTimeOffset? Stamped, ImmutableArray<string> TimeStampFailures);

/// <summary>Signs bundles.</summary>
public static class BundleSigner
{
    /// <summary>Adds <c>attestation/</c> to a bundle whose manifests are written; it appears whole or not at all.</summary>
    /// <param name="folder">The bundle's root, sealed or about to be.</param>
    /// <exception cref="InvalidDataException">The bundle does not say what a signer repeats, or is not the one that was checked.</exception>
    /// <exception cref="InvalidOperationException">It is signed already.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static async Task<SignedBundle> SignAsync(string folder, SigningRequest request, CancellationToken cancellationToken)
    {
        var final = Path.Combine(folder, BundlePaths.Attestation);
        if (Path.Exists(final))
            throw new InvalidOperationException($"{folder} is signed already");
        var (facts, tagManifest) = BundleFacts.Covered(folder);
        if (request.Expected is { } expected && tagManifest != expected)
            throw new InvalidDataException($"{folder}: {BundlePaths.TagManifest} has the SHA-256 {tagManifest}, and what was checked has {expected}; it changed meanwhile");
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
                // That there is no time stamp, and why, is itself signed.
                statement = statement with { TimeStamp = BundleStatement.NotStamped, TimeStampFailures = failures };
                (content, signature) = Sign(statement, request.Key);
            }
        }
        var certificate = request.Key.Certificates is [var leaf, ..] ? (ReadOnlyMemory<byte>?)leaf.RawData : null;
        // An absent array would become an empty time stamp, not an absent one.
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

    private static async Task<(byte[]? Stamp, ImmutableArray<string> Failures)> StampAsync(byte[] signature, SigningRequest request, CancellationToken cancellationToken)
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
        // Beside the bundle, so that an interrupted signing leaves nothing in it; and each in a folder of its own, so that what two
        // of them write never mixes.
        var partial = $"{folder}.attestation-{Path.GetRandomFileName()}";
        Directory.CreateDirectory(partial);
        foreach (var (name, content) in files.All)
        {
            using var file = new FileStream(Path.Combine(partial, name), FileMode.CreateNew, FileAccess.Write, FileShare.None);
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        SafeFile.Synchronise(partial);
        try
        {
            Directory.Move(partial, final);
        }
        catch (IOException) when (Path.Exists(final))
        {
            Directory.Delete(partial, recursive: true);
            throw new InvalidOperationException($"{folder} was signed by another program meanwhile");
        }
        SafeFile.Synchronise(folder);
    }
}
