namespace AuditCli.Evidence.Warc;

/// <summary>
/// A new file that is appended to, and that is open only during a write. A run writes thousands of such files at the same time,
/// one for each service and region of each account, and a process may have few files open at once (<c>ulimit -n</c>). Each write
/// reaches the operating system before it returns. It allows one caller at a time.
/// </summary>
internal sealed class GrowingFile(string path) : WriteOnlyStream
{
    private long _length;
    private bool _made;
    private bool _closed;

    /// <summary>The file's path, also before the file exists.</summary>
    public string Name => path;

    public override bool CanWrite => !_closed;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Creates the empty file, so that a second one of that name is refused at once rather than at the first write.
    /// </summary>
    /// <exception cref="IOException">It exists, or cannot be created.</exception>
    public static GrowingFile Create(string path)
    {
        var file = new GrowingFile(path);
        file.Write([]);
        return file;
    }

    /// <summary>Appends the bytes; the first write creates the file.</summary>
    /// <exception cref="IOException">
    /// It exists before the first write, is not as the last write left it, or the write fails.
    /// </exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        using var handle = File.OpenHandle(path, _made ? FileMode.Open : FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _made = true;
        // The file is closed between two writes. If its length differs, another program wrote to it and its content is unknown.
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

    /// <summary>Flushes the file to the disk. Does nothing before the first write, because there is no file yet.</summary>
    /// <exception cref="IOException">The file is gone, or flushing fails.</exception>
    public void Synchronise()
    {
        if (!_made)
            return;
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Does nothing: each write has already reached the operating system.</summary>
    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        _closed = true;
        base.Dispose(disposing);
    }
}
