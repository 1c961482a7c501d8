using AuditCli.Bundles;
using AuditCli.Controls.Planning;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Bundles;

/// <summary>A run of one control on one of two accounts, and of an engagement that names another control, shared by a class.</summary>
public sealed class SmallSelection : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Bundle { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await using var evaluation = AuditCommand.Host(_folder.Path).StartEvaluation();
        var run = await WholeSample.RunAsync(
            evaluation, _folder.Path,
            e => e.Replace("\ncontrols:\n", "\ncontrols:\n  include: [\"APD-AWS-*\", \"???-GCP-*\", INF-AWS-002, LOG-AWS-001]\n", StringComparison.Ordinal),
            new PlanFilter(["APD-AWS-004"], ["prod"]));
        Bundle = run.Bundle.Path;
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}

/// <summary>
/// Edits the list of what was not tested where there are targets. Of controls that the engagement selects by a pattern the bundle does not say which
/// there were.
/// </summary>
public sealed class NotTestedTests(SmallSelection run) : IClassFixture<SmallSelection>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly Dictionary<string, (string Said, Action<ForgedResults> Edit)> Forged = new(StringComparer.Ordinal)
    {
        ["a target that was left out is hidden"] = (
            "it does not list dev as not tested, but its controls read that target, and run.json does not say that it was entered",
            f => Remove(f, "dev")),
        ["a target that was read is called left out"] = (
            "it lists prod as not tested (target left out by --target), but run.json says that the target was entered",
            f => f.ListUntested("prod", "target left out by --target")),
        ["an account that was read is called left out"] = (
            "it lists prod as not tested (account 1 is left out by exclude_accounts), but run.json does not say so",
            f => f.ListUntested("prod", "account 1 is left out by exclude_accounts")),
        ["an account that was left out is hidden"] = (
            "it does not list prod as not tested, but run.json says: account 1 is left out by exclude_accounts",
            f => f.Replace("data/run.json", "\"left_out\":null", "\"left_out\":\"account 1 is left out by exclude_accounts\"")),
        ["a control that the engagement names is hidden"] = (
            "it does not list INF-AWS-002 as not tested, but the engagement names the control, and it has no result",
            f => Remove(f, "INF-AWS-002")),
        ["a control that the engagement names is listed for another reason"] = (
            "it lists INF-AWS-002 as not tested (retired), but the engagement names it, and a run would not begin then",
            f => f.NotTested.Single(n => n!["id"]!.GetValue<string>() == "INF-AWS-002")!["reason"] = "retired"),
        ["a control that the engagement does not include is listed"] = (
            "it lists APD-K8S-001 as not tested (not selected by --control), but the engagement does not include it",
            f => f.ListUntested("APD-K8S-001", "not selected by --control")),
    };

    public static TheoryData<string> Forgeries => [.. Forged.Keys];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_list_that_the_engagement_or_the_record_contradicts_is_refused(string forgery)
    {
        var forged = new ForgedResults(run.Bundle, _folder.Path);
        Forged[forgery].Edit(forged);
        forged.Seal();
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => OpenAsync(forged.Bundle));
        Assert.True(refused.Message.Contains(Forged[forgery].Said, StringComparison.Ordinal), refused.Message);
    }

    [Fact]
    public async Task The_list_of_a_run_is_opened()
    {
        var opened = await OpenAsync(run.Bundle);
        Assert.Equal(["APD-AWS-004"], opened.Results.Controls.Select(c => c.Id));
        Assert.Superset(
            new HashSet<string> { "dev", "cloud", "trading", "INF-AWS-002", "LOG-AWS-001", "APD-AWS-001", "APD-GCP-002" },
            opened.Results.NotTested.Select(n => n.Id).ToHashSet());
    }

    private Task<OpenedBundle> OpenAsync(string bundle) =>
        OpenedBundle.OpenAsync(bundle, AuditCommand.Host(_folder.Path), verified: null, CancellationToken.None);

    private static void Remove(ForgedResults f, string id) => f.NotTested.Remove(f.NotTested.Single(n => n!["id"]!.GetValue<string>() == id));
}
