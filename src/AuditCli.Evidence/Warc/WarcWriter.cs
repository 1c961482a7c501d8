using System.IO.Compression;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// Appends WARC 1.1 records (ISO 28500:2017) to a stream, one gzip member per record. It is safe for any number of callers:
/// records are compressed in parallel and written one group after another, so each group stays together. After a failed write
/// every later one fails, because it is unknown how much of it reached the file.
/// </summary>
/// <param name="output">The stream, which the caller disposes.</param>
/// <param name="name">The output's name in errors, usually its path.</param>
public sealed class WarcWriter(Stream output, string name, CompressionLevel level) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private IOException? _failure;

    /// <summary>Compresses records into the form they have in a file: one gzip member each.</summary>
    public static ReadOnlyMemory<byte> Compress(IReadOnlyList<WarcRecord> records, CompressionLevel level)
    {
        // Compressed responses are a tenth of their size or less. A stream that starts small and doubles would copy all of it
        // repeatedly.
        var members = new MemoryStream(1024 + records.Sum(r => r.Block.Length / 4));
        foreach (var record in records)
        {
            using var gzip = new GZipStream(members, level, leaveOpen: true);
            gzip.Write(WarcFormat.Head("WARC/1.1", record.Fields));
            gzip.Write(record.Block.Span);
            gzip.Write("\r\n\r\n"u8);
        }
        return members.GetBuffer().AsMemory(0, (int)members.Length);
    }

    /// <summary>Writes records next to each other; returns when the operating system has the bytes.</summary>
    /// <exception cref="IOException">This write or an earlier one failed; the message names the stream.</exception>
    /// <exception cref="OperationCanceledException">
    /// Cancelled before anything was written; a write that has started is completed.
    /// </exception>
    public async ValueTask WriteAsync(IReadOnlyList<WarcRecord> records, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var bytes = Compress(records, level);
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_failure is { } earlier)
                throw new IOException($"{name}: nothing more is recorded after a failed write: {earlier.Message}", earlier);
            // A cancelled write would leave half a record in the middle of the file.
            await output.WriteAsync(bytes, CancellationToken.None);
            await output.FlushAsync(CancellationToken.None);
        }
        catch (Exception e) when (_failure is null && e is IOException or UnauthorizedAccessException)
        {
            _failure = new($"{name}: {e.Message}", e);
            throw _failure;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits until no write is in progress.</summary>
    /// <exception cref="IOException">A write has failed.</exception>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_failure is { } earlier)
                throw new IOException(earlier.Message, earlier);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
