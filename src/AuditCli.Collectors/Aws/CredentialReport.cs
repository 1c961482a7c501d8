using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Xml;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The decoder of <c>iam:GetCredentialReport</c>: one row per line of the CSV, with the CSV's own column names. The report is read as a
/// stream, since it holds every user of the account in one response.
/// </summary>
/// <param name="clock">The clock for waiting until the report is ready; null in a replay, which does not wait.</param>
internal sealed class CredentialReport(TimeProvider? clock)
{
    private const string GeneratedAt = "_generated_at";
    private const int RowsPerPage = 1000;
    private const int Polls = 90;
    private static readonly TimeSpan BetweenPolls = TimeSpan.FromSeconds(2);

    /// <summary>The report's columns in their order, and the time at which the report was generated.</summary>
    public static ImmutableArray<Column> Columns { get; } =
    [
        Text("user"), Text("arn"), Time("user_creation_time"),
        Flag("password_enabled"), Time("password_last_used"), Time("password_last_changed"), Time("password_next_rotation"), Flag("mfa_active"),
        .. Key(1), .. Key(2),
        Flag("cert_1_active"), Time("cert_1_last_rotated"), Flag("cert_2_active"), Time("cert_2_last_rotated"),
        Time(GeneratedAt),
    ];

    /// <summary>The operations called for the table: the report must be generated before it can be read.</summary>
    public static ImmutableArray<string> Reads { get; } = ["iam:GenerateCredentialReport", "iam:GetCredentialReport"];

    /// <summary>Whether this decoder reads the operation.</summary>
    public static bool Is(ServiceModel service, OperationModel operation) => service.Name == "iam" && operation.Name == "GetCredentialReport";

    /// <summary>Waits until the provider has generated a report, and reads it.</summary>
    /// <exception cref="CollectionException">The report is not ready in time, or the response is not a valid report.</exception>
    public async IAsyncEnumerable<Page> ReadAsync(
        AwsSession session, ServiceModel service, OperationModel operation, string region, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await WaitUntilReadyAsync(session, service, region, cancellationToken);
        var answer = await session.CallAsync(service, operation, [], region, cancellationToken);
        foreach (var page in Pages(answer.Body))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return page;
        }
    }

    /// <summary>Yields the rows of a report. A row's pointer counts lines, as if <c>/Content</c> were the list of them.</summary>
    /// <exception cref="CollectionException">The response is not a valid report.</exception>
    public static IEnumerable<Page> Pages(ReadOnlyMemory<byte> answer)
    {
        var generated = Guarded(() => GeneratedTime(answer));
        using var xml = Guarded(() => AtContent(answer));
        using var text = new StreamReader(new ElementBytes(xml), new UTF8Encoding(false, throwOnInvalidBytes: true));
        var header = Guarded(() => CsvRecord(text)) ?? throw Malformed("the credential report is empty");
        var missing = Columns.Select(c => c.Name).Except(header).Where(n => n != GeneratedAt).ToArray();
        if (missing.Length > 0)
            throw Malformed($"the credential report has no column {string.Join(", ", missing)}");
        var types = header.Select(h => Columns.FirstOrDefault(c => c.Name == h)?.Type ?? ColumnType.Text).ToArray();
        var rows = ImmutableArray.CreateBuilder<PageRow>();
        var line = 0;
        while (Guarded(() => CsvRecord(text)) is { } cells)
        {
            if (cells.Count != header.Count)
            {
                throw Malformed(string.Create(
                    CultureInfo.InvariantCulture, $"line {line + 2} of the credential report has {cells.Count} cells, not {header.Count}"));
            }
            rows.Add(new(Row(header, types, cells, generated), string.Create(CultureInfo.InvariantCulture, $"/Content/{line++}")));
            if (rows.Count == RowsPerPage)
            {
                yield return new(rows.ToImmutable());
                rows.Clear();
            }
        }
        yield return new(rows.ToImmutable());
    }

    private async Task WaitUntilReadyAsync(AwsSession session, ServiceModel service, string region, CancellationToken cancellationToken)
    {
        var generate = service.Operation("GenerateCredentialReport")!;
        for (var poll = 0; poll < Polls; poll++)
        {
            if (poll > 0 && clock is not null)
                await Task.Delay(BetweenPolls, clock, cancellationToken);
            var answer = TypedJson.Read(service, generate, await session.CallAsync(service, generate, [], region, cancellationToken));
            if (answer.TryGetProperty("State", out var state) && state.GetString() == "COMPLETE")
                return;
        }
        throw new CollectionException(AwsCodes.ReportNotReady, $"the credential report was not ready after {Polls * BetweenPolls.TotalSeconds:0} seconds");
    }

    private static JsonElement Row(List<string> header, ColumnType[] types, List<string> cells, string generated)
    {
        using var content = new MemoryStream(512);
        using (var writer = new Utf8JsonWriter(content))
        {
            writer.WriteStartObject();
            for (var i = 0; i < cells.Count; i++)
            {
                writer.WritePropertyName(header[i]);
                Cell(writer, types[i], cells[i]);
            }
            writer.WriteString(GeneratedAt, generated);
            writer.WriteEndObject();
        }
        using var document = JsonDocument.Parse(content.GetBuffer().AsMemory(0, (int)content.Length));
        return document.RootElement.Clone();
    }

    private static void Cell(Utf8JsonWriter writer, ColumnType type, string cell)
    {
        if (cell is "N/A" or "not_supported" or "no_information")
            writer.WriteNullValue();
        else if (type == ColumnType.Boolean && cell is "true" or "TRUE" or "True")
            writer.WriteBooleanValue(true);
        else if (type == ColumnType.Boolean && cell is "false" or "FALSE" or "False")
            writer.WriteBooleanValue(false);
        else if (type == ColumnType.Timestamp)
            writer.WriteStringValue(Timestamps.From(cell) ?? cell);
        else
            writer.WriteStringValue(cell);
    }

    private static string GeneratedTime(ReadOnlyMemory<byte> answer)
    {
        // Read to the end although the time is found earlier, so that a truncated response is detected.
        using var reader = Open(answer);
        string? time = null;
        var contents = 0;
        while (!reader.EOF)
        {
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "GeneratedTime" })
            {
                time ??= Timestamps.From(reader.ReadElementContentAsString());
                continue;
            }
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "Content" } && ++contents > 1)
                throw Malformed("the response has two credential reports");
            reader.Read();
        }
        return time ?? throw Malformed("the credential report does not say when it was made");
    }

    private static XmlReader AtContent(ReadOnlyMemory<byte> answer)
    {
        var reader = Open(answer);
        return reader.ReadToFollowing("Content") ? reader : throw Malformed("the response has no credential report");
    }

    private static XmlReader Open(ReadOnlyMemory<byte> answer) => XmlReader.Create(
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(answer, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(answer.ToArray(), writable: false),
        AnswerElement.Settings);

    /// <summary>Reads one record of RFC 4180; null at the end.</summary>
    private static List<string>? CsvRecord(StreamReader text)
    {
        if (text.Peek() < 0)
            return null;
        var cells = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        for (int c; (c = text.Read()) >= 0;)
        {
            if (quoted && c == '"' && text.Peek() == '"')
                cell.Append((char)text.Read());
            else if (c == '"')
                quoted = !quoted;
            else if (!quoted && c == ',')
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else if (!quoted && c == '\n')
                break;
            else if (quoted || c != '\r')
                cell.Append((char)c);
        }
        if (quoted)
            throw new FormatException("a quoted cell does not end");
        cells.Add(cell.ToString());
        return cells;
    }

    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is XmlException or FormatException or DecoderFallbackException)
        {
            throw Malformed($"the credential report cannot be read: {e.Message}", e);
        }
    }

    private static CollectionException Malformed(string message, Exception? inner = null) => new(Codes.MalformedResponse, message, inner);

    private static Column Text(string name) => new(name, ColumnType.Text);
    private static Column Flag(string name) => new(name, ColumnType.Boolean);
    private static Column Time(string name) => new(name, ColumnType.Timestamp);

    private static Column[] Key(int number) =>
    [
        Flag($"access_key_{number}_active"), Time($"access_key_{number}_last_rotated"), Time($"access_key_{number}_last_used_date"),
        Text($"access_key_{number}_last_used_region"), Text($"access_key_{number}_last_used_service"),
    ];

    /// <summary>Decodes the base64 content of an element while it is read.</summary>
    private sealed class ElementBytes(XmlReader reader) : ReadOnlyStream
    {
        private readonly byte[] _chunk = new byte[16 * 1024];
        private bool _ended;

        public override int Read(Span<byte> buffer)
        {
            if (_ended)
                return 0;
            var read = reader.ReadElementContentAsBase64(_chunk, 0, Math.Min(buffer.Length, _chunk.Length));
            // After the end the reader is positioned on the next element; another call would read that one.
            _ended = read == 0;
            _chunk.AsSpan(0, read).CopyTo(buffer);
            return read;
        }
    }
}
