using System.Security.Cryptography;
using System.Text.Json;

namespace AuditCli.Tests.Signing;

/// <summary>Tests signing from the command line: keys, run, seal and verify, and what they refuse.</summary>
public sealed class SigningTests : IDisposable
{
    private const string Passphrase = "MARKERcorrect horse battery stapleMARKER";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_new_key_is_encrypted_private_to_its_owner_and_never_overwritten()
    {
        var made = await Answer(0, "keys", "new", "auditor.pem");
        var key = At("auditor.pem");
        Assert.Contains("BEGIN ENCRYPTED PRIVATE KEY", File.ReadAllText(key), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        foreach (var shown in new[] { "auditor.pem", "auditor.pem.pub" })
            Assert.Equal(made.Output, (await Answer(0, "keys", "show", shown)).Output);
        Assert.Contains("exists", (await Answer(1, "keys", "new", "auditor.pem")).Error, StringComparison.Ordinal);
        File.WriteAllText(At("other.pem.pub"), "");
        Assert.Contains("other.pem.pub", (await Answer(1, "keys", "new", "other.pem")).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(At("other.pem")));
        Assert.Contains("nowhere", (await Answer(1, "keys", "new", "nowhere/auditor.pem")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_or_wrong_passphrase_is_named_and_shown_nowhere()
    {
        await Answer(0, "keys", "new", "auditor.pem");
        var without = AuditCommand.Host(_folder.Path);
        Assert.Contains("AUDITCLI_KEY_PASSPHRASE", (await Answer(1, without, "keys", "new", "other.pem")).Error, StringComparison.Ordinal);
        Assert.Contains("AUDITCLI_KEY_PASSPHRASE", (await Answer(1, without, "keys", "show", "auditor.pem")).Error, StringComparison.Ordinal);
        var wrong = await Answer(1, Host("MARKERwrongMARKER"), "keys", "show", "auditor.pem");
        Assert.Contains("passphrase", wrong.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", wrong.ToString(), StringComparison.Ordinal);
        // In a terminal the user is asked for the passphrase instead.
        await Answer(0, without with { AskSecret = _ => Passphrase }, "keys", "show", "auditor.pem");
        await Answer(0, without, "keys", "new", "plain.pem", "--no-passphrase");
        Assert.StartsWith("-----BEGIN PRIVATE KEY", File.ReadAllText(At("plain.pem")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_signed_kept_in_its_locker_and_verified_and_no_secret_is_left_anywhere()
    {
        await Answer(0, "keys", "new", "auditor.pem");
        var trusted = (await Answer(0, "keys", "show", "auditor.pem.pub")).Output.Trim();
        var first = await SampleAsync("--locker", "locker", "--challenge", "engagement 2026-17");
        var bundle = AuditCommand.TheBundle(At("locker"));
        var head = File.ReadAllText(At("locker/head"))[..64];
        Assert.Contains($"number 1 of its chain, head {head}", first.Output, StringComparison.Ordinal);
        var second = await SampleAsync("--locker", "locker", "-v");
        Assert.Contains("number 2 of its chain", second.Output, StringComparison.Ordinal);
        var newest = Directory.GetDirectories(At("locker")).Single(d => d != bundle);

        await Answer(3, "verify", bundle);
        await Answer(0, "verify", bundle, "--trust", "auditor.pem.pub", "--expect-head", head, "--challenge", "engagement 2026-17", "--locker", "locker");
        await Answer(0, "verify", newest, "--trust", trusted, "--previous", bundle);
        await Answer(2, "verify", newest, "--trust", trusted, "--expect-head", head);
        await Answer(2, "verify", bundle, "--trust", trusted, "--challenge", "engagement 2026-18");
        await Answer(2, "verify", bundle, "--trust", trusted, "--previous", newest);
        await Answer(2, "verify", bundle, "--trust", new string('0', 64));
        foreach (var (wrong, word) in new[]
        {
            (new[] { "--trust", "nowhere.pem" }, "nowhere.pem"),
            (["--tsa-root", "nowhere.pem"], "nowhere.pem"),
            (["--tsa-root", "auditor.pem.pub"], "no certificate"),
            (["--expect-head", "12"], "SHA-256"),
            (["--previous", "nowhere"], "nowhere"),
            (["--locker", "nowhere"], "nowhere"),
        })
        {
            Assert.Contains(word, (await Answer(1, ["verify", bundle, .. wrong])).Error, StringComparison.Ordinal);
        }

        var secret = string.Concat(File.ReadAllLines(At("auditor.pem")).Where(l => l[0] != '-'))[..60];
        Assert.DoesNotContain("MARKER", first.ToString() + second, StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(At("locker"), "*", SearchOption.AllDirectories))
        {
            var content = File.ReadAllText(file);
            Assert.DoesNotContain("MARKER", content, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, content, StringComparison.Ordinal);
            Assert.DoesNotContain("PRIVATE KEY", content, StringComparison.Ordinal);
        }
    }

    [NeedsFact("openssl")]
    public async Task An_authority_over_http_stamps_and_one_that_fails_is_told_without_failing_the_run()
    {
        await Answer(0, "keys", "new", "auditor.pem");
        var authority = new TimeStampAuthority(At("tsa"));
        using var server = new TimeStampServer(authority.Answer);
        using var broken = new TimeStampServer(authority.Answer, status: 503);
        var stamped = await SampleAsync("--out", "stamped", "--tsa", broken.Url, "--tsa", server.Url);
        Assert.Contains("time stamp 20", stamped.Output, StringComparison.Ordinal);
        Assert.Equal(["application/timestamp-query"], server.ContentTypes);
        Assert.Contains($"{broken.Url}: the authority answers with status 503", stamped.Output, StringComparison.Ordinal);
        await Answer(0, "verify", AuditCommand.TheBundle(At("stamped")), "--trust", "auditor.pem.pub", "--tsa-root", authority.RootFile);

        var unstamped = await SampleAsync("--out", "unstamped", "--tsa", broken.Url);
        Assert.Contains("no time stamp", unstamped.Output, StringComparison.Ordinal);
        Assert.Contains($"{broken.Url}: the authority answers with status 503", unstamped.Output, StringComparison.Ordinal);
        var bundle = AuditCommand.TheBundle(At("unstamped"));
        Assert.Contains("status 503", File.ReadAllText(Path.Combine(bundle, "attestation", "statement.json")), StringComparison.Ordinal);
        await Answer(0, "verify", bundle, "--trust", "auditor.pem.pub");
        var distrusted = await Answer(2, "verify", bundle, "--trust", "auditor.pem.pub", "--tsa-root", authority.RootFile);
        Assert.Contains("status 503", distrusted.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_says_whether_it_is_signed_and_which_authorities_failed()
    {
        await Answer(0, "keys", "new", "auditor.pem");
        using var broken = new TimeStampServer(_ => [], status: 503);
        var signed = JsonElement.Parse((await SampleAsync("--out", "signed", "--tsa", broken.Url, "--output", "json")).Output).GetProperty("signed");
        Assert.Equal(1, signed.GetProperty("sequence").GetInt64());
        Assert.Equal(JsonValueKind.Null, signed.GetProperty("stamped").ValueKind);
        Assert.Contains(
            "the authority answers with status 503",
            Assert.Single(signed.GetProperty("time_stamp_failures").EnumerateArray()).GetString(),
            StringComparison.Ordinal);

        var unsigned = await Sample([], "--out", "unsigned", "--output", "json");
        Assert.Equal(JsonValueKind.Null, JsonElement.Parse(unsigned.Output).GetProperty("signed").ValueKind);
    }

    [Fact]
    public async Task Seal_signs_a_whole_bundle_once_and_refuses_a_damaged_one()
    {
        await Answer(0, "keys", "new", "auditor.pem");
        await Sample([], "--out", "locker");
        var bundle = AuditCommand.TheBundle(At("locker"));
        Assert.Contains("needs --sign", (await Answer(1, "seal", bundle)).Error, StringComparison.Ordinal);
        Assert.Contains("nowhere", (await Answer(1, "seal", "nowhere", "--sign", "auditor.pem")).Error, StringComparison.Ordinal);
        Assert.Contains("nowhere.pem", (await Answer(1, "seal", bundle, "--sign", "nowhere.pem")).Error, StringComparison.Ordinal);
        await Answer(1, Host("wrong"), "seal", bundle, "--sign", "auditor.pem");
        using (var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384))
            File.WriteAllText(At("p384.pem"), p384.ExportPkcs8PrivateKeyPem());
        Assert.Contains("P-256", (await Answer(1, "seal", bundle, "--sign", "p384.pem")).Error, StringComparison.Ordinal);
        var elsewhere = await Answer(1, "seal", bundle, "--sign", "auditor.pem", "--locker", "elsewhere");
        Assert.Contains("is not in the locker", elsewhere.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(bundle, "attestation")));

        var run = Path.Combine(bundle, "data", "run.json");
        var content = File.ReadAllBytes(run);
        File.AppendAllText(run, " ");
        Assert.Contains("CONTENT_MODIFIED", (await Answer(2, "seal", bundle, "--sign", "auditor.pem")).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(bundle, "attestation")));
        File.WriteAllBytes(run, content);
        await Answer(0, "seal", bundle, "--sign", "auditor.pem", "--locker", "locker");
        await Answer(0, "verify", bundle, "--trust", "auditor.pem.pub", "--locker", "locker");
        Assert.Contains("signed already", (await Answer(2, "seal", bundle, "--sign", "auditor.pem")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--locker and --previous|--sign|auditor.pem|--locker|locker|--previous|other", "give one of them")]
    [InlineData("another folder|--sign|auditor.pem|--locker|locker|--out|other", "--out other")]
    [InlineData("no key|--tsa|http://127.0.0.1/", "need --sign")]
    [InlineData("an address|--sign|auditor.pem|--tsa|ftp://127.0.0.1/", "ftp://127.0.0.1/")]
    [InlineData("a key|--sign|nowhere.pem", "nowhere.pem")]
    public async Task A_run_refuses_what_contradicts_itself_before_it_collects(string arguments, string word)
    {
        await Answer(0, "keys", "new", "auditor.pem");
        var refused = await Answer(1, ["run", Repository.Path("samples", "engagement.yaml"), .. arguments.Split('|')[1..]]);
        Assert.Contains(word, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetDirectories(_folder.Path), d => Directory.EnumerateFileSystemEntries(d).Any());
    }

    private string At(string file) => Path.Combine(_folder.Path, file);

    private AuditHost Host(string passphrase) =>
        AuditCommand.Host(_folder.Path) with { Environment = name => name == "AUDITCLI_KEY_PASSPHRASE" ? passphrase : null };

    private Task<CommandResult> SampleAsync(params string[] arguments) => Sample(["--sign", "auditor.pem"], arguments);

    private Task<CommandResult> Sample(string[] signing, params string[] arguments) =>
        Answer(2, ["run", Repository.Path("samples", "engagement.yaml"), "--control", "APD-AWS-002", .. signing, .. arguments]);

    private Task<CommandResult> Answer(int exit, params string[] arguments) => Answer(exit, Host(Passphrase), arguments);

    private static async Task<CommandResult> Answer(int exit, AuditHost host, params string[] arguments)
    {
        var result = await AuditCommand.RunAsync(host, CancellationToken.None, arguments);
        Assert.True(result.ExitCode == exit, $"{string.Join(' ', arguments)}: {result}");
        return result;
    }
}
