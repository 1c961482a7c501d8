using System.Buffers;
using System.Collections.Immutable;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>Computes the identifiers of exceptions, which are stable between runs.</summary>
public static class ExceptionIds
{
    /// <summary>
    /// Returns <c>&lt;control&gt;/X/&lt;first 12 hex of SHA-256(control, test, account, item joined by 0x1F)&gt;</c>.
    /// </summary>
    public static string For(string control, string test, string account, string item) =>
        $"{control}/X/{Digest.Of(Encoding.UTF8.GetBytes(string.Join('\u001f', control, test, account, item))).Hex[..12]}";
}

/// <summary>Removes text that looks like a credential from a row that SQL produced.</summary>
/// <param name="line">One JSON object.</param>
/// <returns>The cleaned line; null where there was nothing to remove.</returns>
/// <exception cref="InvalidDataException">It cannot be removed.</exception>
public delegate byte[]? RowCleaner(ReadOnlyMemory<byte> line);

/// <summary>
/// Writes the rows of one test in one partition: one JSON object per line, every value in the one form that its SQL type has
/// (instants RFC 3339 UTC, numbers as literals, JSON as JSON).
/// </summary>
internal sealed class RowWriter : IDisposable
{
    private const int FixedColumns = 8;
    private readonly string _control;
    private readonly string _test;
    private readonly Stream _stream;
    private readonly RowCleaner? _clean;
    private readonly ArrayBufferWriter<byte> _line = new(4096);
    private readonly Utf8JsonWriter _json;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="clean">Cleans each row; null leaves rows as the SQL made them.</param>
    public RowWriter(string control, string test, Stream stream, RowCleaner? clean)
    {
        (_control, _test, _stream, _clean) = (control, test, stream, clean);
        _json = new Utf8JsonWriter(_line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>The digest of the lines written so far.</summary>
    public Digest Written => Digest.FromHash(_hash.GetCurrentHash());

    /// <summary>Writes the rows in the table's order.</summary>
    /// <param name="verdicts">See <see cref="Verdicts.Sql"/>.</param>
    /// <returns>The digest of these lines, and how many items have which verdict.</returns>
    public async Task<(Digest Rows, ItemCounts Counts)> WriteAsync(
        LockedDatabase database, string table, ImmutableArray<(string Name, string Type)> columns, PartitionName partition, string verdicts,
        CancellationToken cancellationToken)
    {
        var attributes = columns.Where(c => !IsFixed(c.Name)).Select(c => (c.Name, Form: ValueForm.Of(c.Type))).ToImmutableArray();
        var reason = columns.Any(c => string.Equals(c.Name, "reason", StringComparison.OrdinalIgnoreCase)) ? "t.reason" : "NULL::VARCHAR";
        using var command = database.Command(
            $"""
            SELECT t.item, t.pass, {verdicts}, {reason}, w.approved_by, w.approved_on, w.expires, w.reason
                {string.Concat(attributes.Select(a => ", " + a.Form.Sql("t." + SqlQuote.Name(a.Name))))}
            FROM {table} t LEFT JOIN _waivers w ON w.item = t.item ORDER BY t.rowid
            """,
            []);
        command.UseStreamingMode = true;
        using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var counts = ItemCounts.None;
        while (await reader.ReadAsync(cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _line.ResetWrittenCount();
            _json.Reset(_line);
            counts = counts.With(Write(reader, partition, attributes));
            _json.Flush();
            var line = Cleaned(reader.GetString(0));
            _hash.AppendData(line.Span);
            await _stream.WriteAsync(line, cancellationToken);
        }
        return (Written, counts);
    }

    /// <summary>
    /// Returns the line without text that looks like a credential in combination, such as a password's name next to some text. An
    /// item is never changed: it identifies the finding, and two items could become one.
    /// </summary>
    /// <exception cref="InvalidDataException">The item itself looks like a credential.</exception>
    private ReadOnlyMemory<byte> Cleaned(string item)
    {
        if (_clean?.Invoke(_line.WrittenMemory) is not { } clean)
        {
            _line.Write("\n"u8);
            return _line.WrittenMemory;
        }
        using var row = JsonDocument.Parse(clean, new JsonDocumentOptions { MaxDepth = 512 });
        return row.RootElement.GetProperty("item").GetString() == item
            ? (byte[])[.. clean, (byte)'\n']
            : throw new InvalidDataException(
                "the SQL produced an item that looks like a credential, which results must not contain: "
                + "identify the object by its name, not by its content");
    }

    public void Dispose()
    {
        _hash.Dispose();
        _json.Dispose();
    }

    /// <summary>Writes one row; returns its verdict.</summary>
    private string Write(DbDataReader row, PartitionName partition, ImmutableArray<(string Name, ValueForm Form)> attributes)
    {
        var item = row.GetString(0);
        var verdict = row.GetString(2);
        _json.WriteStartObject();
        _json.WriteString("target", partition.Target);
        _json.WriteString("account", partition.Account);
        _json.WriteString("item", item);
        if (row.IsDBNull(1))
            _json.WriteNull("pass");
        else
            _json.WriteBoolean("pass", row.GetBoolean(1));
        _json.WriteString("verdict", verdict);
        if (verdict is Verdicts.Deviation or Verdicts.Approved or Verdicts.Indicated)
            _json.WriteString("exception_id", ExceptionIds.For(_control, _test, partition.Account, item));
        // Authors give every row the reason for which it would deviate; next to a pass it would be a false accusation.
        if (verdict != Verdicts.Pass && !row.IsDBNull(3))
            _json.WriteString("reason", row.GetString(3));
        if (verdict == Verdicts.Approved)
        {
            _json.WriteStartObject("waiver");
            _json.WriteString("approved_by", row.GetString(4));
            _json.WriteString("approved_on", row.GetString(5));
            _json.WriteString("expires", row.GetString(6));
            _json.WriteString("reason", row.GetString(7));
            _json.WriteEndObject();
        }
        _json.WriteStartObject("attributes");
        for (var i = 0; i < attributes.Length; i++)
        {
            _json.WritePropertyName(attributes[i].Name);
            attributes[i].Form.Write(_json, row, FixedColumns + i);
        }
        _json.WriteEndObject();
        _json.WriteEndObject();
        return verdict;
    }

    private static bool IsFixed(string name) =>
        name.Equals("item", StringComparison.OrdinalIgnoreCase) || name.Equals("pass", StringComparison.OrdinalIgnoreCase)
        || name.Equals("reason", StringComparison.OrdinalIgnoreCase) || name.Equals(SqlText.Indicated, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The possible verdicts on one item of a population.</summary>
internal static class Verdicts
{
    public const string Pass = "pass";
    public const string Deviation = "deviation";
    public const string Approved = "approved";
    public const string Undetermined = "undetermined";
    public const string Indicated = "indicated";

    /// <summary>Returns the SQL expression for the verdict of a row <c>t</c> joined with its waiver <c>w</c>.</summary>
    /// <param name="uncovered">
    /// The verdict of a failed item without a waiver: <see cref="Deviation"/> or <see cref="Indicated"/>.
    /// </param>
    /// <param name="hasIndicated">Whether the rows have a column that marks undetermined items as indicated deviations.</param>
    public static string Sql(string uncovered, bool hasIndicated) =>
        $"CASE {(hasIndicated ? $"WHEN t.pass IS NULL AND t.indicated THEN '{Indicated}' " : "")}WHEN t.pass IS NULL THEN '{Undetermined}' "
        + $"WHEN t.pass THEN '{Pass}' WHEN w.item IS NOT NULL THEN '{Approved}' ELSE '{uncovered}' END";
}
