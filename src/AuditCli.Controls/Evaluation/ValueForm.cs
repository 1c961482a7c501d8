using System.Data.Common;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AuditCli.Controls.Evaluation;

/// <summary>Defines how values of one SQL type are read and written as JSON, always in the same way.</summary>
internal abstract partial record ValueForm
{
    private const string Instant = "TIMESTAMP WITH TIME ZONE";

    private ValueForm()
    {
    }

    /// <summary>Returns the SQL expression whose value <see cref="Write"/> reads.</summary>
    public abstract string Sql(string column);

    /// <summary>Writes one value, or null.</summary>
    public void Write(Utf8JsonWriter json, DbDataReader row, int column)
    {
        if (row.IsDBNull(column))
            json.WriteNullValue();
        else
            WriteValue(json, row, column);
    }

    protected abstract void WriteValue(Utf8JsonWriter json, DbDataReader row, int column);

    /// <summary>Returns the form of a type, by its name in DESCRIBE.</summary>
    public static ValueForm Of(string type) => type switch
    {
        "BOOLEAN" => new Truth(),
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT"
            or "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" or "UHUGEINT" or "BIGNUM" => new Number(),
        _ when IsNested(type) => new Nested("to_json({0})", HasDecimals: type.Contains("DECIMAL(", StringComparison.Ordinal)),
        _ when type.StartsWith("DECIMAL", StringComparison.Ordinal) => new Number(),
        "FLOAT" or "DOUBLE" => new Floating(),
        "JSON" => new Nested("{0}", HasDecimals: false),
        Instant => new Moment("timezone('UTC', {0})", "Z"),
        "TIMESTAMP" => new Moment("{0}", ""),
        "BLOB" => new Words("base64({0})"),
        _ => new Words("{0}"),
    };

    /// <summary>Whether values of a type may be free text: every type except numbers, truth values and instants.</summary>
    public static bool IsWords(string type) => Of(type) is Words or Nested;

    /// <summary>Whether a type is composed of others: lists, structs and maps.</summary>
    public static bool IsNested(string type) =>
        type.EndsWith(']') || type.StartsWith("STRUCT", StringComparison.Ordinal)
        || type.StartsWith("MAP", StringComparison.Ordinal) || type.StartsWith("UNION", StringComparison.Ordinal);

    /// <summary>
    /// Returns JSON in which every number has a whole part: the engine writes a DECIMAL with as many places as digits as <c>.5</c>, which
    /// JSON does not allow. Texts stay as they are.
    /// </summary>
    private static string WithWholePart(string json) => TextOrPoint.Replace(json, found => found.Value == "." ? "0." : found.Value);

    /// <summary>Matches texts, which are skipped, and points without a digit before them.</summary>
    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.)*\"|(?<![0-9])\\.", RegexOptions.CultureInvariant)]
    private static partial Regex TextOrPoint { get; }

    private sealed record Words(string Form) : ValueForm
    {
        public override string Sql(string column) => $"CAST({Form.Replace("{0}", column, StringComparison.Ordinal)} AS VARCHAR)";

        protected override void WriteValue(Utf8JsonWriter json, DbDataReader row, int column) => json.WriteStringValue(row.GetString(column));
    }

    private sealed record Truth : ValueForm
    {
        public override string Sql(string column) => column;

        protected override void WriteValue(Utf8JsonWriter json, DbDataReader row, int column) => json.WriteBooleanValue(row.GetBoolean(column));
    }

    /// <summary>Integers and decimals of any size, as literals.</summary>
    private sealed record Number : ValueForm
    {
        public override string Sql(string column) => $"CAST({column} AS VARCHAR)";

        protected override void WriteValue(Utf8JsonWriter json, DbDataReader row, int column)
        {
            var text = row.GetString(column);
            json.WriteRawValue(text.Contains('.', StringComparison.Ordinal) ? WithWholePart(text).TrimEnd('0').TrimEnd('.') : text);
        }
    }

    /// <summary>
    /// The shortest literal that reads back to the same value; values that are not finite have no literal and become text.
    /// </summary>
    private sealed record Floating : ValueForm
    {
        public override string Sql(string column) => $"CAST({column} AS DOUBLE)";

        protected override void WriteValue(Utf8JsonWriter json, DbDataReader row, int column)
        {
            var value = row.GetDouble(column);
            if (double.IsFinite(value))
                json.WriteNumberValue(value);
            else
                json.WriteStringValue(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        }
    }

    private sealed record Moment(string Form, string Zone) : ValueForm
    {
        public override string Sql(string column) =>
            $"CASE WHEN isfinite({column}) THEN strftime({Form.Replace("{0}", column, StringComparison.Ordinal)}, '%Y-%m-%dT%H:%M:%S.%f') "
            + $"ELSE CAST({column} AS VARCHAR) END";

        protected override void WriteValue(Utf8JsonWriter json, DbDataReader row, int column)
        {
            var text = row.GetString(column);
            json.WriteStringValue(text.Contains('T', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') + Zone : text);
        }
    }

    /// <summary>JSON inside JSON, without the white space that its author may have written.</summary>
    /// <param name="HasDecimals">Whether the engine writes decimals into the JSON, and not its author.</param>
    private sealed record Nested(string Form, bool HasDecimals) : ValueForm
    {
        public override string Sql(string column) => $"CAST({Form.Replace("{0}", column, StringComparison.Ordinal)} AS VARCHAR)";

        protected override void WriteValue(Utf8JsonWriter json, DbDataReader row, int column)
        {
            var text = row.GetString(column);
            using var value = JsonDocument.Parse(HasDecimals ? WithWholePart(text) : text, new JsonDocumentOptions { MaxDepth = 256 });
            value.WriteTo(json);
        }
    }
}
