using Microsoft.Win32.SafeHandles;

namespace AuditCli.Collectors.Running;

/// <summary>
/// Keeps what a run needs again and memory should not hold, in one file for the whole run, because a process may have few files open. The
/// file is in the unfinished bundle's folder, has no name, and does not outlive the process. Any number of callers may use it.
/// </summary>
internal sealed class ScratchFile(string folder) : IDisposable
{
    private readonly Lock _opening = new();
    private SafeFileHandle? _file;
    private long _length;

    /// <summary>Appends the bytes, and returns where they are.</summary>
    /// <exception cref="IOException">The file cannot be created or written.</exception>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        lock (_opening)
            _file ??= Open();
        var at = Interlocked.Add(ref _length, bytes.Length) - bytes.Length;
        RandomAccess.Write(_file, bytes, at);
        return at;
    }

    /// <summary>Reads bytes that were appended.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public byte[] Read(long at, int length)
    {
        var bytes = new byte[length];
        for (var read = 0; read < length;)
        {
            var more = RandomAccess.Read(_file!, bytes.AsSpan(read), at + read);
            read += more > 0 ? more : throw new IOException("the run's own file ends before what was written to it");
        }
        return bytes;
    }

    public void Dispose() => _file?.Dispose();

    private SafeFileHandle Open()
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, FileOptions.DeleteOnClose);
        // The name goes at once, so that no interruption leaves the file in a bundle. Windows deletes it when the process ends.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return file;
    }
}
