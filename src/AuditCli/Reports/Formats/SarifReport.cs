using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats;

/// <summary>
/// Writes SARIF 2.1.0 (OASIS): a rule per control, a result per exception, and one per control without exceptions. Exception ids are
/// fingerprints, approvals are suppressions, and scope notes are notifications.
/// </summary>
internal sealed class SarifReport : IReportFormat
{
    /// <summary>The maximum number of results per control; SARIF consumers accept some thousands.</summary>
    private const int ExceptionsShown = 5000;
    private const int TextShown = 2000;
    private const string Base = "BUNDLE";

    public string Name => "sarif";

    public string FileName => "results.sarif";

    public bool IsText => true;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        json.WriteString("version", "2.1.0");
        json.WriteStartArray("runs");
        json.WriteStartObject();
        json.WriteStartObject("automationDetails");
        Text(json, "id", $"auditcli/{workpaper.Run.BundleId}");
        Message(json, "description", workpaper.Run.ReplayLine is { } replay ? $"{replay}: {workpaper.Title}" : workpaper.Title);
        json.WriteEndObject();
        WriteTool(json, workpaper);
        json.WriteStartObject("originalUriBaseIds");
        json.WriteStartObject(Base);
        Message(json, "description", "The bundle's folder.");
        json.WriteEndObject();
        json.WriteEndObject();
        WriteInvocation(json, workpaper);
        json.WriteStartArray("results");
        for (var i = 0; i < workpaper.Controls.Length; i++)
            WriteControl(json, workpaper, workpaper.Controls[i], i, cancellationToken);
        json.WriteEndArray();
        json.WriteStartObject("properties");
        foreach (var (label, value) in workpaper.Identification)
            Text(json, label, value);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
    }

    private static void WriteTool(Utf8JsonWriter json, Workpaper workpaper)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        Text(json, "name", workpaper.Run.Tool.Name);
        Text(json, "version", workpaper.Run.Tool.Version);
        json.WriteStartArray("rules");
        foreach (var control in workpaper.Controls)
        {
            json.WriteStartObject();
            Text(json, "id", control.Result.Id);
            Message(json, "shortDescription", control.Result.Title);
            Message(json, "fullDescription", control.Definition?.Objective ?? control.WhyNoDefinition!);
            Message(json, "help", control.Definition?.Recommendation ?? "The control's file cannot be read.");
            json.WriteStartObject("properties");
            Text(json, "domain", Wording.Name(control.Result.Domain));
            Text(json, "version", control.Result.Version);
            Text(json, "origin", control.Origin);
            Text(json, "conclusion", control.Conclusion);
            Text(json, "population", control.Counts.PopulationWords);
            json.WriteNumber("exceptions", control.Counts.Exceptions);
            json.WriteNumber("approved", control.Counts.Approved);
            json.WriteStartObject("tests");
            foreach (var (test, count) in control.Counts.Tests)
                Text(json, test, count.Words);
            json.WriteEndObject();
            Text(json, "evidenceRows", control.TableRowsLine);
            Text(json, "holdsFor", workpaper.SpanOf(control));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteInvocation(Utf8JsonWriter json, Workpaper workpaper)
    {
        json.WriteStartArray("invocations");
        json.WriteStartObject();
        json.WriteBoolean("executionSuccessful", true);
        json.WriteString("startTimeUtc", workpaper.Run.Started);
        json.WriteString("endTimeUtc", workpaper.Run.Finished);
        Text(json, "account", workpaper.Run.RunBy.User);
        Text(json, "machine", workpaper.Run.RunBy.Machine);
        json.WriteStartArray("toolConfigurationNotifications");
        if (workpaper.Run.ReplayLine is { } replay)
            Notification(json, "warning", replay);
        foreach (var note in workpaper.Notes)
            Notification(json, note.Narrows ? "warning" : "note", note.Text);
        foreach (var result in workpaper.Results.Controls)
        {
            foreach (var limitation in result.Limitations)
                Notification(json, "warning", $"{result.Id}: {ControlReasons.Limitation(limitation)}");
            foreach (var remark in ControlReasons.Remarks(result))
                Notification(json, "note", $"{result.Id}: {remark}");
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteControl(Utf8JsonWriter json, Workpaper workpaper, WorkpaperControl control, int rule, CancellationToken cancellationToken)
    {
        var all = 0L;
        foreach (var test in control.Tests)
        {
            foreach (var row in workpaper.Bundle.Rows(control.Result.Id, test))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (row.Verdict != ItemVerdict.Pass && ++all <= ExceptionsShown)
                    WriteException(json, control, rule, row);
            }
        }
        if (all == 0 || control.Result.Conclusion is not (Conclusion.Fail or Conclusion.Pass) || all > ExceptionsShown)
            WriteConclusion(json, control, rule, all);
    }

    private static void WriteException(Utf8JsonWriter json, WorkpaperControl control, int rule, PopulationRow row)
    {
        var (kind, level) = row.Verdict switch
        {
            ItemVerdict.Deviation or ItemVerdict.Approved => ("fail", "error"),
            ItemVerdict.Indicated => ("fail", "warning"),
            _ => ("open", "none"),
        };
        json.WriteStartObject();
        Start(json, control, rule, kind, level);
        Message(json, "message", $"{row.Item}: {row.Result}{(row.Reason is { } reason ? $", {reason}" : "")}"
            + $"{(control.SaidOf(row) is { } said ? $"; {said}" : "")}");
        json.WriteStartArray("locations");
        json.WriteStartObject();
        json.WriteStartObject("physicalLocation");
        json.WriteStartObject("artifactLocation");
        Text(json, "uri", row.File);
        json.WriteString("uriBaseId", Base);
        json.WriteEndObject();
        json.WriteStartObject("region");
        json.WriteNumber("startLine", row.Line);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("logicalLocations");
        json.WriteStartObject();
        Text(json, "name", row.Item);
        Text(json, "fullyQualifiedName", $"{row.Target}/{row.Account}/{row.Item}");
        json.WriteString("kind", "resource");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        if (row.ExceptionId is { } id)
        {
            json.WriteStartObject("partialFingerprints");
            Text(json, "exceptionId/v1", id);
            json.WriteEndObject();
        }
        if (row.Approval is not null)
        {
            json.WriteStartArray("suppressions");
            json.WriteStartObject();
            json.WriteString("kind", "external");
            json.WriteString("status", "accepted");
            Text(json, "justification", row.ApprovalWords);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Writes the conclusion of a control as a result, if its exceptions do not show it.</summary>
    private static void WriteConclusion(Utf8JsonWriter json, WorkpaperControl control, int rule, long exceptions)
    {
        var (kind, level) = control.Result.Conclusion switch
        {
            Conclusion.Fail => ("fail", "error"),
            Conclusion.Error => ("open", "none"),
            Conclusion.Inconclusive => ("open", "none"),
            Conclusion.NeedsReview => ("review", "none"),
            Conclusion.NotApplicable => ("notApplicable", "none"),
            Conclusion.NoOccurrence => ("informational", "none"),
            _ => ("pass", "none"),
        };
        string[] words =
        [
            $"{control.Conclusion}: {control.Meaning}",
            .. control.Reasons,
            .. control.Answered,
            .. exceptions > ExceptionsShown
                ? [$"{ExceptionsShown} of {exceptions} exceptions are given; {BundleLayout.ResultsFolder} has them all"]
                : Array.Empty<string>(),
        ];
        json.WriteStartObject();
        Start(json, control, rule, kind, level);
        Message(json, "message", string.Join("\n", words));
        json.WriteEndObject();
    }

    private static void Start(Utf8JsonWriter json, WorkpaperControl control, int rule, string kind, string level)
    {
        Text(json, "ruleId", control.Result.Id);
        json.WriteNumber("ruleIndex", rule);
        json.WriteString("kind", kind);
        json.WriteString("level", level);
    }

    private static void Notification(Utf8JsonWriter json, string level, string text)
    {
        json.WriteStartObject();
        json.WriteString("level", level);
        Message(json, "message", text);
        json.WriteEndObject();
    }

    private static void Message(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject(name);
        Text(json, "text", text);
        json.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter json, string name, string value) => json.WriteString(name, Terminal.Of(value, TextShown));
}
