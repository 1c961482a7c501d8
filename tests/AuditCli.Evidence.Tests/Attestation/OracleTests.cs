using System.Diagnostics;
using System.Text.Json;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Tests.Bundles;
using AuditCli.Tests;

namespace AuditCli.Evidence.Tests.Attestation;

/// <summary>Checks signed bundles with independent programs.</summary>
public sealed class OracleTests(SignedRow row) : IClassFixture<SignedRow>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static readonly Dictionary<string, Action<string, SignedRow>> Damages = new(StringComparer.Ordinal)
    {
        ["file changed"] = (b, _) => File.AppendAllText(Path.Combine(b, "data", "inputs", "hr", "hr.csv"), "9\n"),
        ["file removed"] = (b, _) => File.Delete(Path.Combine(b, "data", "inputs", "hr", "hr.csv")),
        ["file added"] = (b, _) => File.WriteAllText(Path.Combine(b, "data", "inputs", "hr", "more.csv"), "x"),
        ["file added to the attestation"] = (b, _) => File.WriteAllText(Forgery.At(b, "notes.txt"), "x"),
        ["empty folder"] = (b, _) => Directory.CreateDirectory(Path.Combine(b, "data", "empty")),
        ["manifests rewritten"] = (b, _) =>
        {
            File.AppendAllText(Path.Combine(b, "data", "inputs", "hr", "hr.csv"), "9\n");
            Samples.Reseal(b);
        },
        ["pipe in place of a file"] = (b, _) =>
        {
            File.Delete(Path.Combine(b, "data", "inputs", "hr", "hr.csv"));
            PosixFiles.MakePipe(Path.Combine(b, "data", "inputs", "hr", "hr.csv"));
        },
        ["link in place of a file"] = (b, _) =>
        {
            var file = Path.Combine(b, "data", "inputs", "hr", "hr.csv");
            File.Move(file, b + ".copy");
            File.CreateSymbolicLink(file, b + ".copy");
        },
        ["statement edited"] = (b, _) => Forgery.Text(b, "statement.json", "\"FAIL\":1", "\"FAIL\":0"),
        ["another key shown"] = (b, r) => File.WriteAllText(Forgery.At(b, "signer.pub.pem"), r.Stranger.PublicPem),
        ["attestation removed"] = (b, _) => Directory.Delete(Path.Combine(b, "attestation"), recursive: true),
        ["attestation of another bundle"] = (b, r) =>
        {
            Directory.Delete(Path.Combine(b, "attestation"), recursive: true);
            Samples.Copy(Path.Combine(r.Third, "attestation"), Path.Combine(b, "attestation"));
        },
        ["signed by another key"] = (b, r) =>
        {
            Directory.Delete(Path.Combine(b, "attestation"), recursive: true);
            BundleSigner.SignAsync(b, r.Request(r.First) with { Key = r.Stranger }, default).GetAwaiter().GetResult();
        },
        ["time stamp stripped"] = (b, _) => Forgery.Stamp(b, null),
        ["time stamp of another signature"] = (b, r) => Forgery.Stamp(b, File.ReadAllBytes(Forgery.At(r.First, "statement.tsr"))),
        ["time stamp by another authority"] = (b, r) => Forgery.Stamp(b, r.OtherAuthority.Stamp(File.ReadAllBytes(Forgery.At(b, "statement.sig")))),
        ["another key named by the trusted one"] = (b, r) => Forgery.Resign(
            b, r.Key, s => s["predicate"]!["signer"]!["spkiSha256"] = r.Stranger.Fingerprint.Hex, r.Authority.Stamp),
        ["path out of the bundle, signed by the trusted key"] = (b, r) => Hostile(b, r, "data/../../etc/passwd"),
        ["junk line, signed by the trusted key"] = (b, r) => Hostile(b, r, "# comment"),
    };

    public static TheoryData<string> Names => [.. Damages.Keys];

    public void Dispose() => _folder.Dispose();

    [NeedsFact("openssl")]
    public async Task Openssl_verifies_the_signature_over_the_envelopes_encoding()
    {
        var key = _folder.Write("key.pem", row.Key.PublicPem);
        var encoded = Path.Combine(_folder.Path, "pae");
        var statement = File.ReadAllBytes(Forgery.At(row.Second, "statement.json"));
        File.WriteAllBytes(encoded, [.. System.Text.Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {statement.Length} "), .. statement]);
        var signature = Forgery.At(row.Second, "statement.sig");
        Assert.Equal("Verified OK", (await SaidAsync(0, "openssl", "dgst", "-sha256", "-verify", key, "-signature", signature, encoded)).Trim());
        _ = await SaidAsync(1, "openssl", "dgst", "-sha256", "-verify", key, "-signature", Forgery.At(row.First, "statement.sig"), encoded);
    }

    [NeedsFact("openssl")]
    public async Task Openssl_verifies_the_time_stamp_and_refuses_another_authority()
    {
        string[] asked = ["ts", "-verify", "-data", Forgery.At(row.Second, "statement.sig"), "-in", Forgery.At(row.Second, "statement.tsr"), "-CAfile"];
        Assert.Contains("Verification: OK", await SaidAsync(0, "openssl", [.. asked, row.Authority.RootFile]), StringComparison.Ordinal);
        _ = await SaidAsync(1, "openssl", [.. asked, row.OtherAuthority.RootFile]);
    }

    [NeedsFact("openssl", "bash", "sha256sum")]
    public async Task Sha256sum_checks_both_manifests_of_a_signed_bundle() =>
        _ = await SaidAsync(0, "bash", "-c", "cd \"$0\" && sha256sum -c --strict --quiet tagmanifest-sha256.txt manifest-sha256.txt", row.Second);

    [NeedsFact("node")]
    public async Task Sigstores_own_library_verifies_a_bare_key_with_a_time_stamp()
    {
        var key = _folder.Write("key.pem", row.Key.PublicPem);
        var answer = await SigstoreAsync(0, row.Second, new { key, tsa = Chain(row.Authority) });
        Assert.Equal(1, answer.GetProperty("timestamps").GetInt32());
        _ = await SigstoreAsync(1, row.Second, new { key, tsa = Chain(row.OtherAuthority) });
        _ = await SigstoreAsync(1, row.Second, new { key = _folder.Write("stranger.pem", row.Stranger.PublicPem), tsa = Chain(row.Authority) });
    }

    [NeedsFact("node")]
    public async Task Sigstores_own_library_verifies_a_bare_key_without_a_time_stamp()
    {
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", row.Plain());
        var key = _folder.Write("key.pem", row.Key.PublicPem);
        Assert.Equal(0, (await SigstoreAsync(0, bundle, new { key })).GetProperty("timestamps").GetInt32());
        _ = await SigstoreAsync(1, bundle, new { key, tsa = Chain(row.Authority) });
    }

    [NeedsFact("node")]
    public async Task Sigstores_own_library_verifies_a_certificate_with_a_time_stamp()
    {
        var now = DateTimeOffset.UtcNow;
        var signer = new SignerCertificate(now.AddDays(-1), now.AddDays(1));
        using var key = SigningKey.FromPem(signer.Pem, () => null);
        var bundle = await SignedRow.SealAsync(_folder.Path, "acme", row.Request(null) with { Key = key });
        var authorities = _folder.Write("authorities.pem", signer.ChainPem);
        Assert.Equal("ec", (await SigstoreAsync(0, bundle, new { authorities, tsa = Chain(row.Authority) })).GetProperty("signer").GetString());
        var others = _folder.Write("others.pem", new SignerCertificate(now.AddDays(-1), now.AddDays(1)).ChainPem);
        _ = await SigstoreAsync(1, bundle, new { authorities = others, tsa = Chain(row.Authority) });
    }

    [NeedsFact("openssl")]
    public async Task The_recipe_without_auditcli_accepts_a_good_bundle_and_prints_what_to_compare()
    {
        var said = await RecipeAsync(0, row.Second, row.Authority.RootFile);
        Assert.Contains($"number 2 of its chain, head {SealedAttestation.Head(row.Second).Bundle.Statement}", said, StringComparison.Ordinal);
        Assert.Contains($"signed by {row.Key.Fingerprint}", said, StringComparison.Ordinal);
        Assert.Contains("time stamp: ", said, StringComparison.Ordinal);
        // Without a root certificate, the script claims no time.
        Assert.Contains("time stamp: none", await RecipeAsync(0, row.Second), StringComparison.Ordinal);
        Assert.Contains("number 1 of its chain", await RecipeAsync(0, await SignedRow.SealAsync(_folder.Path, "acme", row.Plain())), StringComparison.Ordinal);
    }

    [NeedsTheory("openssl")]
    [MemberData(nameof(Names))]
    public async Task The_recipe_without_auditcli_refuses_a_damaged_bundle(string damage)
    {
        var bundle = Path.Combine(_folder.Path, "b");
        Samples.Copy(row.Second, bundle);
        Damages[damage](bundle, row);
        Assert.StartsWith("NO: ", await RecipeAsync(1, bundle, row.Authority.RootFile), StringComparison.Ordinal);
    }

    private static void Hostile(string bundle, SignedRow row, string line)
    {
        var manifest = File.ReadAllText(Path.Combine(bundle, "manifest-sha256.txt"));
        Samples.Reseal(bundle, $"{manifest}{(line[0] == '#' ? "" : new string('0', 64) + "  ")}{line}\n");
        Directory.Delete(Path.Combine(bundle, "attestation"), recursive: true);
        BundleSigner.SignAsync(bundle, row.Request(row.First), default).GetAwaiter().GetResult();
    }

    private string Chain(TimeStampAuthority authority) =>
        _folder.Write(Path.GetRandomFileName(), File.ReadAllText(authority.CertificateFile) + authority.RootPem);

    private async Task<string> RecipeAsync(int exit, string bundle, params string[] root) =>
        await SaidAsync(exit, "bash", [Repository.Path("samples", "verify-without-auditcli.sh"), bundle, _folder.Write("key.pem", row.Key.PublicPem), .. root]);

    private static async Task<JsonElement> SigstoreAsync(int exit, string bundle, object trust)
    {
        var said = await SaidAsync(exit, "node", Repository.Path("tests", "tools", "sigstore-check.mjs"),
            Forgery.At(bundle, "statement.sigstore.json"), Forgery.At(bundle, "statement.json"), JsonSerializer.Serialize(trust));
        return exit == 0 ? JsonElement.Parse(said) : default;
    }

    private static async Task<string> SaidAsync(int exit, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end");
        }
        Assert.True(process.ExitCode == exit, $"{program} {string.Join(' ', arguments)}: {process.ExitCode}\n{await output}\n{await error}");
        return await output;
    }
}
