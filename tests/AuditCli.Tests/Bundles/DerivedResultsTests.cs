using System.Text.Json.Nodes;
using AuditCli.Bundles;

namespace AuditCli.Tests.Bundles;

/// <summary>
/// Edits results, rows, index or record consistently, as somebody can who computes every digest again. What follows from the bundle's own files is
/// derived again on opening, so that no command prints the edit.
/// </summary>
public sealed class DerivedResultsTests(FilesRun run) : IClassFixture<FilesRun>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly Dictionary<string, (string Said, Action<ForgedResults> Edit)> Forged = new(StringComparer.Ordinal)
    {
        ["a failure that is called a pass"] = (
            "data/results/apd-xsr-901.t1.ndjson:2 (APD-XSR-901 T1, item 'passes' in the inputs): its pass is false, but its verdict is pass",
            f => f.Row(901, "passes", l => l.Replace("\"pass\":true", "\"pass\":false", StringComparison.Ordinal))),
        ["an approval that nobody gave"] = (
            "item 'fails' in the inputs): it is approved, but the register does not have it",
            ApproveUnasked),
        ["an approval by somebody else"] = (
            "item 'waived' in the inputs): its waiver is by E. Else on 2026-09-01",
            f => f.Row(901, "waived", l => l.Replace("\"approved_by\":\"R. Reviewer\"", "\"approved_by\":\"E. Else\"", StringComparison.Ordinal))),
        ["an approval that is left out"] = (
            "item 'waived' in the inputs): its verdict is deviation, but the register approves it",
            LeaveOutApproval),
        ["another exception's id"] = (
            "item 'fails' in the inputs): its exception_id is APD-XSR-901/X/000000000001, but must be APD-XSR-901/X/",
            f => f.Row(901, "fails", l => System.Text.RegularExpressions.Regex.Replace(l, "/X/[0-9a-f]{12}", "/X/000000000001"))),
        ["a reason beside a pass"] = (
            "item 'passes' in the inputs): it passes, but has a reason",
            f => f.Row(901, "passes", l => l.Replace(",\"attributes\"", ",\"reason\":\"too high\",\"attributes\"", StringComparison.Ordinal))),
        ["one item twice"] = (
            "item 'passes' in the inputs): the item has several rows",
            RepeatItem),
        ["fewer exceptions of the control"] = ("APD-XSR-901 has deviations 0 in results.json, but its rows give 1", f => f.Control(901)["deviations"] = 0),
        ["an expired approval that is hidden"] = (
            "APD-XSR-901: the waivers that are expired in results.json are not those of the register (0 and 1)",
            f => f.Control(901)["waivers"]!["expired"] = new JsonArray()),
        ["sides that differ and agree"] = (
            "APD-XSR-902 tests T1 completeness two counts agree is true, but false follows",
            f => f.Test(902)["completeness"]![0]!["agree"] = true),
        ["a side that is NULL and agrees"] = (
            "APD-XSR-901 tests T1 completeness as many as counted agree is true, but false follows",
            f => f.Test(901)["completeness"]![0]!["left"] = null),
        ["a limitation that is left out"] = (
            "APD-XSR-904 limitations broken",
            LeaveOutLimitation),
        ["a limitation without evidence"] = (
            "is there, which does not follow from the bundle's controls and index",
            f => f.Control(901)["limitations"]!.AsArray().Add(f.Control(904)["limitations"]![0]!.DeepClone())),
        ["a limitation that says something else"] = (
            "message is nothing of interest, but",
            f => f.Control(904)["limitations"]![0]!["message"] = "nothing of interest"),
        ["a pass over incomplete evidence"] = (
            "conclusion is PASS, but INCONCLUSIVE follows from the bundle's controls and index",
            f => f.Conclude(904, "PASS")),
        ["a check that is left out"] = (
            "APD-XSR-902 tests T1 completeness two counts is missing",
            f => f.Test(902)["completeness"] = new JsonArray()),
        ["a check that is left out of one test"] = (
            "tests T1 completeness as many as counted is missing",
            LeaveOutCheckOfOneTest),
        ["a test that is left out"] = (
            "APD-XSR-901 tests T2 is missing, which follows from the bundle's controls and index",
            f => f.Control(901)["tests"]!.AsArray().RemoveAt(1)),
        ["a control that is left out"] = (
            "data/evidence/index.jsonl has evidence of APD-XSR-902, for which results.json has no result",
            f => f.Controls.Remove(f.Control(902))),
        ["a control that is left out of the index too"] = (
            "APD-XSR-902 is missing, which follows from the bundle's controls and index",
            LeaveOutControl),
        ["incomplete evidence by the index alone"] = (
            "APD-XSR-901 limitations accounts accounts X is missing",
            f => f.Index("\"operation\":\"accounts\"", l => l.Replace("\"outcome\":\"complete\"", "\"outcome\":\"incomplete\"", StringComparison.Ordinal)
                .Replace("\"failures\":[]", "\"failures\":[{\"code\":\"X\",\"message\":\"y\",\"count\":1}]", StringComparison.Ordinal))),
        ["complete evidence by the index alone"] = (
            "limitations broken",
            f => f.Index("\"operation\":\"broken\"", l => System.Text.RegularExpressions.Regex.Replace(
                l.Replace("\"outcome\":\"incomplete\"", "\"outcome\":\"complete\"", StringComparison.Ordinal), "\"failures\":\\[.*?\\]", "\"failures\":[]"))),
        ["a decision that nobody took"] = (
            "APD-XSR-902 is NOT_APPLICABLE, but the engagement does not leave it out",
            DecideAlone),
        ["another decision"] = (
            "APD-XSR-903 not_applicable approved_by is N. Nobody, but R. Reviewer follows",
            f => f.Control(903)["not_applicable"]!["approved_by"] = "N. Nobody"),
        ["another value of a parameter"] = (
            "APD-XSR-901 parameters level value is 5, but 1 follows",
            f => f.Control(901)["parameters"]![0]!["value"] = 5),
        ["a note that is left out"] = (
            "APD-XSR-901 notes",
            f => f.Control(901)["notes"] = new JsonArray("nothing")),
        ["another title"] = ("APD-XSR-901 title is Better, but Approved follows", f => f.Control(901)["title"] = "Better"),
        ["another moment"] = (
            "parameters as_of is 2026-11-17T00:00:00Z, but 2026-11-16T00:00:00Z follows",
            f => f.Parameters["as_of"] = "2026-11-17T00:00:00Z"),
        ["a register's row that is left out"] = (
            "APD-XSR-905 registers owners unmatched ghost no account has this name is missing",
            f => f.Register("owners")["unmatched"]!.AsArray().RemoveAt(0)),
        ["a register's row that is invented"] = (
            "APD-XSR-905 registers owners unmatched passes no account has this name is there, which does not follow",
            f => f.Register("owners")["unmatched"]!.AsArray().Add(new JsonObject { ["row"] = "passes", ["why"] = "no account has this name" })),
        ["a register's row with another reason"] = (
            "APD-XSR-905 registers owners unmatched ghost all is well is there",
            f => f.Register("owners")["unmatched"]![0]!["why"] = "all is well"),
        ["a register that is called unread"] = (
            "APD-XSR-905 registers owners",
            f => HideRegister(f, "accounts was not read completely")),
        ["a register that is called read"] = (
            "APD-XSR-905 registers broken unknown is missing",
            f => f.Register("broken").AsObject().Remove("unknown")),
        ["a register that is left out"] = (
            "APD-XSR-905 registers owners",
            f => f.Control(905)["registers"]!.AsArray().RemoveAt(1)),
        ["a stricter conclusion by evidence that the test does not read"] = (
            "APD-XSR-904 tests T2 conclusion is INCONCLUSIVE, but PASS follows",
            f => f.Test(904, "T2")["conclusion"] = "INCONCLUSIVE"),
        ["a stricter conclusion by a check of another test"] = (
            "APD-XSR-905 tests T1 completeness as many owners as stated is there, which does not follow",
            FailCheckOfAnother),
        ["an untested control that has a result"] = (
            "it lists APD-XSR-902 as not tested (not selected by --control), but it has a result",
            f => f.ListUntested("APD-XSR-902", "not selected by --control")),
        ["an untested control for no reason of a run"] = (
            "it lists APD-XSR-907 as not tested (it was late), but that is no reason for which a run leaves a control out",
            f => f.ListUntested("APD-XSR-907", "it was late")),
        ["an untested control whose input is there"] = (
            "it lists APD-XSR-906 as not tested (the engagement supplies no input 'accounts' (evidence 'absent')), but the engagement supplies that input",
            f => f.NotTested[0]!["reason"] = "the engagement supplies no input 'accounts' (evidence 'absent')"),
        ["an untested control of a target that nobody left out"] = (
            "it lists APD-XSR-906 as not tested (every target of source aws is left out by --target), but no such target was left out",
            f => f.NotTested[0]!["reason"] = "every target of source aws is left out by --target"),
        ["an untested control that a decision leaves out"] = (
            "it lists APD-XSR-903 as not tested (retired), but the engagement leaves it out by a decision",
            f => ListInstead(f, "retired")),
        ["an untested control twice"] = (
            "but the control is listed several times",
            f => f.NotTested.Add(f.NotTested[0]!.DeepClone())),
        ["an untested target that the engagement does not have"] = (
            "it lists prod as not tested (target left out by --target), but it is neither a target of the engagement nor a control",
            f => f.ListUntested("prod", "target left out by --target")),
        ["a decided control that is nowhere"] = (
            "it does not list APD-XSR-903 as not tested, but the engagement names the control, and it has no result",
            f => f.Controls.Remove(f.Control(903))),
        ["older rules"] = (
            "run.json states no evaluation, as those of evaluation 1, but data/results/results.json has schema 2",
            f => f.Replace("data/run.json", "\"evaluation\":2,", "")),
        ["newer rules"] = (
            "data/run.json says that the bundle was evaluated under rules 3, and this version knows those up to 2",
            f => f.Replace("data/run.json", "\"evaluation\":2,", "\"evaluation\":3,")),
        ["rules that no version wrote"] = (
            "run.json states evaluation 1, which no version wrote",
            f => f.Replace("data/run.json", "\"evaluation\":2,", "\"evaluation\":1,")),
        ["another preparer"] = (
            "run.json does not agree with data/engagement.yaml: its preparer is E. Else, and the engagement says A. Preparer",
            f => f.Replace("data/run.json", "A. Preparer", "E. Else")),
        ["another engagement"] = (
            "data/engagement.yaml is not the file that was run: its sha256 is ",
            f => f.Replace("data/engagement.yaml", "No such accounts.", "None of those.")),
    };

    public static TheoryData<string> Forgeries => [.. Forged.Keys];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task An_edit_that_the_bundle_contradicts_is_refused_in_words_that_name_it(string forgery)
    {
        var forged = Edited(forgery);
        var refused = await Assert.ThrowsAsync<InvalidDataException>(
            () => OpenedBundle.OpenWholeAsync(forged.Bundle, AuditCommand.Host(_folder.Path), verified: null, CancellationToken.None));
        Assert.True(refused.Message.Contains(Forged[forgery].Said, StringComparison.Ordinal), refused.Message);
    }

    [Fact]
    public async Task What_was_not_edited_is_opened()
    {
        var opened = await OpenedBundle.OpenWholeAsync(run.Bundle, AuditCommand.Host(_folder.Path), verified: null, CancellationToken.None);
        Assert.Equal(
            ["FAIL", "INCONCLUSIVE", "NOT_APPLICABLE", "INCONCLUSIVE", "INCONCLUSIVE"],
            opened.Results.Controls.Select(c => AuditCli.Reports.Wording.Name(c.Conclusion)));
        Assert.Equal(["APD-XSR-906"], opened.Results.NotTested.Select(n => n.Id));
        Assert.Equal(
            ["broken: broken was not read completely", "owners: ghost, left"],
            opened.Results.Controls.Single(c => c.Id == "APD-XSR-905").Registers!.Value
                .Select(r => $"{r.Evidence}: {r.Unknown ?? string.Join(", ", r.Unmatched.Select(u => u.Row))}"));
    }

    /// <summary>A limit that a run reached may not be reached again, as with a test that is ERROR; the results say that the rows are not known.</summary>
    [Fact]
    public async Task A_register_that_a_limit_of_the_run_ended_is_opened()
    {
        var forged = new ForgedResults(run.Bundle, _folder.Path);
        HideRegister(forged, "stopped after 300 s, the time limit");
        forged.Seal();
        var opened = await OpenedBundle.OpenWholeAsync(forged.Bundle, AuditCommand.Host(_folder.Path), verified: null, CancellationToken.None);
        Assert.Contains(opened.Results.Controls.Single(c => c.Id == "APD-XSR-905").Registers!.Value, r => r.Unknown == "stopped after 300 s, the time limit");
    }

    [Theory]
    [InlineData("show BUNDLE")]
    [InlineData("show BUNDLE APD-XSR-901")]
    [InlineData("query BUNDLE \"FROM results.tests\"")]
    [InlineData("coverage BUNDLE")]
    [InlineData("report BUNDLE --allow-unsigned --format md")]
    [InlineData("diff BUNDLE BUNDLE --allow-unsigned")]
    public async Task No_command_prints_an_edited_row(string command)
    {
        var forged = Edited("a failure that is called a pass");
        var result = await AuditCommand.RunAsync(
            _folder.Path, [.. command.Replace("\"FROM results.tests\"", "SQL", StringComparison.Ordinal).Split(' ')
                .Select(w => w == "BUNDLE" ? forged.Bundle : w == "SQL" ? "FROM results.tests" : w)]);
        Assert.True(result.ExitCode != 0 && result.Output.Length == 0, result.ToString());
        Assert.Contains("its pass is false, but its verdict is pass", result.Error, StringComparison.Ordinal);
        Assert.Contains("auditcli reperform", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reperform_names_every_edit()
    {
        var forged = new ForgedResults(run.Bundle, _folder.Path);
        string[] edits =
        [
            "a failure that is called a pass", "another exception's id", "fewer exceptions of the control", "an expired approval that is hidden",
            "sides that differ and agree", "a limitation that is left out", "a test that is left out", "another decision",
            "another value of a parameter", "a note that is left out", "another title", "another moment", "another preparer",
        ];
        foreach (var edit in edits)
            Forged[edit].Edit(forged);
        forged.Seal();
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", forged.Bundle, "--allow-unsigned");
        Assert.True(result.ExitCode == 2, result.ToString());
        string[] named =
        [
            "passes: pass false -> true", "APD-XSR-901/X/000000000001", "deviations 0 -> 1", "waivers expired", "completeness two counts agree true -> false",
            "limitations broken", "tests T2", "not_applicable approved_by N. Nobody", "parameters level value 5 -> 1", "notes", "title Better -> Approved",
            "as_of 2026-11-17", "preparer E. Else",
        ];
        Assert.All(named, n => Assert.Contains(n, result.Output, StringComparison.Ordinal));
    }

    private static void ApproveUnasked(ForgedResults f)
    {
        Approve(f, "fails", "R. Reviewer");
        f.Count(901, "deviations", 0);
        f.Count(901, "approved", 2);
        f.Conclude(901, "PASS");
    }

    private static void LeaveOutApproval(ForgedResults f)
    {
        f.Row(901, "waived", l => l[..l.IndexOf(",\"waiver\"", StringComparison.Ordinal)]
            .Replace("\"verdict\":\"approved\"", "\"verdict\":\"deviation\"", StringComparison.Ordinal) + ",\"attributes\":{}}");
        f.Count(901, "deviations", 2);
        f.Count(901, "approved", 0);
    }

    private static void RepeatItem(ForgedResults f)
    {
        f.Row(901, "passes", l => $"{l}\n{l}");
        f.Test(901)["population"] = 4;
        f.Control(901)["population"] = 5;
    }

    private static void LeaveOutLimitation(ForgedResults f)
    {
        f.Control(904)["limitations"] = new JsonArray();
        f.Conclude(904, "PASS");
    }

    private static void LeaveOutCheckOfOneTest(ForgedResults f)
    {
        f.Test(901, "T2")["completeness"]![0]!["right"] = "4";
        f.Test(901, "T2")["completeness"]![0]!["agree"] = false;
        f.Test(901, "T2")["conclusion"] = "INCONCLUSIVE";
        f.Test(901)["completeness"] = new JsonArray();
        Pass(f);
    }

    private static void HideRegister(ForgedResults f, string why)
    {
        f.Register("owners")["unmatched"] = new JsonArray();
        f.Register("owners")["unknown"] = why;
    }

    private static void FailCheckOfAnother(ForgedResults f)
    {
        f.Test(905)["completeness"] = f.Test(905, "T2")["completeness"]!.DeepClone();
        f.Test(905)["conclusion"] = "INCONCLUSIVE";
    }

    private static void ListInstead(ForgedResults f, string reason)
    {
        f.Controls.Remove(f.Control(903));
        f.ListUntested("APD-XSR-903", reason);
    }

    private static void LeaveOutControl(ForgedResults f)
    {
        f.Index("APD-XSR-902", l => l.Replace("{\"control\":\"APD-XSR-902\",\"name\":\"broken\"},", "", StringComparison.Ordinal));
        f.Controls.Remove(f.Control(902));
    }

    private static void DecideAlone(ForgedResults f)
    {
        foreach (var count in new[] { "population", "deviations", "approved", "undetermined", "indicated" })
            f.Control(902)[count] = 0;
        f.Control(902)["conclusion"] = "NOT_APPLICABLE";
        f.Control(902)["tests"] = new JsonArray();
        f.Control(902)["not_applicable"] = f.Control(903)["not_applicable"]!.DeepClone();
    }

    private ForgedResults Edited(string forgery)
    {
        var forged = new ForgedResults(run.Bundle, _folder.Path);
        Forged[forgery].Edit(forged);
        forged.Seal();
        return forged;
    }

    private static void Approve(ForgedResults forged, string item, string by) => forged.Row(901, item, l => l
        .Replace("\"verdict\":\"deviation\"", "\"verdict\":\"approved\"", StringComparison.Ordinal)
        .Replace(
            ",\"attributes\"",
            $",\"waiver\":{{\"approved_by\":\"{by}\",\"approved_on\":\"2026-09-01\",\"expires\":\"2026-12-31\",\"reason\":\"agreed\"}},\"attributes\"",
            StringComparison.Ordinal));

    /// <summary>Makes the first test pass by its counts and rows.</summary>
    private static void Pass(ForgedResults forged)
    {
        forged.Row(901, "fails", l => l[..l.IndexOf(",\"exception_id\"", StringComparison.Ordinal)]
            .Replace("\"pass\":false,\"verdict\":\"deviation\"", "\"pass\":true,\"verdict\":\"pass\"", StringComparison.Ordinal) + ",\"attributes\":{}}");
        forged.Count(901, "deviations", 0);
        forged.Test(901)["conclusion"] = "PASS";
        forged.Control(901)["conclusion"] = "INCONCLUSIVE";
    }
}
