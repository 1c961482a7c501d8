using System.Collections.Immutable;
using System.IO.Compression;
using System.Runtime.ExceptionServices;
using System.Text;

namespace AuditCli.Collectors.Http;

/// <summary>Something in a file that has the form of a credential.</summary>
/// <param name="File">From the folder that was searched, with '/' between its parts.</param>
/// <param name="Offset">In characters, after decompression.</param>
public sealed record CredentialFound(string File, long Offset);

/// <summary>
/// Searches finished files for whatever has the form of a credential: the last look before a bundle is sealed, at everything in it
/// and not at answers alone.
/// </summary>
public static class CredentialScan
{
    private const int Window = 1 << 20;

    /// <summary>Longer than any credential but a private key, whose first line is enough.</summary>
    private const int Overlap = 4096;

    /// <summary>Each has a buffer of two megabytes.</summary>
    private const int MostWorkers = 4;

    /// <summary>The first find in each file below a folder, gzip files decompressed, in the order of their paths.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ImmutableArray<CredentialFound> Find(string folder, CancellationToken cancellationToken)
    {
        // One buffer for each worker and not for each file: a run of many accounts has ten thousands of small ones.
        using var buffers = new ThreadLocal<char[]>(() => new char[Window + Overlap]);
        try
        {
            return
            [
                .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                    .Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/'))
                    .Order(StringComparer.Ordinal)
                    .AsParallel().AsOrdered().WithDegreeOfParallelism(Math.Min(Environment.ProcessorCount, MostWorkers)).WithCancellation(cancellationToken)
                    .Select(f => (File: f, Offset: First(Path.Combine(folder, f), buffers.Value!, cancellationToken)))
                    .Where(f => f.Offset >= 0)
                    .Select(f => new CredentialFound(f.File, f.Offset)),
            ];
        }
        catch (AggregateException e)
        {
            // Whoever asks knows what a file that cannot be read throws, and nothing of the workers.
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            throw;
        }
    }

    /// <summary>The line, from 1, of the first find in one file; null where there is none.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static long? FirstLine(string path, CancellationToken cancellationToken)
    {
        if (First(path, new char[Window + Overlap], cancellationToken) is not (>= 0 and var offset))
            return null;
        using var reader = new StreamReader(path, Encoding.Latin1, detectEncodingFromByteOrderMarks: false);
        var line = 1L;
        for (int c; offset-- > 0 && (c = reader.Read()) >= 0;)
            line += c == '\n' ? 1 : 0;
        return line;
    }

    private static long First(string path, char[] buffer, CancellationToken cancellationToken)
    {
        // The index of evidence is still open for writing.
        using var raw = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using Stream content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(raw, CompressionMode.Decompress) : raw;
        using var reader = new StreamReader(content, Encoding.Latin1, detectEncodingFromByteOrderMarks: false);
        var (kept, start) = (0, 0L);
        for (int read; (read = reader.ReadBlock(buffer, kept, Window)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = kept + read;
            if (CredentialForms.First(buffer.AsSpan(0, length)) is >= 0 and var found)
                return start + found;
            kept = Math.Min(Overlap, length);
            buffer.AsSpan(length - kept, kept).CopyTo(buffer);
            start += length - kept;
        }
        return -1;
    }
}
