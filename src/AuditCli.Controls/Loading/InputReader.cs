using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Loading;

/// <summary>Reads what an engagement says about the content of an input: where its rows are, and their totals.</summary>
internal static class InputReader
{
    /// <summary>Reads <c>sheet</c> and <c>rows</c>, which belong to one format each.</summary>
    /// <param name="file">The file's path; its extension is the format.</param>
    public static InputLayout Layout(MapReader reader, string file, FaultList faults)
    {
        var (sheet, rows) = (reader.OptionalText("sheet"), reader.OptionalText("rows"));
        var format = InputFormats.Of(file);
        if (sheet is not null && format != InputFormat.Workbook)
            faults.Meaning(reader.Map.Find("sheet")!.Position, "'sheet' is for .xlsx workbooks");
        if (rows is not null && !IsPointer(rows))
        {
            faults.Form(
                reader.Map.Find("rows")!.Position,
                "'rows' must be a JSON Pointer with at least one '*', which is each element or member, such as /items/*; write '~1' for '/' in a name");
        }
        else if (rows is not null && format != InputFormat.Json)
        {
            faults.Meaning(reader.Map.Find("rows")!.Position, format == InputFormat.Ndjson
                ? "each line of the file is a row, so leave 'rows' out"
                : "'rows' is for .json files");
        }
        return new(sheet, rows);
    }

    /// <summary>Reads <c>stated_totals</c>.</summary>
    public static ImmutableSortedDictionary<string, string> Totals(MapReader reader, FaultList faults)
    {
        var totals = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (column, value) in reader.OptionalEntries("stated_totals", TextForm.FileColumn))
        {
            if (value is YamlScalar { Text: var total } && IsTotal(total))
                totals[column.Text] = total;
            else
                faults.Form(value.Position, $"the total of '{column.Text}' must be a plain decimal such as 45000.15, with at most 38 digits after the point");
        }
        return totals.Count == 0 ? ImmutableSortedDictionary<string, string>.Empty : totals.ToImmutable();
    }

    /// <summary>Whether a text is the sum of a column of any type: a plain decimal of any number of digits before the point.</summary>
    private static bool IsTotal(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var places = point < 0 ? "" : text[(point + 1)..];
        return ExactNumber.Whole(point < 0 ? text : text[..point]) is not null && places.Length <= ExactNumber.DecimalDigits
            && places.All(char.IsAsciiDigit) && (places.Length > 0) == (point >= 0);
    }

    private static bool IsPointer(string rows)
    {
        var segments = rows.Split('/');
        return segments is ["", _, ..] && segments.Contains("*")
            && segments.All(s => !s.Replace("~0", "", StringComparison.Ordinal).Replace("~1", "", StringComparison.Ordinal).Contains('~'));
    }
}
