namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Reads a large sealed file block by block. Before any byte of a block is returned, the block is compared with its digest from
/// when the whole file was compared with the manifest. So a file that is replaced or overwritten while it is read never gives
/// other content.
/// </summary>
internal sealed class SealedStream(FileBytes bytes, IDisposable? owner, string name, SealedBlocks blocks) : Stream
{
    private readonly byte[] _block = new byte[SealedBlocks.Size];
    private long _loaded = -1;
    private int _length;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => blocks.Length;

    public override long Position { get; set; }

    /// <exception cref="InvalidDataException">The next block is not the one that was sealed; the message names the file.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (Position >= Length || buffer.IsEmpty)
            return 0;
        var number = Position / SealedBlocks.Size;
        if (number != _loaded)
            Load(number);
        var offset = (int)(Position % SealedBlocks.Size);
        var read = Math.Min(buffer.Length, _length - offset);
        _block.AsSpan(offset, read).CopyTo(buffer);
        Position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            owner?.Dispose();
        base.Dispose(disposing);
    }

    private void Load(long number)
    {
        _loaded = -1;
        var start = number * SealedBlocks.Size;
        _length = (int)Math.Min(SealedBlocks.Size, Length - start);
        if (bytes.Fill(_block.AsSpan(0, _length), start) < _length || Digest.Of(_block.AsSpan(0, _length)) != blocks.Digests[(int)number])
            throw SealedFiles.Changed(name);
        _loaded = number;
    }
}

/// <summary>The digests of a file's blocks, computed while the whole file was compared with the manifest.</summary>
/// <param name="Length">The size of the file in bytes.</param>
internal sealed record SealedBlocks(long Length, IReadOnlyList<Digest> Digests)
{
    /// <summary>The size of each block except the last, in bytes: a file of 10 GiB needs about 3 MB of digests.</summary>
    public const int Size = 128 * 1024;
}
