using System.Globalization;
using AuditCli.Controls;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>
/// Writes the sheets about evidence: completeness checks (information produced by the entity, IPE), inputs from management, and evidence
/// items.
/// </summary>
internal static class EvidenceSheets
{
    public static SheetForm IpeForm { get; } = new([14, 8, 14, 20, 74, 16, 16, 14, 40], 1);

    public static SheetForm InputForm { get; } = new([26, 32, 14, 44, 13, 11, 26, 26, 68, 22, 80], 1);

    public static SheetForm EvidenceForm { get; } = new([40, 52, 12, 20, 14, 34, 32, 12, 26, 40, 8, 10, 68, 46, 24, 24, 12, 54, 44, 22], 1);

    public static void WriteIpe(SheetWriter sheet, Workpaper workpaper)
    {
        sheet.Row(WorkbookReport.Header("control", "test", "target", "account", "completeness check", "counted", "expected", "agree?", "why not"));
        foreach (var control in workpaper.Controls)
        {
            foreach (var test in control.Partitions)
            {
                foreach (var check in test.Completeness)
                {
                    sheet.Row(
                        SheetCell.Of(control.Result.Id),
                        SheetCell.Of(test.Id),
                        SheetCell.Of(test.Partition.Target),
                        SheetCell.Of(test.Partition.Account),
                        SheetCell.Of(check.Name, CellStyle.Wrapped),
                        Side(check.Left),
                        Side(check.Right),
                        SheetCell.Of(check.Agree ? "agree" : "DO NOT AGREE", check.Agree ? CellStyle.Good : CellStyle.Bad),
                        SheetCell.Of(check.Error, CellStyle.Wrapped));
                }
            }
            if (control.Definition?.NoCompleteness is { } why)
            {
                sheet.Row(
                    SheetCell.Of(control.Result.Id),
                    SheetCell.Of(""),
                    SheetCell.Of(""),
                    SheetCell.Of(""),
                    SheetCell.Of($"none: {why}", CellStyle.Wrapped));
            }
        }
        sheet.FilterFrom(1, 9);
    }

    public static void WriteInputs(SheetWriter sheet, Workpaper workpaper)
    {
        sheet.Row(WorkbookReport.Header(
            "input", "obtained from", "obtained on", "how", "stated rows", "rows read", "agree?", "report parameters", "SHA-256 of the rows",
            "obtained by", "receipt"));
        foreach (var input in workpaper.Run.Inputs)
        {
            var stating = workpaper.Engagement?.Inputs.FirstOrDefault(i => i.Name == input.Name);
            var read = workpaper.Evidence.Where(e => e.Source == EvidenceNeed.FileSource && e.Operation == input.Name).ToArray();
            var (word, style) = input.Tested == false ? ("attached, not tested", CellStyle.Doubtful)
                : input.StatedRows is not { } stated ? ("no number was stated", CellStyle.Doubtful)
                : read.Length > 0 && read.All(e => e.Items == stated) ? ("agree", CellStyle.Good)
                : ("DO NOT AGREE", CellStyle.Bad);
            sheet.Row(
                SheetCell.Of(input.Name),
                SheetCell.Of(input.ObtainedFrom, CellStyle.Wrapped),
                SheetCell.Of(input.ObtainedOn),
                SheetCell.Of(input.How, CellStyle.Wrapped),
                input.StatedRows is { } n ? SheetCell.Of(n) : SheetCell.Of(null),
                read is [var first, ..] ? SheetCell.Of(first.Items) : SheetCell.Of("not read", CellStyle.Doubtful),
                SheetCell.Of(word, style),
                SheetCell.Of(input.ReportParameters, CellStyle.Wrapped),
                SheetCell.Of(read.FirstOrDefault()?.TableSha256?.Hex, CellStyle.Code),
                SheetCell.Of(stating?.ObtainedBy ?? RelianceWords.NotStated),
                SheetCell.Of(RelianceWords.Receipt(stating), CellStyle.Wrapped));
        }
        sheet.FilterFrom(1, 11);
    }

    public static void WriteEvidence(SheetWriter sheet, Workpaper workpaper, CancellationToken cancellationToken)
    {
        sheet.Row(WorkbookReport.Header(
            "used by", "evidence id", "target", "account", "region", "operation", "parameters", "outcome", "code", "message", "pages", "rows",
            "SHA-256 of the rows", "read as", "started", "finished", "exchanges", "first record id", "file", "obtained by"));
        var all = 0L;
        foreach (var item in workpaper.Evidence)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (++all >= SheetWriter.MaxRows - 1)
                continue;
            var style = item.Outcome == CollectionOutcome.Complete ? CellStyle.Good : CellStyle.Bad;
            sheet.Row(
                SheetCell.Of(item.Names.IsEmpty ? "the run itself" : string.Join(", ", item.Names.Select(n => $"{n.Control}.{n.Name}")), CellStyle.Wrapped),
                SheetCell.Of(item.EvidenceId, CellStyle.Code),
                SheetCell.Of(item.Target),
                SheetCell.Of(item.Account),
                SheetCell.Of(item.Region),
                SheetCell.Of($"{item.Source} {item.Operation}"),
                SheetCell.Of(Parameters(item), CellStyle.Code),
                SheetCell.Of(item.Outcome.ToString().ToLowerInvariant(), style),
                SheetCell.Of(item.Code),
                SheetCell.Of(item.Message, CellStyle.Wrapped),
                SheetCell.Of(item.Pages),
                SheetCell.Of(item.Items),
                SheetCell.Of(item.TableSha256?.Hex, CellStyle.Code),
                SheetCell.Of(item.Identity),
                SheetCell.Of(Rfc3339.Format(item.Started)),
                SheetCell.Of(Rfc3339.Format(item.Finished)),
                !item.IsPerParent ? SheetCell.Of(item.Exchanges.Length) : SheetCell.Of("per row"),
                SheetCell.Of(item.Calls is null ? item.Exchanges.FirstOrDefault()?.RecordId : item.Calls, CellStyle.Code),
                SheetCell.Of(item.Exchanges.FirstOrDefault()?.File, CellStyle.Code),
                SheetCell.Of(workpaper.ObtainedBy(item)));
        }
        if (all >= SheetWriter.MaxRows - 1)
            WorkbookReport.CutOff(sheet, SheetWriter.MaxRows - 2, all, BundleLayout.EvidenceIndex);
        sheet.FilterFrom(1, 20);
    }

    /// <summary>Returns the parameters of the request as <c>name=value</c>.</summary>
    public static string Parameters(EvidenceItem item) =>
        string.Join(
            " ", item.Parameters.Select(p => $"{p.Key}={JsonMember.TextOrRaw(p.Value)}"));

    private static SheetCell Side(string? value) => value is null ? SheetCell.Of("unknown", CellStyle.Doubtful)
        : long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < 1L << 53
            ? SheetCell.Of(number)
        : SheetCell.Of(value);
}
