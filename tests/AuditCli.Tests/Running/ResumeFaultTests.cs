using System.Text.Json.Nodes;

namespace AuditCli.Tests.Running;

/// <summary>A run over many projects that was killed after it had sealed one shard and read a part of the next.</summary>
public sealed class KilledRun : IAsyncLifetime, IDisposable
{
    private const int Projects = 40;
    private readonly TemporaryFolder _folder = new();
    private volatile bool _isSlow = true;

    internal GoogleServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = ManyProjects.Server(Projects, (_, _) =>
        {
            if (_isSlow)
                Thread.Sleep(TimeSpan.FromMilliseconds(20));
            return null;
        });
        ManyProjects.Write(_folder);
        using var process = AuditCommand.Start(_folder.Path, GoogleEnvironment.At(Server, _folder), [], "run", "engagement.yaml", "--out", "out");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        for (var waited = 0; waited < 6000 && !process.HasExited && !HasRead(); waited++)
            await Task.Delay(10);
        process.Kill();
        await AuditCommand.EndAsync(process);
        _ = await output + await error;
        Assert.True(HasRead(), "the run ended before a shard was sealed");
        _isSlow = false;
    }

    /// <summary>Copies the engagement and what the run left into a folder, and returns the unsealed bundle.</summary>
    internal string CopyTo(TemporaryFolder folder)
    {
        ManyProjects.Write(folder);
        foreach (var left in Directory.GetDirectories(Path.Combine(_folder.Path, "out")))
            BundleForgery.Copy(left, Path.Combine(folder.Path, "out"));
        return Directory.GetDirectories(Path.Combine(folder.Path, "out"), "*.partial").Single();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        Server.Dispose();
        _folder.Dispose();
    }

    private bool HasRead() => Path.Combine(_folder.Path, "out") is var folder && Directory.Exists(folder)
        && Directory.EnumerateFiles(folder, "*-001.tar", SearchOption.AllDirectories).Any()
        && Directory.EnumerateFiles(folder, "index.jsonl", SearchOption.AllDirectories)
            .Any(f => f.Contains("-002.partial", StringComparison.Ordinal) && new FileInfo(f).Length > 0);
}

/// <summary>Resumes runs that cannot go on, or not with everything that they had.</summary>
public sealed class ResumeFaultTests(KilledRun killed) : IClassFixture<KilledRun>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Refused => new()
    {
        { "another version", "auditcli 0.0.0 began it, and this is " },
        { "another engagement", "data/engagement.yaml is not there as it was when the run began" },
        { "another control", "data/controls/apd-gcp-901.yaml is not there as it was when the run began" },
        { "another input", "data/inputs/projects/projects.csv is not there as it was when the run began" },
        { "no questions", "the run was stopped before anything was collected, or " },
        { "questions of another form", "what was kept of the run cannot be read" },
        { "questions outside", "what was kept of the run names 'data/../../x', which cannot be a file of a bundle" },
        { "a later beginning", "what was kept of the run was changed: it says that northquay-exchange-" },
        { "an earlier beginning", "what was kept of the run was changed: it says that northquay-exchange-" },
        { "another moment", "what was kept of the run was changed: it says as_of 2026-11-20T00:00:00Z, and the engagement 2026-11-23T00:00:00Z" },
        { "a link", "is a link, a pipe or a device, and not the file that the run left" },
        { "a linked folder", "is a link, and not the folder that the run left" },
        { "another name", "what was kept of the run was changed: it says that other was begun at " },
        { "a key", "it began without AUDITCLI_REDACTION_KEY: unset the variable" },
        { "sealed", "its bundle is sealed: " },
        { "a shard of another run", "cannot be taken over: its data/engagement.yaml is another one" },
        { "an account that is gone", "was read before the interruption and is not reached now" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_the_run_did_not_have_is_refused_and_nothing_is_lost(string fault, string words)
    {
        var partial = killed.CopyTo(_folder);
        var begun = partial[..^".partial".Length] + ".begun";
        var environment = GoogleEnvironment.At(killed.Server, _folder);
        using var smaller = ManyProjects.Server(projects: 10);
        switch (fault)
        {
            case "another version":
                Questions(q => q["tool"] = "0.0.0");
                break;
            case "another engagement":
                File.AppendAllText(Path.Combine(partial, "data", "engagement.yaml"), "# more\n");
                break;
            case "another control":
                File.AppendAllText(Path.Combine(partial, "data", "controls", "apd-gcp-901.yaml"), "# more\n");
                break;
            case "another input":
                File.AppendAllText(Path.Combine(partial, "data", "inputs", "projects", "projects.csv"), "p-002\n");
                break;
            case "no questions":
                File.Delete(Path.Combine(begun, "questions.json"));
                break;
            case "questions of another form":
                Questions(q => q["more"] = 1);
                break;
            case "questions outside":
                Questions(q => q["files"]!["data/../../x"] = new string('0', 64));
                break;
            case "a later beginning":
                Questions(q => q["started"] = "2990-01-01T00:00:00Z");
                break;
            case "an earlier beginning":
                Questions(q => q["started"] = "2020-01-01T00:00:00Z");
                break;
            case "another moment":
                Questions(q => q["as_of"] = "2026-11-20T00:00:00Z");
                break;
            case "a link":
                File.Move(Path.Combine(begun, "questions.json"), Path.Combine(_folder.Path, "q.json"));
                File.CreateSymbolicLink(Path.Combine(begun, "questions.json"), Path.Combine(_folder.Path, "q.json"));
                break;
            case "a linked folder":
                Directory.Move(begun, Path.Combine(_folder.Path, "elsewhere"));
                Directory.CreateSymbolicLink(begun, Path.Combine(_folder.Path, "elsewhere"));
                break;
            case "another name":
                Directory.Move(partial, partial = Path.Combine(_folder.Path, "out", "other.partial"));
                Directory.Move(begun, begun = Path.Combine(_folder.Path, "out", "other.begun"));
                break;
            case "a key":
                environment["AUDITCLI_REDACTION_KEY"] = new string('a', 64);
                break;
            case "sealed":
                Directory.CreateDirectory(partial[..^".partial".Length]);
                break;
            case "a shard of another run":
                await ReplaceShardAsync(partial);
                break;
            default:
                environment = GoogleEnvironment.At(smaller, _folder);
                break;
        }
        var before = Files(partial, begun);
        var result = await AuditCommand.ProcessAsync(_folder.Path, environment, [], "run", "--resume", partial);
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        // What was there is there, in the same place or in the folder of what earlier processes had written.
        Assert.Empty(before.Except(Files(partial, begun)));

        void Questions(Action<JsonNode> edit)
        {
            var file = Path.Combine(begun, "questions.json");
            var questions = JsonNode.Parse(File.ReadAllText(file))!;
            edit(questions);
            File.WriteAllText(file, questions.ToJsonString());
        }
    }

    [Fact]
    public async Task A_damaged_shard_is_read_again_and_the_log_says_so()
    {
        var partial = killed.CopyTo(_folder);
        var shard = Directory.EnumerateFiles(Path.Combine(partial, "data", "shards"), "*-001.tar").Single();
        var bytes = await File.ReadAllBytesAsync(shard);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(shard, bytes);
        var result = await ManyProjects.RunAsync(_folder, killed.Server, "run", "--resume", partial);
        Assert.True(result.ExitCode == 3, result.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Assert.Contains("is not whole and is read again", await File.ReadAllTextAsync(Path.Combine(bundle, "data", "log.clef")), StringComparison.Ordinal);
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Theory]
    [InlineData("--out", "elsewhere", "goes on where it was begun, and not in ")]
    [InlineData("--target", "google", "--resume takes everything from the folder, so leave out --target")]
    public async Task An_option_that_contradicts_the_folder_is_refused(string option, string value, string words)
    {
        var partial = killed.CopyTo(_folder);
        var result = await ManyProjects.RunAsync(_folder, killed.Server, "run", "--resume", partial, option, value);
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shards_are_signed_by_the_key_of_the_bundle_and_a_resumed_run_needs_it()
    {
        var partial = killed.CopyTo(_folder);
        foreach (var key in new[] { "a.key", "b.key" })
            Assert.Equal(0, (await AuditCommand.RunAsync(_folder.Path, "keys", "new", key, "--no-passphrase")).ExitCode);
        var refused = await ManyProjects.RunAsync(_folder, killed.Server, "run", "--resume", partial, "--sign", "a.key");
        Assert.True(refused.ExitCode == 1, refused.ToString());
        Assert.Contains("did not sign it: resume with the one that did", refused.Error, StringComparison.Ordinal);

        var signed = await ManyProjects.RunAsync(_folder, killed.Server, "run", "engagement.yaml", "--out", "signed", "--sign", "a.key");
        Assert.True(signed.ExitCode == 3, signed.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "signed"));
        foreach (var (key, code) in new[] { ("a.key.pub", 0), ("b.key.pub", 2) })
        {
            var verified = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--trust", key);
            Assert.True(verified.ExitCode == code, verified.ToString());
        }
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Puts a shard of a run with another engagement into the place of the sealed one.</summary>
    private async Task ReplaceShardAsync(string partial)
    {
        using var folder = new TemporaryFolder();
        ManyProjects.Write(folder);
        File.AppendAllText(Path.Combine(folder.Path, "engagement.yaml"), "\n# another\n");
        var run = await ManyProjects.RunAsync(folder, killed.Server, "run", "engagement.yaml", "--out", "out");
        Assert.True(run.ExitCode == 3, run.ToString());
        var other = Directory.EnumerateFiles(Path.Combine(folder.Path, "out"), "*-001.tar", SearchOption.AllDirectories).Single();
        File.Copy(other, Directory.EnumerateFiles(Path.Combine(partial, "data", "shards"), "*-001.tar").Single(), overwrite: true);
    }

    /// <summary>Returns the digests of the files that were collected.</summary>
    private static string[] Files(params string[] folders) =>
    [
        .. folders.Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories))
            .Where(f => !f.EndsWith("log.clef", StringComparison.Ordinal) && new FileInfo(f).Length > 0)
            .Select(f => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f)))).Distinct().Order(),
    ];
}
