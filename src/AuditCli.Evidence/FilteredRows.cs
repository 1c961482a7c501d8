using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Tables;

namespace AuditCli.Evidence;

/// <summary>
/// Applies a <see cref="RowFilter"/> to rows as they arrive, counts them, and notices members that no row has: a misspelt path
/// would otherwise give an empty table that looks complete. Memory does not grow with the number of rows.
/// </summary>
public sealed class FilteredRows
{
    private readonly ImmutableArray<Comparison> _comparisons;
    private readonly Found[] _found;
    private readonly bool[] _seen;
    private readonly bool[] _lacked;

    /// <param name="columns">The columns of the rows.</param>
    public FilteredRows(RowFilter filter, ImmutableArray<Column> columns)
    {
        _comparisons = [.. filter.Conditions.Select(c => new Comparison(c, columns))];
        _found = new Found[_comparisons.Length];
        _seen = new bool[_comparisons.Length];
        _lacked = new bool[_comparisons.Length];
    }

    private enum Found : byte
    {
        Matching,
        Differing,
        Absent,
    }

    /// <summary>The number of rows that were looked at.</summary>
    public long Read { get; private set; }

    /// <summary>The number of rows that were taken.</summary>
    public long Kept { get; private set; }

    /// <summary>
    /// The paths into JSON that no row had in a form that could match, although the rows met, or lacked the member for, every
    /// other condition. Whether those rows are meant is not known, so the result must not count as complete. A column of its own
    /// is never listed: the catalogue vouches for its name, so its absence is a value like another.
    /// </summary>
    public ImmutableArray<string> Unseen => [.. _comparisons.Where((_, i) => _lacked[i] && !_seen[i]).Select(c => c.Path)];

    /// <summary>Whether every condition holds for the row.</summary>
    public bool Takes(JsonElement row)
    {
        Read++;
        var (differing, at, absent) = (0, -1, false);
        for (var i = 0; i < _comparisons.Length; i++)
        {
            _found[i] = _comparisons[i].In(row);
            absent |= _found[i] == Found.Absent;
            if (_found[i] != Found.Differing)
                continue;
            // Two other values: the row says nothing about any member, and is not taken.
            if (++differing > 1)
                return false;
            at = i;
        }
        for (var i = 0; i < _comparisons.Length; i++)
        {
            if (differing == 1 && at != i)
                continue;
            _seen[i] |= _found[i] != Found.Absent;
            _lacked[i] |= _found[i] == Found.Absent;
        }
        if (differing > 0 || absent)
            return false;
        Kept++;
        return true;
    }

    /// <summary>Compares the value in one place with those that a condition names.</summary>
    private sealed class Comparison
    {
        private static readonly byte[] Replaced = Encoding.UTF8.GetBytes($"\"{KeyedDigest.Prefix}");
        private readonly MemberPath _path;
        private readonly ColumnType _type;
        private readonly ImmutableArray<byte[]> _texts;
        private readonly ImmutableArray<string[]> _patterns;
        private readonly ImmutableArray<long> _numbers;
        private readonly ImmutableArray<bool> _booleans;

        public Comparison(RowCondition condition, ImmutableArray<Column> columns)
        {
            Path = condition.Path;
            _path = MemberPath.Of(condition.Path, name => columns.Any(c => c.Name == name));
            _type = _path.Members.IsEmpty ? columns.FirstOrDefault(c => c.Name == _path.Column)?.Type ?? ColumnType.Json : ColumnType.Json;
            var texts = condition.Values.Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!).ToArray();
            _texts = [.. texts.Where(t => !t.Contains('*', StringComparison.Ordinal)).Select(Encoding.UTF8.GetBytes)];
            _patterns = [.. texts.Where(t => t.Contains('*', StringComparison.Ordinal)).Select(t => t.Split('*'))];
            _numbers = [.. condition.Values.Where(v => v.ValueKind == JsonValueKind.Number).Select(v => v.GetInt64())];
            _booleans = [.. condition.Values.Where(v => v.ValueKind is JsonValueKind.True or JsonValueKind.False).Select(v => v.GetBoolean())];
        }

        public string Path { get; }

        /// <summary>
        /// Looks at one row. A value that does not fit its column counts as matching: the row goes into the table, which reports
        /// the misfit; dropping it would hide that something was not understood.
        /// </summary>
        public Found In(JsonElement row)
        {
            try
            {
                return _path.In(row) is not { } value ? _type == ColumnType.Json ? Found.Absent : Found.Differing
                    : _type == ColumnType.Json ? Member(value)
                    : Cell(value);
            }
            catch (InvalidOperationException)
            {
                // Text that is not well-formed Unicode fits no column either.
                return Found.Matching;
            }
        }

        private Found Cell(JsonElement value) => _type switch
        {
            ColumnType.Text when value.ValueKind == JsonValueKind.String => IsReplaced(value) ? Found.Absent : Of(IsText(value)),
            ColumnType.Boolean when value.ValueKind is JsonValueKind.True or JsonValueKind.False => Of(_booleans.Contains(value.GetBoolean())),
            ColumnType.Integer when value.ValueKind is JsonValueKind.Number or JsonValueKind.String
                && CellFormat.TryReadInteger(Digits(value), out var number) => Of(_numbers.Contains(number)),
            _ => Found.Matching,
        };

        /// <summary>A member of a kind that the condition does not name is as good as absent: 443 is never the text "443".</summary>
        private Found Member(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.String when _texts.Length + _patterns.Length > 0 => IsReplaced(value) ? Found.Absent : Of(IsText(value)),
            JsonValueKind.Number when _numbers.Length > 0 => Of(IsNumber(value)),
            JsonValueKind.True or JsonValueKind.False when _booleans.Length > 0 => Of(_booleans.Contains(value.GetBoolean())),
            _ => Found.Absent,
        };

        /// <summary>Whether a secret was here. Its digest is no value to compare: nobody knows whether the row is meant.</summary>
        private static bool IsReplaced(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).StartsWith(Replaced);

        private bool IsText(JsonElement value)
        {
            foreach (var text in _texts)
            {
                if (value.ValueEquals(text))
                    return true;
            }
            return _patterns.Length > 0 && value.GetString() is { } whole && _patterns.Any(p => Fits(p, whole));
        }

        private bool IsNumber(JsonElement value) =>
            decimal.TryParse(JsonMarshal.GetRawUtf8Value(value), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && _numbers.Any(n => n == number);

        private static ReadOnlySpan<byte> Digits(JsonElement value)
        {
            var raw = JsonMarshal.GetRawUtf8Value(value);
            return value.ValueKind == JsonValueKind.String ? raw[1..^1] : raw;
        }

        /// <summary>
        /// Whether the text begins with the first part, ends with the last one, and has the others between them in their order.
        /// </summary>
        private static bool Fits(string[] parts, ReadOnlySpan<char> text)
        {
            if (text.Length < parts[0].Length + parts[^1].Length || !text.StartsWith(parts[0]) || !text.EndsWith(parts[^1]))
                return false;
            text = text[parts[0].Length..^parts[^1].Length];
            foreach (var part in parts[1..^1])
            {
                var at = text.IndexOf(part);
                if (at < 0)
                    return false;
                text = text[(at + part.Length)..];
            }
            return true;
        }

        private static Found Of(bool matches) => matches ? Found.Matching : Found.Differing;
    }
}
