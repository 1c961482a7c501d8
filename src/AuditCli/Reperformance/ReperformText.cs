using System.Text.Json.Nodes;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;
using AuditCli.Reports;
using AuditCli.Text;

namespace AuditCli.Reperformance;

/// <summary>Formats the result of <c>reperform</c>: a line per question, then every difference.</summary>
internal static class ReperformText
{
    public static void Write(TextWriter output, Reperformed done)
    {
        WriteVerification(output, done.Verification);
        if (done.Done is not { } compared)
        {
            Line(output, "tables", "NOT COMPARED", done.NotCompared!);
            Line(output, "results", "NOT COMPARED", "");
            Line(output, "reports", "NOT COMPARED", "");
            Line(output, "record", "NOT COMPARED", "");
            return;
        }
        Line(
            output,
            "tables",
            Answer(compared.Tables),
            $"{Wording.Count(compared.Evidence.Items, "evidence item")} with {Wording.Count(compared.Evidence.Rows, "row")}, rebuilt from the exchanges");
        Line(
            output,
            "results",
            Answer(compared.Results),
            $"{Wording.Count(compared.Controls, "control")} with {Wording.Count(compared.Items, "item")}, evaluated again");
        Line(output, "reports", ReportAnswer(compared), $"{Wording.Count(compared.ReportsCompared, "report")}, recreated from the bundle");
        Line(output, "record", Answer(compared.Record), "run.json, log and files, compared with the exchanges and the repeated run");
        WriteDifferences(output, compared.Tables);
        WriteDifferences(output, compared.Results);
        WriteDifferences(output, compared.Reports);
        WriteDifferences(output, compared.Record);
        foreach (var note in compared.Notes)
            output.WriteLine(PrintableText.Of($"note: {note}"));
        output.WriteLine(RecordComparison.NotDerived);
    }

    public static void Write(TextWriter output, ControlChanges changes)
    {
        WriteVerification(output, changes.Verification);
        foreach (var change in changes.Changes)
        {
            var versions = change.Before is { } b && b.Version != change.After.Version ? $", version {b.Version} -> {change.After.Version}" : "";
            var items = change.Before is null ? new ControlCounts(change.After).PopulationWords : $"{Wording.Count(change.Items, "item")} changed";
            output.WriteLine(PrintableText.Of(
                $"{change.Id}  {(change.Before is { } was ? Wording.Name(was.Conclusion) : "not in the bundle")} -> "
                + $"{Wording.Name(change.After.Conclusion)} ({items}{versions})"));
            foreach (var operation in change.NotRecorded)
                output.WriteLine(PrintableText.Of($"  {operation} was not called by the original run, so it is not recorded"));
            foreach (var parameter in ParametersThatDiffer(change))
                output.WriteLine(PrintableText.Of($"  {parameter}"));
        }
        WriteDifferences(output, changes.Items);
        output.WriteLine($"{Wording.Count(changes.Same, "control")} reach{(changes.Same == 1 ? "es" : "")} the same conclusion for the same items");
        foreach (var absent in changes.Absent)
            output.WriteLine(PrintableText.Of($"note: {absent} is in the bundle, but was not evaluated with these controls"));
    }

    public static string Json(Reperformed done) => new JsonObject
    {
        ["bundle_id"] = done.Verification.BundleId,
        ["exit_code"] = done.ExitCode,
        ["verification"] = VerificationJson(done.Verification),
        ["not_compared"] = done.NotCompared,
        ["tables"] = done.Done is { } t
            ? new JsonObject
            {
                ["answer"] = Answer(t.Tables),
                ["items"] = t.Evidence.Items,
                ["rows"] = t.Evidence.Rows,
                ["differences"] = DifferencesJson(t.Tables),
                ["difference_count"] = t.Tables.Count,
            }
            : null,
        ["results"] = done.Done is { } r
            ? new JsonObject
            {
                ["answer"] = Answer(r.Results),
                ["controls"] = r.Controls,
                ["items"] = r.Items,
                ["differences"] = DifferencesJson(r.Results),
                ["difference_count"] = r.Results.Count,
            }
            : null,
        ["reports"] = done.Done is { } p
            ? new JsonObject
            {
                ["answer"] = ReportAnswer(p),
                ["compared"] = p.ReportsCompared,
                ["differences"] = DifferencesJson(p.Reports),
                ["difference_count"] = p.Reports.Count,
            }
            : null,
        ["record"] = done.Done is { } c
            ? new JsonObject
            {
                ["answer"] = Answer(c.Record),
                ["differences"] = DifferencesJson(c.Record),
                ["difference_count"] = c.Record.Count,
            }
            : null,
        ["not_derived"] = RecordComparison.NotDerived,
        ["notes"] = new JsonArray([.. (done.Done?.Notes ?? []).Select(n => (JsonNode)n)]),
    }.ToJsonString(PrintedJson.Options);

    public static string Json(ControlChanges changes) => new JsonObject
    {
        ["bundle_id"] = changes.Verification.BundleId,
        ["exit_code"] = changes.ExitCode,
        ["verification"] = VerificationJson(changes.Verification),
        ["changes"] = new JsonArray([.. changes.Changes.Select(c => (JsonNode)new JsonObject
        {
            ["id"] = c.Id,
            ["before"] = c.Before is { } before ? Wording.Name(before.Conclusion) : null,
            ["after"] = Wording.Name(c.After.Conclusion),
            ["items_changed"] = c.Items,
            ["not_recorded"] = new JsonArray([.. c.NotRecorded.Select(o => (JsonNode)o)]),
            ["parameters"] = new JsonArray([.. ParametersThatDiffer(c).Select(p => (JsonNode)p)]),
        })]),
        ["items"] = DifferencesJson(changes.Items),
        ["item_count"] = changes.Items.Count,
        ["same"] = changes.Same,
        ["not_evaluated"] = new JsonArray([.. changes.Absent.Select(a => (JsonNode)a)]),
    }.ToJsonString(PrintedJson.Options);

    private static void WriteVerification(TextWriter output, VerifyReport report)
    {
        output.WriteLine($"bundle {report.BundleId ?? "with unknown id"}{(report.Mode == "replay" ? ", a REPLAY of recorded exchanges" : "")}");
        var worst = report.Problems.FirstOrDefault(p => p.Answer == VerifyAnswer.Fails) ?? report.Problems.FirstOrDefault();
        var more = report.ProblemCount > 1 ? $", and {report.ProblemCount - 1} more; see verify" : "";
        Line(output, "bundle", report.Answer == VerifyAnswer.Holds ? "verifies" : Wording.Name(report.Answer),
            worst is null ? report.Lines[0].Detail : $"{worst.Code} {worst.Path}: {worst.Message}{more}");
    }

    private static void WriteDifferences(TextWriter output, DifferenceList list)
    {
        foreach (var difference in list.Kept.Where(d => d.Rule is null))
        {
            Write(difference, "");
            if (difference.Cause is { } cause)
                output.WriteLine(PrintableText.Of($"  because {cause}"));
        }
        foreach (var of in list.Kept.Where(d => d.Rule is not null).GroupBy(d => d.Rule!))
        {
            output.WriteLine(PrintableText.Of($"rule {of.Key.Id}, since evaluation {of.Key.Since}: {of.Key.Says}"));
            foreach (var difference in of)
                Write(difference, "  ");
        }
        if (list.Count > list.Kept.Count)
            output.WriteLine($"and {list.Count - list.Kept.Count} more");

        void Write(Difference difference, string indent) => output.WriteLine(PrintableText.Of(
            $"{indent}{difference.Where}: {difference.What} {difference.Before ?? "nothing"} -> {difference.After ?? "nothing"}"));
    }

    private static IEnumerable<string> ParametersThatDiffer(ControlChange change) => change.Before is not { } before ? [] : before.Parameters
        .Select(p => (p.Name, Was: p.Value.GetRawText(), p.By, Now: change.After.Parameters.FirstOrDefault(n => n.Name == p.Name)?.Value.GetRawText()))
        .Where(p => p.Was != p.Now)
        .Select(p => $"parameter {p.Name} was {p.Was}{(p.By is { } by ? $", set by {by}," : "")} and is {p.Now ?? "no longer there"}");

    private static JsonObject VerificationJson(VerifyReport report) => new()
    {
        ["exit_code"] = ExitCode.Of(report),
        ["problem_count"] = report.ProblemCount,
        ["problems"] = new JsonArray(
            [.. report.Problems.Select(p => (JsonNode)new JsonObject { ["code"] = p.Code, ["path"] = p.Path, ["message"] = p.Message })]),
    };

    private static JsonArray DifferencesJson(DifferenceList list) => new([.. list.Kept.Select(d => (JsonNode)new JsonObject
    {
        ["where"] = d.Where,
        ["what"] = d.What,
        ["before"] = d.Before,
        ["after"] = d.After,
        ["cause"] = d.Cause,
        ["rule"] = d.Rule?.Id,
    })]);

    private static string ReportAnswer(Comparison compared) => compared.ReportsCompared == 0 ? "NOT COMPARED" : Answer(compared.Reports);

    private static string Answer(DifferenceList list) =>
        list.Count == 0 ? "identical"
        : list.Unexplained == 0 ? $"BY RULE ({list.Count})"
        : $"DIFFER ({list.Count})";

    private static void Line(TextWriter output, string question, string answer, string detail) =>
        output.WriteLine(PrintableText.Of($"{question,-9}{answer,-14}{detail}".TrimEnd()));
}
