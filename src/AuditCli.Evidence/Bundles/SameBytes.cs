namespace AuditCli.Evidence.Bundles;

/// <summary>Compares what is written with the bytes of a file, from its beginning.</summary>
internal sealed class SameBytes(FileBytes file) : WriteOnlyStream
{
    private readonly byte[] _buffer = new byte[TarEntries.Block];
    private long _at;
    private bool _differs;

    /// <summary>Whether everything was equal, up to the end of the file.</summary>
    public bool IsWhole => !_differs && _at == file.Length;

    /// <summary>Goes over bytes that somebody else compares.</summary>
    public void Skip(long count) => _at += count;

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!_differs && !buffer.IsEmpty)
        {
            var part = buffer[..Math.Min(buffer.Length, _buffer.Length)];
            var there = file.Fill(_buffer.AsSpan(0, part.Length), _at);
            _differs = !part.SequenceEqual(_buffer.AsSpan(0, there));
            _at += there;
            buffer = buffer[part.Length..];
        }
    }

    public override void Flush()
    {
    }
}
