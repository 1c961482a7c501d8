using System.IO.Compression;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// Writes one file of recorded exchanges (WARC 1.1), safe for any number of callers. Raw bytes are recorded before they are
/// interpreted: an append returns once the operating system has them. The first append creates the file, so that without an
/// exchange there is no file. The file is open only during appends, so that any number of logs can exist at once.
/// <see cref="CompleteAsync"/> (or disposal) flushes it to the disk.
/// </summary>
/// <param name="path">A file that does not exist; its folder is created when needed.</param>
/// <param name="seed">Makes record identifiers unique between files: bundle ID and path in the bundle.</param>
/// <param name="software">The program that writes it, for the <c>warcinfo</c> record.</param>
/// <param name="level">Fastest never slows down a collection; files with Optimal are about 29 % smaller.</param>
public sealed class ExchangeLog(string path, string seed, string software, CompressionLevel level = CompressionLevel.Fastest) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private GrowingFile? _file;
    private WarcWriter? _writer;
    private long _ordinal;
    private bool _closed;

    /// <summary>The file's path, also before the file exists.</summary>
    public string FilePath => path;

    /// <summary>Records one attempt, and returns the identifiers of its two records.</summary>
    /// <exception cref="IOException">This append or an earlier one failed; the message names the file.</exception>
    /// <exception cref="ArgumentException">
    /// The exchange cannot be put into records; see <see cref="WarcFormat.Records"/>.
    /// </exception>
    public async ValueTask<ExchangeIds> AppendAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        var (request, answer) = WarcFormat.Records(seed, Interlocked.Increment(ref _ordinal), exchange);
        return await WriteAsync(request, answer, exchange.Date, cancellationToken);
    }

    /// <summary>
    /// Copies recorded records unchanged, identifiers and dates included, so that references to them are the same live and
    /// replayed.
    /// </summary>
    /// <exception cref="IOException">See <see cref="AppendAsync"/>.</exception>
    /// <exception cref="InvalidDataException">The second record is not the response to the first.</exception>
    public ValueTask<ExchangeIds> AppendCopyAsync(WarcRecord request, WarcRecord answer, CancellationToken cancellationToken)
    {
        if (request.Type != "request" || answer.Type is not ("response" or "metadata") || answer.ConcurrentTo != request.Id)
            throw new InvalidDataException($"{answer.Id} is not the response to {request.Id}");
        return WriteAsync(request, answer, WarcFormat.Date(request), cancellationToken);
    }

    /// <summary>
    /// Flushes everything to the disk and closes the file; nothing can be appended afterwards. It does not create a file.
    /// </summary>
    /// <exception cref="IOException">A write has failed, or flushing fails.</exception>
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
            using var writer = _writer ?? throw new IOException("the file could not be created");
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

    /// <summary>
    /// Completes the log like <see cref="CompleteAsync"/>; callers dispose it after their last append has returned.
    /// </summary>
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
                throw new IOException($"{path}: nothing more is recorded, because the file could not be created");
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
