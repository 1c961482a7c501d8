namespace AuditCli.Evidence.Tables;

/// <summary>The formats in which a table can be supplied.</summary>
public enum InputFormat
{
    /// <summary>RFC 4180, in UTF-8, with a header.</summary>
    Csv,

    /// <summary>One JSON document (RFC 8259) with the rows somewhere in it.</summary>
    Json,

    /// <summary>One JSON object on each line.</summary>
    Ndjson,

    /// <summary>An Office Open XML workbook (ISO/IEC 29500).</summary>
    Workbook,

    /// <summary>Apache Parquet.</summary>
    Parquet,
}

/// <summary>Where the rows of a supplied file are.</summary>
/// <param name="Sheet">The name of a workbook's sheet; null for its only visible one.</param>
/// <param name="Rows">
/// A JSON Pointer (RFC 6901) to the rows of a JSON document, in which <c>*</c> is each element of an array or each member of an object; null
/// for a document that is an array.
/// </param>
public sealed record InputLayout(string? Sheet, string? Rows)
{
    /// <summary>The layout of a file that needs no statement of where its rows are.</summary>
    public static InputLayout Whole { get; } = new(null, null);
}

/// <summary>Tells the format of a supplied file.</summary>
public static class InputFormats
{
    /// <summary>Returns the format by the extension of the name, in any case; CSV for every extension that no other format has.</summary>
    public static InputFormat Of(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".json" => InputFormat.Json,
        ".ndjson" or ".jsonl" => InputFormat.Ndjson,
        ".xlsx" => InputFormat.Workbook,
        ".parquet" => InputFormat.Parquet,
        _ => InputFormat.Csv,
    };
}
