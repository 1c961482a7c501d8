using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Evaluation;

/// <summary>A row does not have the form of its table's columns; the message names table, line and column.</summary>
public sealed class EvidenceFormatException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One value of a row. The column's type determines which field is used.</summary>
internal record struct Cell(bool Present, string? Text, long Integer, double Double, bool Boolean, DateTimeOffset Instant, DateOnly Day);

/// <summary>
/// Reads the lines of a table one after another into cells, strictly: a value that is not of its column's type is an error and
/// never converted; absent and null both mean no value.
/// </summary>
internal sealed class RowReader
{
    /// <summary>The maximum nesting depth of a line.</summary>
    public const int Depth = 64;

    private readonly string _table;
    private readonly (byte[] Name, Column Column, bool Wanted)[] _columns;
    private readonly bool[] _seen;
    private long _line;

    public RowReader(string table, ImmutableArray<Column> columns, Func<string, bool> wanted)
    {
        _table = table;
        _columns = [.. columns.Select(c => (Encoding.UTF8.GetBytes(c.Name), c, wanted(c.Name)))];
        Cells = new Cell[columns.Length];
        _seen = new bool[columns.Length];
    }

    /// <summary>The last line's values, in the columns' order.</summary>
    public Cell[] Cells { get; }

    /// <summary>Reads a line into <see cref="Cells"/>.</summary>
    /// <exception cref="EvidenceFormatException">The line is not a row of this table.</exception>
    public void Read(ReadOnlyMemory<byte> line)
    {
        _line++;
        Array.Clear(Cells);
        Array.Clear(_seen);
        var column = "";
        try
        {
            var reader = new Utf8JsonReader(line.Span, new JsonReaderOptions { MaxDepth = Depth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw Fault(column, "is not an object");
            var next = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var index = Find(ref reader, next);
                if (index < 0)
                    throw Fault(reader.GetString()!, "is not a column of the table");
                column = _columns[index].Column.Name;
                if (_seen[index])
                    throw Fault(column, "occurs twice");
                _seen[index] = true;
                next = index + 1;
                reader.Read();
                if (_columns[index].Wanted)
                    Cells[index] = Value(ref reader, _columns[index].Column, line.Span);
                else
                    reader.Skip();
            }
            if (reader.Read())
                throw Fault("", "has content after its object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped lone surrogate.
            throw new EvidenceFormatException(Place(column) + "is not valid JSON", e);
        }
    }

    private int Find(ref Utf8JsonReader reader, int next)
    {
        // Canonical rows name their columns in order, so the next column is nearly always the right one.
        for (var i = next; i < _columns.Length; i++)
        {
            if (reader.ValueTextEquals(_columns[i].Name))
                return i;
        }
        for (var i = 0; i < next; i++)
        {
            if (reader.ValueTextEquals(_columns[i].Name))
                return i;
        }
        return -1;
    }

    private Cell Value(ref Utf8JsonReader reader, Column column, ReadOnlySpan<byte> line)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return default;
        var cell = new Cell { Present = true };
        switch (column.Type)
        {
            case ColumnType.Text when reader.TokenType == JsonTokenType.String:
                return cell with { Text = reader.GetString() };
            case ColumnType.Integer when reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number):
                return cell with { Integer = number };
            case ColumnType.Integer when reader.TokenType == JsonTokenType.String
                && long.TryParse(reader.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var written):
                return cell with { Integer = written };
            case ColumnType.Double when reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var number) && double.IsFinite(number):
                return cell with { Double = number };
            case ColumnType.Decimal or ColumnType.Whole when column.IsExact && reader.TokenType is JsonTokenType.Number or JsonTokenType.String
                && ExactNumber.In(column, Literal(ref reader)) is { } exact:
                return cell with { Text = exact };
            case ColumnType.Decimal when !column.IsExact && reader.TokenType is JsonTokenType.Number or JsonTokenType.String
                && IsDecimal(Literal(ref reader)):
                return cell with { Text = Literal(ref reader) };
            case ColumnType.Boolean when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                return cell with { Boolean = reader.GetBoolean() };
            case ColumnType.Timestamp when reader.TokenType == JsonTokenType.String && HasOffset(reader.ValueSpan)
                && reader.TryGetDateTimeOffset(out var instant):
                return cell with { Instant = instant.ToUniversalTime() };
            case ColumnType.Date when reader.TokenType == JsonTokenType.String
                && DateOnly.TryParseExact(reader.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day):
                return cell with { Day = day };
            case ColumnType.Json:
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                return cell with { Text = Encoding.UTF8.GetString(line[start..(int)reader.BytesConsumed]) };
            default:
                throw Fault(column.Name, $"is not of type {TypedValue.Word(column)}");
        }
    }

    private static string Literal(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(reader.ValueSpan);

    /// <summary>
    /// Whether the number fits DECIMAL(38,9) without rounding: at most 29 digits before the point and 9 after it.
    /// </summary>
    private static bool IsDecimal(string text)
    {
        var digits = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        var point = digits.IndexOf('.');
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? "" : digits[(point + 1)..];
        return whole.Length is > 0 and <= 29 && (point < 0 || fraction.Length is > 0 and <= 9)
            && !whole.ContainsAnyExceptInRange('0', '9') && !fraction.ContainsAnyExceptInRange('0', '9');
    }

    /// <summary>Whether an instant has an offset; without one it would be read in the reader's local time zone.</summary>
    private static bool HasOffset(ReadOnlySpan<byte> text) =>
        text.Length >= 20 && text[10] == (byte)'T' && (text[^1] == (byte)'Z' || (text[^3] == (byte)':' && text[^6] is (byte)'+' or (byte)'-'));

    private string Place(string column) => $"table {_table}, line {_line}, " + (column.Length == 0 ? "" : $"column {column} ");

    private EvidenceFormatException Fault(string column, string what) => new(Place(column) + what);
}
