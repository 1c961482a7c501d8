using System.Runtime.InteropServices;
using System.Text;

namespace AuditCli.Evidence;

/// <summary>
/// Opens files that people name: engagements, controls, inputs, keys, credentials. A pipe, socket or device is refused at once; opened like a
/// file, a pipe to which nobody writes would stop the program without a word, and a device might never end.
/// </summary>
public static class RegularFile
{
    private const int NoOtherEnd = 6;

    /// <summary>Returns why a path must not be opened as a file; null if it may be, or if opening it fails by itself.</summary>
    public static string? WhyNot(string path)
    {
        // Windows has no such entries in folders.
        if (OperatingSystem.IsWindows() || Directory.Exists(path))
            return null;
        const string message = "is a pipe, socket or device, not a regular file; copy its content to a file";
        var descriptor = Open([.. Encoding.UTF8.GetBytes(path), 0], ReadOnlyWithoutWaiting);
        if (descriptor < 0)
            return Marshal.GetLastPInvokeError() == NoOtherEnd ? message : null;
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            // A device has no length, and content all the same.
            return RandomAccess.GetLength(handle) == 0 && RandomAccess.Read(handle, new byte[1], 0) > 0 ? message : null;
        }
        catch (Exception e) when (e is NotSupportedException or IOException or UnauthorizedAccessException)
        {
            return message;
        }
    }

    /// <summary>Opens a file for reading from its beginning.</summary>
    /// <exception cref="IOException">It is not a regular file, does not exist, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It is a folder, or may not be read.</exception>
    public static FileStream OpenRead(string path, int bufferSize = 4096) => WhyNot(path) is { } why
        ? throw new IOException($"{path} {why}")
        : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize);

    /// <summary>Opens a part of a file, such as a file that lies uncompressed in an archive.</summary>
    /// <inheritdoc cref="OpenRead"/>
    public static Stream OpenPart(string path, long offset, long length)
    {
        var file = OpenRead(path, bufferSize: 16 * 1024);
        return new FilePart(file, offset, length);
    }

    /// <summary>Reads the whole content of a file.</summary>
    /// <inheritdoc cref="OpenRead"/>
    public static byte[] ReadAllBytes(string path)
    {
        using var file = OpenRead(path, bufferSize: 0);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    /// <summary>Reads the whole text of a file.</summary>
    /// <inheritdoc cref="OpenRead"/>
    public static string ReadAllText(string path)
    {
        using var text = new StreamReader(OpenRead(path));
        return text.ReadToEnd();
    }

    /// <inheritdoc cref="ReadAllText"/>
    public static async Task<string> ReadAllTextAsync(string path, CancellationToken cancellationToken)
    {
        using var text = new StreamReader(OpenRead(path));
        return await text.ReadToEndAsync(cancellationToken);
    }

    /// <summary>The system's flags O_NONBLOCK and O_CLOEXEC; O_RDONLY is zero.</summary>
    private static int ReadOnlyWithoutWaiting => OperatingSystem.IsMacOS() ? 0x4 | 0x1000000 : 0x800 | 0x80000;

    [DllImport("libc", EntryPoint = "open", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    /// <summary>Reads a part of a file, with positions from the part's beginning.</summary>
    private sealed class FilePart(FileStream file, long offset, long length) : ReadOnlyStream
    {
        private long _position;

        public override bool CanSeek => true;
        public override long Length => length;
        public override long Position { get => _position; set => _position = value; }

        public override int Read(Span<byte> buffer)
        {
            var left = length - _position;
            if (left <= 0)
                return 0;
            if (file.Position != offset + _position)
                file.Position = offset + _position;
            var read = file.Read(buffer.Length > left ? buffer[..(int)left] : buffer);
            _position += read;
            return read;
        }

        public override long Seek(long by, SeekOrigin origin) => _position = by + origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            _ => length,
        };

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                file.Dispose();
            base.Dispose(disposing);
        }
    }
}
