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
