namespace AuditCli.Evidence.Warc;

/// <summary>
/// The request of one recorded attempt, and its position in the file; the response stays in the file until it is read.
/// </summary>
/// <param name="AskedFor">See <see cref="HttpExchange.AskedFor"/>; null also in files of versions that did not record it.</param>
public sealed record RecordedRequest(
    string RequestId,
    string AnswerId,
    Uri Uri,
    DateTimeOffset Date,
    HttpBlock Request,
    string? AskedFor,
    long RequestOffset,
    long AnswerOffset);

/// <summary>One recorded attempt: its records as they are in the file, and the exchange that they hold.</summary>
public sealed record RecordedExchange(WarcRecord Request, WarcRecord Answer, HttpExchange Exchange);

/// <summary>
/// Reads a file that <see cref="ExchangeLog"/> wrote: first its requests in order, later single responses by position. It keeps
/// no file open.
/// </summary>
/// <param name="open">Opens the file at its beginning; the stream must be seekable.</param>
/// <param name="path">The file's name in messages.</param>
public sealed class RecordedExchanges(Func<Stream> open, string path, int maxRecordBytes = WarcReader.DefaultMaxRecordBytes)
{
    /// <summary>Reads a file on the disk.</summary>
    public RecordedExchanges(string path, int maxRecordBytes = WarcReader.DefaultMaxRecordBytes)
        : this(() => RegularFile.OpenRead(path, bufferSize: 64 * 1024), path, maxRecordBytes)
    {
    }

    /// <summary>
    /// Returns every request in the order of the responses; a caller that keeps only offsets needs memory for those alone.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The file is truncated or altered, or a request has no response; the message has file and offset.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<RecordedRequest> Requests() => Pairs().Select(p => new RecordedRequest(
        p.Request.Id, p.Answer.Id, Named(() => WarcFormat.TargetUri(p.Request)), Named(() => WarcFormat.Date(p.Request)),
        Named(() => WarcFormat.Http(p.Request)), p.Request[WarcFormat.AskedFor], p.RequestOffset, p.AnswerOffset));

    /// <summary>Returns every attempt, with its response, in the order of the responses.</summary>
    /// <inheritdoc cref="Requests" path="/exception"/>
    public IEnumerable<RecordedExchange> All() => Pairs().Select(p => Whole(p.Request, p.Answer));

    /// <summary>Reads the attempt at these offsets, which come from <see cref="Requests"/>.</summary>
    /// <exception cref="InvalidDataException">There are no such records there, or they are altered.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public RecordedExchange Read(long requestOffset, long answerOffset)
    {
        using var file = open();
        return Whole(ReadAt(file, requestOffset), ReadAt(file, answerOffset));
    }

    private IEnumerable<(WarcRecord Request, long RequestOffset, WarcRecord Answer, long AnswerOffset)> Pairs()
    {
        using var file = open();
        var reader = new WarcReader(file, maxRecordBytes);
        var asked = new Dictionary<string, (WarcRecord Record, long Offset)>(StringComparer.Ordinal);
        foreach (var (record, position) in reader.ReadAll())
        {
            Named(() => WarcFormat.RequireDigests(record));
            if (record.Type == "request" && !asked.TryAdd(record.Id, (record, position.Offset)))
                throw new InvalidDataException($"{path}: {record.Id} occurs twice, again at byte {position.Offset}");
            if (record.Type is "response" or "metadata" && record.ConcurrentTo is { } request)
            {
                if (!asked.Remove(request, out var question))
                    throw new InvalidDataException($"{path}: the response at byte {position.Offset} has no request");
                yield return (question.Record, question.Offset, record, position.Offset);
            }
        }
        if (reader.Damage is { } damage)
            throw new InvalidDataException($"{path}: {damage.Reason}, at byte {damage.Offset}");
        if (asked.Count > 0)
            throw new InvalidDataException($"{path}: the request at byte {asked.Values.Min(a => a.Offset)} has no response");
    }

    private RecordedExchange Whole(WarcRecord request, WarcRecord answer) =>
        new(request, answer, Named(() => WarcFormat.Exchange(request, answer)));

    private WarcRecord ReadAt(Stream file, long offset)
    {
        file.Position = offset;
        var reader = new WarcReader(file, maxRecordBytes);
        var record = reader.Read()?.Record ?? throw new InvalidDataException($"{path}: {reader.Damage?.Reason ?? "no record"}, at byte {offset}");
        return Named(() => WarcFormat.RequireDigests(record));
    }

    private T Named<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }
}
