using System.Text.Json;

namespace AuditCli.Tests.Secrets;

/// <summary>Tests the search for credentials in files before the first request, and the last one before sealing.</summary>
public sealed class SecretScanTests
{
    private const string Secret = "hunter2hunter2";

    [Fact]
    public async Task A_credential_in_what_was_handed_in_is_not_sealed_and_its_place_is_named()
    {
        using var folder = Sample();
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out", "--control", "INF-AWS-001");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("inputs/public-storage-register.csv:2: holds what looks like a credential", result.Error, StringComparison.Ordinal);
        Assert.Contains("--allow-secrets", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, result.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "out")), "something was asked before the files were read");
    }

    [Fact]
    public async Task A_credential_in_a_control_is_named_with_its_line_before_anything_is_asked()
    {
        using var folder = new TemporaryFolder();
        var control = Assert.Single(Directory.GetFiles(Repository.Path("controls"), "INF-AWS-001.yaml", SearchOption.AllDirectories));
        var text = File.ReadAllText(control).Replace("\nlimitations:\n", $"\nlimitations:\n  - password = {Secret}\n", StringComparison.Ordinal);
        Assert.Contains(Secret, text, StringComparison.Ordinal);
        var line = text[..text.IndexOf(Secret, StringComparison.Ordinal)].Count(c => c == '\n') + 1;
        folder.Write(Path.Combine("lib", Path.GetRelativePath(Repository.Path("controls"), control)), text);
        folder.Write("engagement.yaml", $"{AwsEnvironment.Engagement("INF-AWS-001")}\nreplay: {Repository.Path("samples", "exchanges")}\n");
        var result = await AuditCommand.RunAsync(
            folder.Path, "run", "engagement.yaml", "--out", "out", "--control", "INF-AWS-001", "--controls", "lib");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains($"control INF-AWS-001, line {line}: holds what looks like a credential; remove it", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, result.ToString(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "out")), "something was asked before the controls were read");
    }

    /// <summary>
    /// Resumes a run that had allowed a secret and was stopped by something else. The answers of providers are in
    /// <see cref="Running.StoppedSealTests"/>, where the exchanges of a replay and those of a stopped run have an advice each, and so are
    /// the results, where a test's item has one.
    /// </summary>
    [Theory]
    [InlineData("input", "data/inputs/public-storage-register/public-storage-register.csv", "remove it from the file that you supplied and run again")]
    [InlineData("engagement", "data/engagement.yaml", "remove it from the file that you supplied and run again")]
    [InlineData("control", "data/controls/inf-aws-001.yaml", "remove it from the control and run again")]
    public async Task The_advice_of_a_seal_that_stops_is_for_the_file_in_which_the_secret_is(string place, string file, string advice)
    {
        using var folder = new TemporaryFolder();
        string In(string where) => place == where ? $"password = {Secret}" : "nothing";
        var control = Assert.Single(Directory.GetFiles(Repository.Path("controls"), "INF-AWS-001.yaml", SearchOption.AllDirectories));
        folder.Write(
            Path.Combine("lib", Path.GetRelativePath(Repository.Path("controls"), control)), $"# {In("control")}\n{await File.ReadAllTextAsync(control)}");
        folder.Write("register.csv", $"bucket,approved_by,approved_on,reason,expires\nb,A. Approver,2026-03-10,{In("input")},2027-03-09\n");
        folder.Write("engagement.yaml", $$"""
            # {{In("engagement")}}
            {{AwsEnvironment.Engagement("INF-AWS-001")}}
            inputs:
              public-storage-register: { file: register.csv, obtained_from: Owner, obtained_on: 2026-11-16, how: by e-mail, stated_rows: 1 }
            replay: {{Repository.Path("samples", "exchanges")}}
            """);
        var disk = new FailsOnceEvaluated(Path.Combine(folder.Path, "out"));
        var stopped = await AuditCommand.RunAsync(
            AuditCommand.Host(folder.Path) with { Clock = disk }, CancellationToken.None,
            "run", "engagement.yaml", "--out", "out", "--controls", "lib", "--allow-secrets");
        Assert.True(stopped.ExitCode == 1 && stopped.Error.Contains(FailsOnceEvaluated.Why, StringComparison.Ordinal), stopped.ToString());

        var resumed = await AuditCommand.RunAsync(folder.Path, "run", "--resume", Assert.Single(Directory.GetDirectories(disk.Out)));

        Assert.True(resumed.ExitCode == 1, resumed.ToString());
        Assert.True(resumed.Error.Contains($"{file}, near character ", StringComparison.Ordinal), resumed.ToString());
        Assert.Contains($"; {advice}; if it is not one, seal it unchanged with --allow-secrets", resumed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, resumed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_seals_it_all_the_same_is_shown_to_have_done_so()
    {
        using var folder = Sample();
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out", "--control", "INF-AWS-001", "--allow-secrets");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains(
            "sealed although it holds what looks like a credential: data/inputs/public-storage-register/public-storage-register.csv",
            result.Output,
            StringComparison.Ordinal);
        var run = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(AuditCommand.TheBundle(Path.Combine(folder.Path, "out")), "data", "run.json")));
        Assert.Contains(
            "data/inputs/public-storage-register/public-storage-register.csv",
            run.GetProperty("secrets_allowed").EnumerateArray().Select(f => f.GetString()));
    }

    /// <summary>Returns a folder with the sample, and a password in one of its registers.</summary>
    private static TemporaryFolder Sample()
    {
        var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", File.ReadAllText(Repository.Path("samples", "engagement.yaml"))
            .Replace("../controls", Repository.Path("controls"), StringComparison.Ordinal)
            .Replace("replay: exchanges/", $"replay: {Repository.Path("samples", "exchanges")}", StringComparison.Ordinal));
        foreach (var file in Directory.GetFiles(Repository.Path("samples", "inputs")))
        {
            var text = File.ReadAllText(file).Replace("Price and status pages", $"Price pages; password = {Secret}", StringComparison.Ordinal);
            folder.Write(Path.Combine("inputs", Path.GetFileName(file)), text);
        }
        return folder;
    }
}

/// <summary>The real clock, which fails once, as a disk does, when everything is evaluated and nothing is sealed.</summary>
internal sealed class FailsOnceEvaluated(string @out) : TimeProvider
{
    public const string Why = "the disk failed";
    private bool _failed;

    public string Out => @out;

    public override DateTimeOffset GetUtcNow()
    {
        if (!_failed && Directory.Exists(@out) && Directory.EnumerateFiles(@out, "results.json", SearchOption.AllDirectories).Any())
        {
            _failed = true;
            throw new IOException(Why);
        }
        return base.GetUtcNow();
    }
}
