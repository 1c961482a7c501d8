using Microsoft.Win32.SafeHandles;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// The bytes of a file, or a part of them where a file lies uncompressed in an archive. Positions are from its own beginning, so that no
/// read reaches what surrounds it.
/// </summary>
internal readonly record struct FileBytes(SafeFileHandle File, long Start, long Length)
{
    /// <summary>Opens a regular file.</summary>
    /// <inheritdoc cref="SafeFile.Hash(string, CancellationToken)" path="/exception"/>
    public static (FileBytes Bytes, IDisposable Owner) Open(string path)
    {
        var file = SafeFile.OpenRead(path);
        try
        {
            return (new(file, 0, SafeFile.Size(file, path)), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next bytes at a position; returns 0 at the end.</summary>
    public int Read(Span<byte> buffer, long at)
    {
        var left = Length - at;
        return left <= 0 ? 0 : RandomAccess.Read(File, buffer.Length > left ? buffer[..(int)left] : buffer, Start + at);
    }

    /// <summary>Fills a buffer from a position; returns how much there was up to the end.</summary>
    public int Fill(Span<byte> buffer, long at)
    {
        var filled = 0;
        for (int read; filled < buffer.Length && (read = Read(buffer[filled..], at + filled)) > 0;)
            filled += read;
        return filled;
    }

    /// <summary>Returns the bytes of a part.</summary>
    public FileBytes Part(long at, long length) => new(File, Start + at, length);
}
