using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Attestation;

/// <summary>
/// A chain of three bundles, signed with one key and time-stamped by an authority, and unrelated keys and authorities of each kind.
/// </summary>
public sealed class SignedRow : IAsyncLifetime, IDisposable
{
    public const string Challenge = "engagement 2026-17, 9 Nov";

    /// <summary>The end of collection that the bundles state.</summary>
    public static readonly DateTimeOffset Finished = new(2026, 11, 20, 10, 5, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();

    public SigningKey Key { get; } = SigningKey.Create();

    public SigningKey Stranger { get; } = SigningKey.Create();

    public TimeStampAuthority Authority { get; private set; } = null!;

    public TimeStampAuthority OtherAuthority { get; private set; } = null!;

    public string First { get; private set; } = "";

    /// <summary>The bundle that tests tamper with. It contains the challenge and follows the first.</summary>
    public string Second { get; private set; } = "";

    public string Third { get; private set; } = "";

    /// <summary>Options that trust the signer's key and the authority's time.</summary>
    public VerifyOptions Options => new(AllowUnsigned: false)
    {
        Trust = SignerTrust.Nobody.With(Key.PublicPem),
        TimeStampRoots = Certificates(Authority.RootPem),
        Now = DateTimeOffset.UtcNow,
    };

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("openssl") is not null)
            return;
        Authority = new(Path.Combine(_folder.Path, "tsa"));
        OtherAuthority = new(Path.Combine(_folder.Path, "tsa2"));
        var locker = Path.Combine(_folder.Path, "row");
        First = await SealAsync(locker, "acme-1", Request(null));
        Second = await SealAsync(locker, "acme-2", Request(First) with { Challenge = Challenge });
        Third = await SealAsync(locker, "acme-3", Request(Second));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        Key.Dispose();
        Stranger.Dispose();
        _folder.Dispose();
    }

    public SigningRequest Request(string? previous) =>
        new(
            Key,
            null,
            previous is null ? null : SealedAttestation.Head(previous),
            [new("http://127.0.0.1/tsr")],
            (_, query, _) => Task.FromResult(Authority.Answer(query)));

    /// <summary>Returns a request without a time stamp.</summary>
    public SigningRequest Plain(string? previous = null) => Request(previous) with { Authorities = [] };

    public static ImmutableArray<X509Certificate2> Certificates(string pem)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        return [.. all];
    }

    /// <summary>Seals a small bundle with the facts that a statement repeats and the files that the tamper list changes.</summary>
    public static async Task<string> SealAsync(string folder, string id, SigningRequest? request)
    {
        await using var bundle = BundleWriter.Create(folder, id);
        async Task Add(string file, string content) => await bundle.WriteFileAsync(file, Encoding.UTF8.GetBytes(content), default);
        await Add(
            "data/run.json",
            $$$"""{"bundle_id":"{{{id}}}","mode":"live","started":"2026-11-20T10:00:00Z","finished":"2026-11-20T10:05:00Z","period":{"start":"2026-09-01","end":"2026-11-15"},"tool":{"name":"AuditCli","version":"0.1.0"}}""");
        await Add("data/results/results.json", """{"controls":[{"conclusion":"PASS"},{"conclusion":"PASS"},{"conclusion":"FAIL"}]}""");
        await Add("data/controls/apd-aws-002.yaml", "id: APD-AWS-002\n");
        await Add("data/inputs/hr/hr.csv", "id\n1\n");
        await Add("data/inputs/hr2/hr.csv", "id\n2\n");
        await bundle.AppendEvidenceAsync(Samples.Item("prod", "aws-iam-listusers-0123456789ab"), default);
        var sealedBundle = await bundle.SealAsync(
            Samples.Info, request is null ? null : async partial => await BundleSigner.SignAsync(partial, request, default), default);
        return sealedBundle.Path;
    }
}

/// <summary>Requests time stamps as a signer does.</summary>
internal static class Stamping
{
    /// <summary>Returns the response for a signature.</summary>
    public static byte[] Stamp(this TimeStampAuthority authority, byte[] signature) => authority.Answer(new TimeStampQuery(signature).Content);
}
