using System.Collections.Immutable;
using System.Net.Http.Headers;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Signing;

/// <summary>The signing options of the command line. Paths are full.</summary>
/// <param name="Key">A file with a private key and, if it has any, its certificates.</param>
/// <param name="Previous">The bundle before this one; null to begin a chain.</param>
/// <param name="Locker">A folder with a chain of bundles and its head; null for none.</param>
internal sealed record SigningOptions(string Key, ImmutableArray<Uri> Authorities, string? Challenge, string? Previous, string? Locker);

/// <summary>Opens everything a signature needs before the collection starts, so that a wrong passphrase does not cost a run.</summary>
internal sealed class SigningSession : IDisposable
{
    /// <summary>The environment variable with the passphrase of an encrypted key.</summary>
    public const string PassphraseVariable = "AUDITCLI_KEY_PASSPHRASE";
    private const int MaxAnswer = 1024 * 1024;
    private static readonly TimeSpan AuthorityPatience = TimeSpan.FromSeconds(30);
    private readonly SigningKey _key;
    private readonly Locker? _locker;
    private readonly ChainHead? _previous;
    private readonly SigningOptions _options;

    private SigningSession(SigningOptions options, SigningKey key, Locker? locker, ChainHead? previous) =>
        (_options, _key, _locker, _previous) = (options, key, locker, previous);

    /// <summary>Opens the key and the locker, and reads the head of the previous bundle.</summary>
    /// <exception cref="IOException">A file cannot be read, or the locker is in use.</exception>
    /// <exception cref="InvalidDataException">The key, the locker or the previous bundle is not what it should be.</exception>
    public static SigningSession Open(SigningOptions options, AuditHost host)
    {
        var key = KeyFiles.Private(options.Key, host);
        Locker? locker = null;
        try
        {
            locker = options.Locker is null ? null : Locker.Open(options.Locker);
            return new(options, key, locker, options.Previous is { } bundle ? SealedAttestation.Head(bundle) : locker?.Head());
        }
        catch
        {
            key.Dispose();
            locker?.Dispose();
            throw;
        }
    }

    /// <summary>Signs a bundle whose manifests are written.</summary>
    /// <param name="folder">The bundle's root.</param>
    /// <param name="verified">The tag manifest's digest that verification reported; null for a bundle that this process made.</param>
    public Task<SignedBundle> SignAsync(string folder, Digest? verified, CancellationToken cancellationToken) => BundleSigner.SignAsync(
        folder, new(_key, _options.Challenge, _previous, _options.Authorities, AskAsync) { Expected = verified }, cancellationToken);

    /// <summary>Seals a bundle that this process made, signs it if there is a session, and makes it the head of its locker.</summary>
    /// <param name="finished">The time of sealing.</param>
    /// <param name="retainUntil">The last day of retention; null for that of work papers, seven years from sealing.</param>
    /// <param name="elsewhere">The archives of shards that are not in the bundle.</param>
    /// <inheritdoc cref="BundleWriter.SealAsync(BagInfo, CancellationToken)" path="/exception"/>
    public static async Task<(SealedBundle Bundle, SignedBundle? Signed)> SealAsync(
        BundleWriter bundle, SigningSession? signing, DateTimeOffset finished, DateOnly? retainUntil, ImmutableArray<FetchEntry> elsewhere,
        CancellationToken cancellationToken)
    {
        SignedBundle? signed = null;
        var seal = await bundle.SealAsync(
            InfoOf(finished, retainUntil) with { Elsewhere = elsewhere },
            signing is null ? null : async folder => signed = await signing.SignAsync(folder, verified: null, cancellationToken),
            cancellationToken);
        if (signed is not null)
            signing!.Keep(bundle.BundleId, signed.Head);
        return (seal, signed);
    }

    /// <summary>Seals a shard, and signs it with the same key. It is no link of a chain: the bundle that it becomes a part of is.</summary>
    /// <inheritdoc cref="SealAsync" path="/param"/>
    /// <inheritdoc cref="BundleWriter.SealAsync(BagInfo, CancellationToken)" path="/exception"/>
    public static Task<SealedBundle> SealShardAsync(
        BundleWriter shard, SigningSession? signing, DateTimeOffset finished, DateOnly? retainUntil, CancellationToken cancellationToken) => shard.SealAsync(
            InfoOf(finished, retainUntil),
            signing is null ? null : folder => BundleSigner.SignAsync(
                folder, new(signing._key, Challenge: null, Previous: null, signing._options.Authorities, AskAsync), cancellationToken),
            cancellationToken);

    private static BagInfo InfoOf(DateTimeOffset finished, DateOnly? retainUntil)
    {
        var day = DateOnly.FromDateTime(finished.UtcDateTime);
        return new(Tool.NameAndVersion, day, retainUntil ?? day.AddYears(Controls.Engagement.RetainedYears));
    }

    /// <summary>The fingerprint of the key (SHA-256 of its SubjectPublicKeyInfo).</summary>
    public Digest Fingerprint => _key.Fingerprint;

    /// <summary>Makes the bundle the head of its locker, after it has its final name there.</summary>
    public void Keep(string bundleId, Digest head) => _locker?.Advance(bundleId, head);

    public void Dispose()
    {
        _key.Dispose();
        _locker?.Dispose();
    }

    private static async Task<byte[]> AskAsync(Uri authority, byte[] query, CancellationToken cancellationToken)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        using var client = new HttpClient(handler) { Timeout = AuthorityPatience, MaxResponseContentBufferSize = MaxAnswer };
        using var content = new ByteArrayContent(query) { Headers = { ContentType = new MediaTypeHeaderValue("application/timestamp-query") } };
        try
        {
            using var answer = await client.PostAsync(authority, content, cancellationToken);
            return answer.IsSuccessStatusCode
                ? await answer.Content.ReadAsByteArrayAsync(cancellationToken)
                : throw new IOException($"the authority answers with status {(int)answer.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            throw new IOException(e.Message, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"no answer within {AuthorityPatience.TotalSeconds:0} seconds", e);
        }
    }
}
