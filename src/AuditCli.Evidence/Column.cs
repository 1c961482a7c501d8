namespace AuditCli.Evidence;

/// <summary>The type of a table's column. <see cref="Json"/> covers all nested values, kept as the source wrote them.</summary>
public enum ColumnType
{
    /// <summary>Strings and enumerations; binary values in base64.</summary>
    Text,

    /// <summary>A 64-bit signed integer; also Google's int64 written as a string.</summary>
    Integer,

    /// <summary>An exact decimal of at most 38 digits, 9 of them after the point (file inputs only).</summary>
    Decimal,

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
public sealed record Column(string Name, ColumnType Type);
