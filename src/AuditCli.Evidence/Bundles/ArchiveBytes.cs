using Microsoft.Win32.SafeHandles;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// The bytes of an archive: a file, or a part of one where an archive lies uncompressed inside another. Positions are from its own
/// beginning, so that no read reaches what surrounds it.
/// </summary>
internal readonly record struct ArchiveBytes(SafeFileHandle File, long Start, long Length)
{
    /// <summary>Reads the next bytes at a position; returns 0 at the end.</summary>
    public int Read(Span<byte> buffer, long at)
    {
        var left = Length - at;
        return left <= 0 ? 0 : RandomAccess.Read(File, buffer.Length > left ? buffer[..(int)left] : buffer, Start + at);
    }

    /// <summary>Returns the bytes of a part.</summary>
    public ArchiveBytes Part(long at, long length) => new(File, Start + at, length);
}
