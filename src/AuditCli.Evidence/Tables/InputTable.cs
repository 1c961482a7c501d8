using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Tables;

/// <summary>One record of an input as a row for <see cref="TableWriter"/>.</summary>
/// <param name="Number">The record's number, from 1, not counting the header.</param>
/// <param name="Line">The line on which it begins.</param>
/// <param name="Misfits">The cells that do not fit the declaration of their column; they are left out of the row.</param>
/// <param name="Cleaned">
/// The columns whose cell had invisible characters, or white space at its ends; the row does not have them.
/// </param>
public sealed record InputRow(long Number, long Line, JsonElement Row, ImmutableArray<Misfit> Misfits, ImmutableArray<string> Cleaned);

/// <summary>
/// Reads a file provided by management through the columns that a control declares for it. Empty cells are absent; undeclared
/// columns are left out. Text is taken unchanged except in key columns, which are compared with the provider's values: invisible
/// characters are removed from them (<see cref="InvisibleText"/>), and other control characters do not fit. Integers and decimals
/// have no leading zeros (a value with leading zeros is an identifier, and text); decimals keep their digits, and exact numbers have one
/// spelling (<see cref="ExactNumber"/>). <c>true</c> and
/// <c>false</c> may be in any case, as spreadsheets write them, and so may the words of a column with a fixed list of words,
/// which are then spelled as declared.
/// </summary>
public sealed class InputTable
{
    private readonly ImmutableArray<(Column Column, ImmutableArray<string>? Key)> _columns;

    /// <param name="columns">The columns, in the order of the cells of a record.</param>
    /// <param name="keys">The key columns, each with the words allowed in it; empty for any text.</param>
    /// <exception cref="ArgumentException">A column is declared with a type that inputs do not have.</exception>
    public InputTable(ImmutableArray<Column> columns, IReadOnlyDictionary<string, ImmutableArray<string>>? keys = null)
    {
        if (columns.FirstOrDefault(c => c.Type is ColumnType.Json or ColumnType.Double) is { } unknown)
            throw new ArgumentException($"'{unknown.Name}' cannot be {unknown.Type} in an input", nameof(columns));
        _columns = [.. columns.Select(c => (c, keys?.TryGetValue(c.Name, out var words) == true ? words : default(ImmutableArray<string>?)))];
    }

    /// <summary>Returns the records of a CSV file with the cells of the columns.</summary>
    /// <exception cref="InvalidDataException">
    /// A declared column is not in the file; the message names it and the declared columns that are there.
    /// </exception>
    public static IEnumerable<InputRecord> Records(CsvReader csv, ImmutableArray<Column> columns)
    {
        if (columns.Any(c => !csv.Header.Contains(c.Name)) && csv.Header is [var only] && only.IndexOfAny([';', '\t']) is >= 0 and var at)
            throw new InvalidDataException($"{csv.Name}:1: {CsvReader.OtherSeparator(only[at])}");
        var fields = FieldsOf($"{csv.Name}:1", csv.Header, columns);
        return csv.Records().Select(r => new InputRecord(r.Number, r.Line, [.. fields.Select(f => new InputCell(r.Fields[f]))]));
    }

    /// <summary>Returns the place of each column in a header.</summary>
    /// <param name="place">Where the header is, for the message.</param>
    /// <exception cref="InvalidDataException">A column is not there.</exception>
    public static ImmutableArray<int> FieldsOf(string place, ImmutableArray<string> header, ImmutableArray<Column> columns)
    {
        var (found, missing) = (Names(columns.Where(c => header.Contains(c.Name))), Names(columns.Where(c => !header.Contains(c.Name))));
        if (missing.Length == 0)
            return [.. columns.Select(c => header.IndexOf(c.Name))];
        // In a file without a header its first row is here, so only names that were declared are printed.
        var count = $"{header.Length} {(header.Length == 1 ? "column" : "columns")}";
        throw new InvalidDataException(found.Length > 0
            ? $"{place}: no column {missing}; the header has {count}, of which the declared ones are {found}"
            : $"{place}: no column {missing}; none of its {count} has a declared name: is there a header?");

        static string Names(IEnumerable<Column> named) => string.Join(", ", named.Select(c => $"'{c.Name}'"));
    }

    /// <summary>Returns every record as a row, in file order.</summary>
    public IEnumerable<InputRow> Rows(IEnumerable<InputRecord> records)
    {
        var text = new JsonText();
        foreach (var record in records)
        {
            text.Truncate(0);
            var (misfits, cleaned) = Format(text, record);
            yield return new(record.Number, record.Line, JsonElement.Parse(text.Written), misfits, cleaned);
        }
    }

    /// <summary>
    /// Returns a key as tests see it: null where nothing is left of it, or where it does not fit, with the reason.
    /// </summary>
    /// <param name="oneOf">The allowed words; empty for any text.</param>
    public static (string? Value, string? Fault) Key(string cell, ImmutableArray<string> oneOf)
    {
        var seen = InvisibleText.Without(cell);
        if (seen.Length == 0)
            return (null, null);
        if (InvisibleText.ControlIn(seen) is { } control)
            return (null, $"holds the control character {control}");
        if (oneOf.IsEmpty)
            return (seen, null);
        return oneOf.FirstOrDefault(w => w.Equals(seen, StringComparison.OrdinalIgnoreCase)) is { } word
            ? (word, null)
            : (null, $"is not one of {string.Join(", ", oneOf)}");
    }

    /// <summary>
    /// Returns what is kept of a personal value: the digest of the value as a key is read, so that two files that write it differently agree;
    /// an empty value stays empty, and what was kept before stays as it is. A control character, which no key may hold, stays before the
    /// digest: the cell would become readable without it.
    /// </summary>
    public static string Digested(string value, ReadOnlySpan<byte> key)
    {
        if (Key(value, []) is (var seen, null))
            return seen is null ? "" : KeyedDigest.Of(key, seen);
        var control = InvisibleText.Without(value).First(c => InvisibleText.ControlIn(c.ToString()) is not null);
        return value[0] == control && KeyedDigest.IsOne(value[1..]) ? value : control + KeyedDigest.Of(key, value);
    }

    private (ImmutableArray<Misfit> Misfits, ImmutableArray<string> Cleaned) Format(JsonText text, InputRecord record)
    {
        ImmutableArray<Misfit> misfits = [];
        ImmutableArray<string> cleaned = [];
        var separator = (byte)'{';
        foreach (var (i, (column, key)) in _columns.Index())
        {
            if (record.Cells[i] is { Fault: { } unread })
            {
                misfits = misfits.Add(new(column.Name, unread));
                continue;
            }
            if (record.Cells[i].Text is not { Length: > 0 } cell)
                continue;
            // Numbers are not cleaned: a cell with more than the digits was formatted, and its meaning would be a guess.
            var (value, fault) = key is { } words ? Key(cell, words)
                : column.Type is ColumnType.Boolean or ColumnType.Date or ColumnType.Timestamp ? Key(cell, [])
                : (cell, null);
            if (fault is null && value != cell && InvisibleText.Without(cell) != cell)
                cleaned = cleaned.Add(column.Name);
            if (value is not null)
            {
                var start = text.Length;
                text.Append(separator);
                text.AppendString(column.Name);
                text.Append((byte)':');
                if (Append(text, column, value) is { } wanted)
                {
                    text.Truncate(start);
                    fault = $"is not {wanted}";
                }
                else
                {
                    separator = (byte)',';
                }
            }
            if (fault is not null)
                misfits = misfits.Add(new(column.Name, fault));
        }
        text.Append(separator == '{' ? "{}"u8 : "}"u8);
        return (misfits, cleaned);
    }

    /// <summary>Appends the cell and returns null when it fits; else returns what it should have been.</summary>
    private static string? Append(JsonText text, Column column, string cell)
    {
        switch (column.Type)
        {
            case ColumnType.Whole or ColumnType.Decimal when column.IsExact:
                var number = ExactNumber.In(column, cell);
                return AppendQuoted(text, number ?? "", number is not null, ExactNumber.Described(column));
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
