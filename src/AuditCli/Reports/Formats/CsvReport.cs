using System.Globalization;
using System.Text;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats;

/// <summary>
/// Writes one CSV table (RFC 4180, UTF-8) of the whole workpaper: identification, scope notes, controls, and each item of each population.
/// The column <c>record</c> tells the kinds of lines apart.
/// </summary>
/// <remarks>A text that a spreadsheet would evaluate as a formula gets a leading apostrophe. Numbers and JSON are unchanged.</remarks>
internal sealed class CsvReport : IReportFormat
{
    private static readonly string[] Header =
    [
        "record", "control", "test", "target", "account", "item", "result", "exception_id", "reason",
        "population", "unit", "exceptions", "approved", "undetermined", "indicated", "approval", "attributes", "source", "line", "mode",
    ];

    public string Name => "csv";

    public string FileName => "results.csv";

    public bool IsText => true;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        using var text = new StreamWriter(output, new UTF8Encoding(false), bufferSize: 64 * 1024, leaveOpen: true);
        Line(text, Header);
        if (workpaper.Run.ReplayLine is { } replay)
            Record(text, "replay", reason: replay);
        foreach (var (label, value) in workpaper.Identification)
            Record(text, "bundle", item: label, reason: value);
        foreach (var note in workpaper.Notes)
            Record(text, "scope", item: note.Kind, reason: note.Text);
        foreach (var control in workpaper.Controls)
            WriteControl(text, workpaper.Bundle, control);
        foreach (var control in workpaper.Controls)
        {
            foreach (var test in control.Tests)
            {
                foreach (var row in workpaper.Bundle.Rows(control.Result.Id, test))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Line(text,
                    [
                        "item", control.Result.Id, test, row.Target, row.Account, row.Item, row.Result, row.ExceptionId ?? "", row.Reason ?? "",
                        "", "", "", "", "", "", row.ApprovalWords, Encoding.UTF8.GetString(row.Attributes.Span),
                        row.File, Number(row.Line), Mode(control, test),
                    ]);
                }
            }
        }
    }

    private static void WriteControl(TextWriter text, OpenedBundle bundle, WorkpaperControl control)
    {
        var (result, counts) = (control.Result, control.Counts);
        Line(text,
        [
            "control", result.Id, "", "", "", result.Title, control.Conclusion, "", string.Join("\n", control.Reasons),
            result.Population is { } all ? Number(all) : "", result.Population is null || counts.Tests.IsEmpty ? "" : counts.Tests[0].Count.Unit,
            Number(counts.Exceptions), Number(counts.Approved), Number(counts.Undetermined), Number(counts.Indicated),
            "", control.TableRowsLine, control.Origin, "", "",
        ]);
        foreach (var remark in ControlReasons.Remarks(result))
            Line(text, ["remark", result.Id, "", "", "", "", "", "", remark, "", "", "", "", "", "", "", "", "", "", ""]);
        foreach (var test in control.Partitions)
        {
            Line(text,
            [
                "test", result.Id, test.Id, test.Partition.Target, test.Partition.Account,
                control.Test(test.Id)?.Title ?? "", Wording.Name(test.Conclusion), "",
                string.Join(
                    "\n",
                    test.Completeness.Select(c =>
                        $"{(c.Agree ? "agree" : "DO NOT AGREE")}: {c.Name}: {c.Left ?? "unknown"} against {c.Right ?? "unknown"}")),
                Number(test.Population), ItemCount.Of(test).Unit,
                Number(test.Deviations), Number(test.Approved), Number(test.Undetermined), Number(test.Indicated),
                "", "", bundle.RowsFileOf(result.Id, test.Id), "", Mode(control, test.Id),
            ]);
        }
    }

    private static void Record(TextWriter text, string record, string item = "", string reason = "") =>
        Line(text, [record, "", "", "", "", item, "", "", reason, "", "", "", "", "", "", "", "", "", "", ""]);

    private static string Mode(WorkpaperControl control, string test) => ControlWords.Of(ControlWords.Modes, control.ModeOf(test));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Line(TextWriter text, ReadOnlySpan<string> cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            if (i > 0)
                text.Write(',');
            text.Write(Csv.Cell(Terminal.Of(cells[i])));
        }
        text.Write("\r\n");
    }
}
