using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>The values that SQL sees as <c>$name</c>, with their declared types.</summary>
internal sealed class SqlParameters
{
    private readonly ImmutableSortedDictionary<string, object> _values;
    private readonly ImmutableSortedDictionary<string, Column> _exact;

    /// <param name="slice">The evidence and when it was read; the moments of two partitions differ.</param>
    public SqlParameters(AuditMoment moment, Slice slice, IEnumerable<EffectiveParameter> parameters)
        : this(moment, slice.ReadFrom, slice.ReadUntil, parameters)
    {
    }

    public SqlParameters(AuditMoment moment, DateTimeOffset? readFrom, DateTimeOffset? readUntil, IEnumerable<EffectiveParameter> parameters)
    {
        var given = parameters.ToImmutableArray();
        _exact = given.Where(p => p.Column.IsExact).ToImmutableSortedDictionary(p => p.Name, p => p.Column, StringComparer.Ordinal);
        _values = given
            .Select(p => KeyValuePair.Create(p.Name, Value(p)))
            .Append(KeyValuePair.Create(ParameterNames.AsOf, (object)moment.AsOf.ToUniversalTime()))
            .Append(KeyValuePair.Create(ParameterNames.PeriodStart, (object)moment.PeriodStart.ToUniversalTime()))
            .Append(KeyValuePair.Create(ParameterNames.PeriodEnd, (object)moment.PeriodEnd.ToUniversalTime()))
            .Append(KeyValuePair.Create(ParameterNames.ReadFrom, (object?)readFrom?.ToUniversalTime() ?? DBNull.Value))
            .Append(KeyValuePair.Create(ParameterNames.ReadUntil, (object?)readUntil?.ToUniversalTime() ?? DBNull.Value))
            .ToImmutableSortedDictionary(StringComparer.Ordinal);
    }

    /// <summary>Returns the names that a control's SQL may use.</summary>
    public static ImmutableSortedSet<string> NamesOf(Control control) => [.. ParameterNames.Always, .. control.Parameters.Select(p => p.Name)];

    /// <summary>Returns the used parameters, bound; DuckDB refuses unused ones.</summary>
    public IEnumerable<DuckDBParameter> For(SqlLineage lineage) => For(lineage.Parameters);

    /// <inheritdoc cref="For(SqlLineage)"/>
    public IEnumerable<DuckDBParameter> For(ImmutableSortedSet<string> names) => names.Select(n => new DuckDBParameter(n, _values[n]));

    /// <summary>Returns one parameter by name.</summary>
    public DuckDBParameter Named(string name) => new(name, _values[name]);

    /// <summary>Whether no digit of the parameter may be lost.</summary>
    public bool IsExact(string name) => _exact.ContainsKey(name);

    /// <summary>
    /// Returns the SQL type to which the parameter is cast wherever SQL names it; null where it is bound as its own type. A moment that is not
    /// known is NULL, over which the engine cannot resolve functions without its type: the test would be ERROR exactly where nothing was
    /// read. An exact number is bound as a text, because no number of C# has all its digits.
    /// </summary>
    public string? CastOf(string name) => name is ParameterNames.ReadFrom or ParameterNames.ReadUntil ? "TIMESTAMPTZ"
        : _exact.TryGetValue(name, out var column) ? TableLoader.SqlType(column)
        : null;

    /// <summary>Returns SQL for some value of a parameter's type, which is never NULL: the engine drops the type of what is.</summary>
    public string SampleOf(string name) => _values.GetValueOrDefault(name) switch
    {
        // The engine folds a constant, and gives a bare parameter another type, before the plan shows the conversion to DOUBLE.
        _ when _exact.TryGetValue(name, out var column) => $"(CASE WHEN CAST(${name} AS BOOLEAN) THEN CAST('1' AS {TableLoader.SqlType(column)}) END)",
        string => "CAST('' AS VARCHAR)",
        long => "CAST('1' AS BIGINT)",
        decimal => "CAST('1' AS DECIMAL(38,9))",
        double => "CAST('1' AS DOUBLE)",
        bool => "CAST('true' AS BOOLEAN)",
        DateOnly => "CAST('2026-01-01' AS DATE)",
        // Moments that are not known are NULL.
        DateTimeOffset or DBNull => "CAST('2026-01-01 00:00:00+00' AS TIMESTAMPTZ)",
        var other => throw new ArgumentException($"${name} has no value of a known type: {other?.GetType()}", nameof(name)),
    };

    private static object Value(EffectiveParameter parameter)
    {
        var value = parameter.Value;
        return parameter.Type switch
        {
            _ when parameter.Column.IsExact => value.GetString()!,
            ColumnType.Text => value.GetString()!,
            ColumnType.Integer => value.GetInt64(),
            ColumnType.Decimal => value.GetDecimal(),
            ColumnType.Double => value.GetDouble(),
            ColumnType.Boolean => value.GetBoolean(),
            ColumnType.Date => DateOnly.ParseExact(value.GetString()!, "yyyy-MM-dd", CultureInfo.InvariantCulture),
            ColumnType.Timestamp => value.GetDateTimeOffset().ToUniversalTime(),
            ColumnType.Json => value.ValueKind == JsonValueKind.Null ? DBNull.Value : value.GetRawText(),
            _ => throw new ArgumentOutOfRangeException(nameof(parameter), parameter.Type, "not a parameter type"),
        };
    }
}
