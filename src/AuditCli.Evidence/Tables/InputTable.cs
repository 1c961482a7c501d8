using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace AuditCli.Evidence.Tables;

/// <summary>One record of an input as a row for <see cref="TableWriter"/>.</summary>
/// <param name="Number">The record's number, the header not counted, from 1.</param>
/// <param name="Line">The line on which it begins.</param>
/// <param name="Misfit">The first cell that does not fit its declared type; such cells are left out of the row.</param>
public sealed record InputRow(long Number, long Line, JsonElement Row, Misfit? Misfit);

/// <summary>
/// A file that management gave, seen through the columns that a control declares for it. Empty cells are absent; columns that
/// nobody declared are left out. Integers and decimals have no leading zeros (what has them is an identifier, and text); decimals
/// keep their digits; <c>true</c> and <c>false</c> may be in any case, as spreadsheets write them.
/// </summary>
public sealed class InputTable
{
    private readonly CsvReader _csv;
    private readonly ImmutableArray<(Column Column, int Field)> _columns;

    /// <exception cref="InvalidDataException">A declared column is not in the file; the message names it and lists what is.</exception>
    /// <exception cref="ArgumentException">A column is declared with a type that CSV does not have.</exception>
    public InputTable(CsvReader csv, ImmutableArray<Column> columns)
    {
        if (columns.FirstOrDefault(c => c.Type is ColumnType.Json or ColumnType.Double) is { } unknown)
            throw new ArgumentException($"'{unknown.Name}' cannot be {unknown.Type} in an input", nameof(columns));
        var missing = columns.Where(c => !csv.Header.Contains(c.Name)).Select(c => $"'{c.Name}'").ToList();
        if (missing.Count > 0)
        {
            throw new InvalidDataException(
                $"{csv.Name}:1: no column {string.Join(", ", missing)}; the header has {string.Join(", ", csv.Header.Select(h => $"'{h}'"))}");
        }
        _csv = csv;
        _columns = [.. columns.Select(c => (c, csv.Header.IndexOf(c.Name)))];
    }

    /// <summary>Every record as a row, in file order.</summary>
    /// <exception cref="InvalidDataException">As <see cref="CsvReader"/>.</exception>
    public IEnumerable<InputRow> Rows()
    {
        var text = new JsonText();
        foreach (var record in _csv.Records())
        {
            text.Truncate(0);
            var misfit = Format(text, record);
            yield return new(record.Number, record.Line, JsonElement.Parse(text.Written), misfit);
        }
    }

    private Misfit? Format(JsonText text, CsvRecord record)
    {
        var misfit = default(Misfit);
        var separator = (byte)'{';
        foreach (var (column, field) in _columns)
        {
            var cell = record.Fields[field];
            if (cell.Length == 0)
                continue;
            var start = text.Length;
            text.Append(separator);
            text.AppendString(column.Name);
            text.Append((byte)':');
            if (Append(text, column.Type, cell) is { } wanted)
            {
                text.Truncate(start);
                misfit ??= new(column.Name, $"line {record.Line}: is not {wanted}");
                continue;
            }
            separator = (byte)',';
        }
        text.Append(separator == '{' ? "{}"u8 : "}"u8);
        return misfit;
    }

    /// <summary>Null when the cell fits, else what it should have been.</summary>
    private static string? Append(JsonText text, ColumnType type, string cell)
    {
        switch (type)
        {
            case ColumnType.Text:
                text.AppendString(cell);
                return null;
            case ColumnType.Boolean when cell.Equals("true", StringComparison.OrdinalIgnoreCase):
                text.Append("true"u8);
                return null;
            case ColumnType.Boolean when cell.Equals("false", StringComparison.OrdinalIgnoreCase):
                text.Append("false"u8);
                return null;
            case ColumnType.Boolean:
                return "true or false";
            case ColumnType.Integer:
                return AppendNumber(text, cell, CellFormat.TryReadInteger(Encoding.UTF8.GetBytes(cell), out _), "a whole number of 64 bits");
            case ColumnType.Decimal:
                return AppendNumber(text, cell, CellFormat.IsDecimal(Encoding.UTF8.GetBytes(cell)), "a decimal number");
            case ColumnType.Date:
                return AppendQuoted(text, cell, CellFormat.IsDate(cell), "a day (yyyy-MM-dd)");
            default:
                return AppendQuoted(text, cell, Rfc3339.TryParse(cell, out _), "an RFC 3339 timestamp");
        }
    }

    private static string? AppendNumber(JsonText text, string cell, bool fits, string wanted)
    {
        if (!fits)
            return wanted;
        text.Append(Encoding.ASCII.GetBytes(cell));
        return null;
    }

    private static string? AppendQuoted(JsonText text, string cell, bool fits, string wanted)
    {
        if (!fits)
            return wanted;
        text.AppendString(cell);
        return null;
    }
}
