using System.Diagnostics;
using System.Text.Json;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.People;

/// <summary>Signs off the sample with two persons' keys, and checks what anybody can read from it offline.</summary>
public sealed class SignoffTests(SampleRun sample) : IClassFixture<SampleRun>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_persons_sign_off_and_verify_lists_them()
    {
        await SignedOffAsync();
        var undecided = await VerifyAsync();
        Assert.True(undecided.ExitCode == 3, undecided.ToString());
        Assert.Contains("PEOPLE_UNKNOWN_KEY", undecided.Output, StringComparison.Ordinal);

        var result = await VerifyAsync("--trust-people", Key("lena") + ".pub", "--trust-people", Key("omar") + ".pub");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Matches("people +holds +3 statements, head [0-9a-f]{64}; signed off by preparer Lena Berg, reviewer Omar Haddad", result.Output);
        Assert.Matches(
            @"   2 annotated  \S+Z Omar Haddad, key [0-9a-f]{16} \(trusted; role not checked\), about APD-AWS-001: Which tickets\?", result.Output);
        using var json = JsonDocument.Parse((await VerifyAsync("--output", "json")).Output);
        Assert.Equal(
            ["signoff", "annotated", "signoff"], json.RootElement.GetProperty("people").EnumerateArray().Select(p => p.GetProperty("kind").GetString()));
    }

    [Fact]
    public async Task A_dropped_tail_is_found_with_the_head_that_was_kept()
    {
        await SignedOffAsync();
        var head = JsonElement.Parse((await VerifyAsync("--output", "json")).Output).GetProperty("people_head").GetString()!;
        File.Delete(Directory.GetFiles(People, "0003*").Single());
        var result = await VerifyAsync("--expect-people-head", head);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("CHAIN_HEAD_MISMATCH", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_engagement_s_own_reviewer_does_not_sign_off_as_preparer()
    {
        var run = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(Bundle(), "data", "run.json")));
        var reviewer = run.GetProperty("reviewer").GetString()!;
        await KeyAsync("lena");
        var result = await AddAsync("signoff", "lena", "--role", "preparer", "--name", reviewer);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("is the engagement's reviewer, and signed off as preparer", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(People, "*.json"));
    }

    [Theory]
    [InlineData("--name is needed", "signoff", "--role", "preparer")]
    [InlineData("password=Hunter2!x", "custody annotated", "--name", "Lena Berg")]
    [InlineData("no text", "custody hold", "--name", "Lena Berg")]
    public async Task A_statement_that_does_not_fit_is_refused_and_nothing_is_written(string note, string command, params string[] more)
    {
        await KeyAsync("lena");
        string[] remark = note.Contains('=', StringComparison.Ordinal) ? ["--note", _folder.Write("note.txt", note)] : [];
        var result = await AddAsync(command, "lena", [.. more, .. remark]);
        Assert.Equal(1, result.ExitCode);
        Assert.True(!Directory.Exists(People) || Directory.GetFiles(People, "*.json").Length == 0);
        Assert.DoesNotContain("Hunter2", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_team_says_whose_key_it_is_and_which_role_it_has()
    {
        await KeyAsync("lena");
        await KeyAsync("omar");
        var engagement = SampleFiles.CopyTo(_folder.Path);
        await File.AppendAllTextAsync(engagement, $$"""

            team:
              - { name: Lena Berg, role: preparer, key: {{await FingerprintAsync("lena")}} }
              - { name: Omar Haddad, role: respondent, key: {{await FingerprintAsync("omar")}} }

            """);
        var run = await AuditCommand.RunAsync(_folder.Path, "run", engagement, "--control", "APD-AWS-004", "--out", "out");
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Task<CommandResult> SignAsync(string key, params string[] more) => AuditCommand.RunAsync(
            _folder.Path, ["signoff", bundle, "--key", Key(key), "--allow-unsigned", .. more]);

        var respondent = await SignAsync("omar", "--role", "reviewer");
        Assert.Contains("Omar Haddad is no reviewer in the team, and signed off as one", respondent.Error, StringComparison.Ordinal);
        var another = await SignAsync("lena", "--role", "preparer", "--name", "Omar Haddad");
        Assert.Contains("the key is that of Lena Berg", another.Error, StringComparison.Ordinal);
        await KeyAsync("stranger");
        var stranger = await SignAsync("stranger", "--role", "preparer", "--name", "Lena Berg");
        Assert.Contains("and the team's is", stranger.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(bundle + ".people", "*.json"));

        var own = await SignAsync("lena", "--role", "preparer");
        Assert.True(own.ExitCode == 0, run.ToString() + own);
        var verified = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--allow-unsigned");
        Assert.True(verified.ExitCode == 0, verified.ToString());
        Assert.Contains("Lena Berg, key", verified.Output, StringComparison.Ordinal);
        Assert.Contains("(in the team), preparer", verified.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_that_does_not_verify_is_not_signed_off()
    {
        await KeyAsync("lena");
        await File.AppendAllTextAsync(Path.Combine(Bundle(), "data", "run.json"), " ");
        var result = await AddAsync("signoff", "lena", "--role", "preparer", "--name", "Lena Berg");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("does not verify, so nothing was added", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Later_additions_need_a_reason_after_the_file_was_assembled()
    {
        await KeyAsync("lena");
        var assembled = await AddAsync("assemble", "lena", "--by", "2026-01-01", "--name", "Lena Berg");
        Assert.True(assembled.ExitCode == 0, assembled.ToString());
        var refused = await AddAsync("custody exported", "lena", "--to", "Example Audit LLP", "--name", "Lena Berg");
        Assert.Contains("what is added later must say why", refused.Error, StringComparison.Ordinal);
        var added = await AddAsync(
            "custody exported", "lena", "--to", "Example Audit LLP", "--name", "Lena Berg", "--why", "asked for by the successor auditor");
        Assert.True(added.ExitCode == 0, added.ToString());
    }

    [NeedsFact("openssl", "python3")]
    public async Task Openssl_and_a_reader_of_json_verify_each_statement()
    {
        await SignedOffAsync();
        foreach (var file in Directory.GetFiles(People, "*.json"))
        {
            // What the page about signing says, done by programs that know nothing of this one.
            var unpacked = Path.Combine(_folder.Path, Path.GetFileName(file));
            await RunAsync("python3", "-c", """
                import base64, json, sys
                e = json.load(open(sys.argv[1]))
                p = base64.b64decode(e["payload"])
                s = json.loads(p)
                open(sys.argv[2] + ".pae", "wb").write(b"DSSEv1 %d %s %d %s" % (len(e["payloadType"]), e["payloadType"].encode(), len(p), p))
                open(sys.argv[2] + ".sig", "wb").write(base64.b64decode(e["signatures"][0]["sig"]))
                open(sys.argv[2] + ".der", "wb").write(base64.b64decode(s["predicate"]["signer"]["spki"]))
                """, file, unpacked);
            await RunAsync("openssl", "pkey", "-pubin", "-inform", "DER", "-in", unpacked + ".der", "-out", unpacked + ".pem");
            await RunAsync("openssl", "dgst", "-sha256", "-verify", unpacked + ".pem", "-signature", unpacked + ".sig", unpacked + ".pae");
        }
    }

    private string Bundle()
    {
        var copy = Path.Combine(_folder.Path, Path.GetFileName(sample.Bundle));
        if (!Directory.Exists(copy))
            BundleForgery.Copy(sample.Bundle, _folder.Path);
        return copy;
    }

    private string People => Bundle() + ".people";

    private string Key(string name) => Path.Combine(_folder.Path, name + ".pem");

    private async Task KeyAsync(string name)
    {
        var made = await AuditCommand.RunAsync(_folder.Path, "keys", "new", Key(name), "--no-passphrase");
        Assert.True(made.ExitCode == 0, made.ToString());
    }

    private async Task<string> FingerprintAsync(string name) =>
        (await AuditCommand.RunAsync(_folder.Path, "keys", "show", Key(name) + ".pub")).Output.Trim();

    private async Task SignedOffAsync()
    {
        await KeyAsync("lena");
        await KeyAsync("omar");
        foreach (var result in new[]
        {
            await AddAsync("signoff", "lena", "--role", "preparer", "--name", "Lena Berg"),
            await AddAsync(
                "custody annotated", "omar", "--name", "Omar Haddad", "--about", "APD-AWS-001", "--note", _folder.Write("n.txt", "Which tickets?\n")),
            await AddAsync("signoff", "omar", "--role", "reviewer", "--name", "Omar Haddad"),
        })
        {
            Assert.True(result.ExitCode == 0, result.ToString());
        }
    }

    private Task<CommandResult> AddAsync(string command, string key, params string[] more) =>
        AuditCommand.RunAsync(_folder.Path, [.. command.Split(' '), Bundle(), "--key", Key(key), "--allow-unsigned", .. more]);

    private Task<CommandResult> VerifyAsync(params string[] more) =>
        AuditCommand.RunAsync(_folder.Path, ["verify", Bundle(), "--allow-unsigned", .. more]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = await process.StandardOutput.ReadToEndAsync() + await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program}: {said}");
    }
}
