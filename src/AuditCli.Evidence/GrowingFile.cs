namespace AuditCli.Evidence;

/// <summary>
/// A new file that grows at its end and is open only while something is written to it. A run has thousands of them under way, one for
/// each service and region of each account, and a process may have few files open at once (<c>ulimit -n</c>). Each write reaches the
/// operating system before it returns. One caller at a time.
/// </summary>
internal sealed class GrowingFile(string path) : Stream
{
    private long _length;
    private bool _made;
    private bool _closed;

    /// <summary>Where the file is, or will be.</summary>
    public string Name => path;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_closed;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <summary>Makes the empty file, so that a second one of that name is refused at once rather than at the first write.</summary>
    /// <exception cref="IOException">It exists, or cannot be made.</exception>
    public static GrowingFile Create(string path)
    {
        var file = new GrowingFile(path);
        file.Write([]);
        return file;
    }

    /// <summary>Appends; the first write makes the file.</summary>
    /// <exception cref="IOException">It exists although nothing was written yet, is not as the last write left it, or refuses the bytes.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        using var handle = File.OpenHandle(path, _made ? FileMode.Open : FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _made = true;
        // Between two writes anybody could write to it: then nobody knows any more what it holds.
        if (RandomAccess.GetLength(handle) is var found && found != _length)
            throw new IOException($"it has {found} bytes instead of the {_length} that were written to it: another program changed it");
        RandomAccess.Write(handle, buffer, _length);
        _length += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    /// <summary>Brings what was written to the disk. Without a write there is no file, and nothing to do.</summary>
    /// <exception cref="IOException">The file is gone, or the disk refuses.</exception>
    public void Synchronise()
    {
        if (!_made)
            return;
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Nothing waits here: each write reached the operating system.</summary>
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _closed = true;
        base.Dispose(disposing);
    }
}
