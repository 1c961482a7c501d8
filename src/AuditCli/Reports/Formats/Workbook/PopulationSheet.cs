using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Workbook;

/// <summary>Writes a control's whole population, one row per item and test, with the columns that its tests show.</summary>
internal sealed class PopulationSheet
{
    private const int MostAttributes = 40;
    private const double AttributeWidth = 24;
    private static readonly ImmutableArray<string> Fixed =
        ["test", "target", "account", "item", "result", "reason", "exception", "approval", "line"];

    private readonly Workpaper _workpaper;
    private readonly WorkpaperControl _control;
    private readonly ImmutableArray<string> _attributes;
    private readonly Dictionary<string, int> _places;

    private PopulationSheet(Workpaper workpaper, WorkpaperControl control, ImmutableArray<string> attributes)
    {
        (_workpaper, _control, _attributes) = (workpaper, control, attributes);
        _places = attributes.Select((name, place) => (name, place)).ToDictionary(a => a.name, a => a.place, StringComparer.Ordinal);
    }

    public SheetForm Form => new([8, 14, 20, 56, 20, 44, 30, 36, 8, .. _attributes.Select(_ => AttributeWidth)], 2);

    /// <summary>
    /// Makes the sheet. Its attribute columns are those of each test's first item; every row of a test has the same attributes.
    /// </summary>
    public static PopulationSheet Of(Workpaper workpaper, WorkpaperControl control)
    {
        var attributes = control.Tests
            .SelectMany(t => workpaper.Bundle.Rows(control.Result.Id, t).Take(1).SelectMany(r => r.AttributeValues().Select(a => a.Key)))
            .Distinct(StringComparer.Ordinal).Take(MostAttributes);
        return new(workpaper, control, [.. attributes]);
    }

    public void Write(SheetWriter sheet, string controlSheet, CancellationToken cancellationToken)
    {
        var result = _control.Result;
        var title = SheetCell.Of($"{result.Id}: {_control.Counts.PopulationWords}; {_control.Tested}; {result.Title}", CellStyle.Label);
        sheet.Row([SheetCell.Of("back", CellStyle.Link), title, .. Enumerable.Repeat(SheetCell.Of(null, CellStyle.Label), 3)], 15);
        sheet.Merge(1, 4);
        sheet.Link(0, controlSheet, "back to the workpaper");
        sheet.Row(WorkbookReport.Header([.. Fixed, .. _attributes]));
        var cells = new SheetCell[Fixed.Length + _attributes.Length];
        var all = 0L;
        foreach (var test in _control.Tests)
        {
            foreach (var row in _workpaper.Bundle.Rows(result.Id, test))
            {
                cancellationToken.ThrowIfCancellationRequested();
                // Keep the last row for the message that there are more items.
                if (++all >= SheetWriter.MaxRows - 2)
                    continue;
                Fill(cells, test, row);
                sheet.Row(cells.AsSpan());
            }
        }
        if (all >= SheetWriter.MaxRows - 2)
            WorkbookReport.CutOff(sheet, SheetWriter.MaxRows - 3, all, BundleLayout.ResultsFolder);
        sheet.FilterFrom(2, cells.Length);
    }

    private void Fill(SheetCell[] cells, string test, PopulationRow row)
    {
        Array.Clear(cells);
        cells[0] = SheetCell.Of(test);
        cells[1] = SheetCell.Of(row.Target);
        cells[2] = SheetCell.Of(row.Account);
        cells[3] = SheetCell.Of(row.Item);
        cells[4] = SheetCell.Of(row.Result, WorkbookReport.StyleOf(row.Verdict));
        cells[5] = SheetCell.Of(row.Reason);
        cells[6] = SheetCell.Of(row.ExceptionId);
        cells[7] = SheetCell.Of(row.ApprovalWords);
        cells[8] = SheetCell.Of(row.Line);
        foreach (var (name, value) in row.AttributeValues())
        {
            if (_places.TryGetValue(name, out var place))
                cells[Fixed.Length + place] = Attribute(value);
        }
    }

    /// <summary>Returns a number if a spreadsheet can hold it exactly, otherwise text.</summary>
    private static SheetCell Attribute(AttributeValue value) =>
        value.Kind == JsonValueKind.Number && value.Text.Length <= 15
        && double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? new(null, number, number == Math.Floor(number) ? CellStyle.Number : CellStyle.Text)
            : SheetCell.Of(value.Text);
}
