using System.IO.Compression;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// One file of recorded exchanges (WARC 1.1), safe for any number of callers. Raw bytes are kept before they are interpreted: an
/// append returns once they are with the operating system. The file is made by the first append, so that nothing asked leaves no
/// file, and is open only during appends, so that any number of logs can be under way. <see cref="CompleteAsync"/> (or disposal)
/// brings it to the disk.
/// </summary>
/// <param name="path">Must not exist; its folder is made when needed.</param>
/// <param name="seed">Makes record identifiers unique between files: bundle id and path in the bundle.</param>
/// <param name="software">Who wrote it, for the <c>warcinfo</c> record.</param>
/// <param name="level">Fastest never limits a collection; Optimal files are about 29 % smaller.</param>
public sealed class ExchangeLog(string path, string seed, string software, CompressionLevel level = CompressionLevel.Fastest) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private GrowingFile? _file;
    private WarcWriter? _writer;
    private long _ordinal;
    private bool _closed;

    /// <summary>Where the file is, or will be.</summary>
    public string FilePath => path;

    /// <summary>Keeps one attempt, and returns the identifiers of its two records.</summary>
    /// <exception cref="IOException">The bytes could not be written, now or at an earlier append; the message names the file.</exception>
    /// <exception cref="ArgumentException">The exchange cannot be put into records; see <see cref="WarcFormat.Records"/>.</exception>
    public async ValueTask<ExchangeIds> AppendAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        var (request, answer) = WarcFormat.Records(seed, Interlocked.Increment(ref _ordinal), exchange);
        return await WriteAsync(request, answer, exchange.Date, cancellationToken);
    }

    /// <summary>
    /// Keeps recorded records as they are, identifiers and dates included, so that what refers to them is the same live and replayed.
    /// </summary>
    /// <exception cref="IOException">As <see cref="AppendAsync"/>.</exception>
    /// <exception cref="InvalidDataException">The second record does not answer the first.</exception>
    public ValueTask<ExchangeIds> AppendCopyAsync(WarcRecord request, WarcRecord answer, CancellationToken cancellationToken)
    {
        if (request.Type != "request" || answer.Type is not ("response" or "metadata") || answer.ConcurrentTo != request.Id)
            throw new InvalidDataException($"{answer.Id} does not answer {request.Id}");
        return WriteAsync(request, answer, WarcFormat.Date(request), cancellationToken);
    }

    /// <summary>Brings everything to the disk and closes the file; nothing can be appended afterwards. No file is made by this.</summary>
    /// <exception cref="IOException">A write has failed, or the disk refuses.</exception>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_closed)
                return;
            _closed = true;
            if (_file is null)
                return;
            using var writer = _writer ?? throw new IOException("the file could not be begun");
            await writer.CompleteAsync(cancellationToken);
            _file.Synchronise();
        }
        catch (IOException e) when (!e.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new IOException($"{path}: {e.Message}", e);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>As <see cref="CompleteAsync"/>; callers dispose after their last append has returned.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await CompleteAsync(CancellationToken.None);
        }
        finally
        {
            _opening.Dispose();
        }
    }

    private async ValueTask<ExchangeIds> WriteAsync(WarcRecord request, WarcRecord answer, DateTimeOffset date, CancellationToken cancellationToken)
    {
        var writer = Volatile.Read(ref _writer) ?? await OpenAsync(date, cancellationToken);
        await writer.WriteAsync([request, answer], cancellationToken);
        return new(request.Id, answer.Id);
    }

    private async ValueTask<WarcWriter> OpenAsync(DateTimeOffset date, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_writer is { } open)
                return open;
            if (_file is not null)
                throw new IOException($"{path}: nothing more is recorded, because the file could not be begun");
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            _file = GrowingFile.Create(path);
            var writer = new WarcWriter(_file, path, level);
            await writer.WriteAsync([WarcFormat.Info(seed, Path.GetFileName(path), date,
            [
                new("software", software),
                new("format", "WARC File Format 1.1"),
                new("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"),
            ])], CancellationToken.None);
            Volatile.Write(ref _writer, writer);
            return writer;
        }
        finally
        {
            _opening.Release();
        }
    }
}
