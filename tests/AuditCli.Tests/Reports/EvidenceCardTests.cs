using AuditCli.Tests.Running;

namespace AuditCli.Tests.Reports;

/// <summary>Tests the page that replaces a screenshot, as a browser shows it.</summary>
public sealed class EvidenceCardTests(SampleRun sample, HostileRun hostile) : IClassFixture<SampleRun>, IClassFixture<HostileRun>
{
    private const string Person = "arn:aws:iam::444455556666:user/lukas.berg";

    [Fact]
    public async Task The_same_item_gives_the_same_card()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(
            await File.ReadAllBytesAsync(await CardAsync(folder, "a.html", sample.Bundle, "APD-AWS-002", "T1", Person)),
            await File.ReadAllBytesAsync(await CardAsync(folder, "b.html", sample.Bundle, "APD-AWS-002", "T1", Person)));
    }

    [NeedsFact("chromium", "node")]
    public async Task A_browser_shows_the_card_with_its_style_and_the_tested_words_marked()
    {
        using var folder = new TemporaryFolder();
        var found = await ReportOracleTests.NodeAsync("card-check.mjs", await CardAsync(folder, "card.html", sample.Bundle, "APD-AWS-002", "T1", Person));
        ReportOracleTests.CheckPage(found);
        Assert.StartsWith("REPLAY of exchanges", found.GetProperty("firstText").GetString(), StringComparison.Ordinal);
        Assert.Contains(found.GetProperty("marked").EnumerateArray(), m => m.GetString() == Person);
        Assert.NotEqual("rgba(0, 0, 0, 0)", found.GetProperty("background").GetString());
    }

    [NeedsFact("chromium", "node")]
    public async Task A_hostile_item_runs_nothing_on_its_card()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, item) in new[] { ("markup", HostileRun.Markup), ("direction", HostileRun.Direction), ("long", HostileRun.Long) })
        {
            var card = await CardAsync(folder, $"{name}.html", hostile.Bundle, HostileRun.Control, "T1", item);
            ReportOracleTests.CheckPage(await ReportOracleTests.NodeAsync("card-check.mjs", card));
        }
    }

    private static async Task<string> CardAsync(TemporaryFolder folder, string name, string bundle, params string[] words)
    {
        var made = await AuditCommand.RunAsync(folder.Path, ["show", bundle, .. words, "--html", name]);
        Assert.True(made.ExitCode == 0, made.ToString());
        return Path.Combine(folder.Path, name);
    }
}
