using System.IO.Compression;
using AuditCli.Evidence.Warc;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Reads one file of an archive, once and forwards, and checks that it matches the archive's description of it.
/// </summary>
internal sealed class ArchiveContent : IDisposable
{
    private readonly string _path;
    private readonly ArchiveMember _member;
    private readonly Stored _stored;
    private readonly DeflateStream? _inflated;
    private long _read;
    private uint _crc;

    public ArchiveContent(FileBytes archive, string path, ArchiveMember member)
    {
        (_path, _member) = (path, member);
        _stored = new(archive, member.Offset, member.Stored, single: member.Deflated);
        _inflated = member.Deflated ? new(_stored, CompressionMode.Decompress, leaveOpen: true) : null;
    }

    public long Size => _member.Size;

    /// <summary>Reads the next bytes; returns 0 at the end, after the checks of <see cref="End"/>.</summary>
    public int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = buffer.IsEmpty ? 0 : (_inflated ?? (Stream)_stored).Read(buffer);
        }
        catch (InvalidDataException)
        {
            throw new UnsafeContainerException(_path, "its compressed bytes are damaged");
        }
        if (read == 0)
        {
            End();
            return 0;
        }
        _read += read;
        if (_read > _member.Size)
            throw Lie($"is larger than the {_member.Size} bytes that the archive says");
        if (_member.Crc is not null)
            _crc = Crc32.Append(_crc, buffer[..read]);
        return read;
    }

    /// <summary>Checks that no bytes are left, and that size and checksum are those that the archive states.</summary>
    public void End()
    {
        Span<byte> more = stackalloc byte[1];
        try
        {
            if (_inflated is not null && _inflated.Read(more) > 0)
                throw Lie($"is larger than the {_member.Size} bytes that the archive says");
        }
        catch (InvalidDataException)
        {
            throw new UnsafeContainerException(_path, "its compressed bytes are damaged");
        }
        if (_read != _member.Size)
            throw Lie($"has {_read} bytes and not the {_member.Size} that the archive says");
        if (_stored.Left > 0)
            throw Lie("has bytes after its compressed content");
        if (_stored.IsStarved)
            throw Lie("has compressed content without an end");
        if (_member.Crc is { } crc && crc != _crc)
            throw Lie("does not match the CRC-32 in the archive");
    }

    public void Dispose() => _inflated?.Dispose();

    private UnsafeContainerException Lie(string message) => new(_path, message);

    /// <summary>
    /// Reads the stored bytes. For compressed content the last ones are handed out one by one: an inflater takes all the bytes it
    /// is given and requests no more once the content has ended. So bytes hidden after the content are left over here, and a
    /// missing end shows as a request for more.
    /// </summary>
    private sealed class Stored(FileBytes archive, long offset, long left, bool single) : ReadOnlyStream
    {
        private const int Singles = 64;

        public long Left { get; private set; } = left;

        /// <summary>Whether the inflater requested more bytes than there are.</summary>
        public bool IsStarved { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            IsStarved |= single && Left == 0;
            var most = !single ? Left : Left > Singles ? Left - Singles : Math.Min(1, Left);
            if (most == 0 || buffer.IsEmpty)
                return 0;
            var read = archive.Read(buffer[..(int)Math.Min(buffer.Length, most)], offset);
            offset += read;
            Left -= read;
            return read;
        }
    }
}
