namespace AuditCli.Evidence;

/// <summary>The type of a table's column. <see cref="Json"/> covers all nested values, kept as the source wrote them.</summary>
public enum ColumnType
{
    /// <summary>Strings and enumerations; binary values in base64.</summary>
    Text,

    /// <summary>A 64-bit signed integer; also Google's int64 written as a string.</summary>
    Integer,

    /// <summary>
    /// An exact decimal of at most 38 digits (file inputs only). Of them 9 are after the point, or as many as
    /// <see cref="Column.Scale"/> says.
    /// </summary>
    Decimal,

    /// <summary>A whole number of any number of digits (file inputs only).</summary>
    Whole,

    /// <summary>A binary floating-point number (IEEE 754).</summary>
    Double,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A calendar day, <c>yyyy-MM-dd</c>.</summary>
    Date,

    /// <summary>An instant, RFC 3339 in UTC.</summary>
    Timestamp,

    /// <summary>An object, an array, or a value whose shape the source does not fix.</summary>
    Json,
}

/// <summary>One column of an evidence table, named as the source names it.</summary>
public sealed record Column(string Name, ColumnType Type)
{
    /// <summary>
    /// Of a decimal whose control states it: how many digits there may be after the point. Null for every other column.
    /// </summary>
    public int? Scale { get; init; }

    /// <summary>
    /// Whether no digit of a value may be lost, on the way into the table or in the SQL that reads it: <see cref="ColumnType.Whole"/>,
    /// and decimals with a scale.
    /// </summary>
    public bool IsExact => Type == ColumnType.Whole || Scale is not null;

    /// <summary>The type with its scale, such as <c>Decimal(18)</c>.</summary>
    public string TypeWithScale => Scale is { } scale ? $"{Type}({scale})" : Type.ToString();
}
