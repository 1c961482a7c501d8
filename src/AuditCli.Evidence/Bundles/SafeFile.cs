using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Opens files that may have been created to cause harm: never through a symbolic link, and never blocking on a pipe. The
/// runtime's own file APIs do both, and refuse to open a folder, which must be flushed to the disk too; so on Unix the system's
/// <c>open</c> is called directly.
/// </summary>
internal static class SafeFile
{
    private const int BufferSize = 128 * 1024;
    private const int NoEntry = 2;
    private const int NoOtherEnd = 6;
    private const int NotAFolder = 20;

    /// <summary>Computes the digest and size of a regular file.</summary>
    /// <exception cref="FileNotFoundException">It does not exist.</exception>
    /// <exception cref="NotSupportedException">It is a link, a pipe, a socket or a device.</exception>
    /// <exception cref="ChangedFileException">It grew or shrank while it was read.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static (Digest Digest, long Size) Hash(string path, CancellationToken cancellationToken)
    {
        using var handle = OpenRead(path);
        return Hash(handle, path, cancellationToken);
    }

    /// <inheritdoc cref="Hash(string, CancellationToken)"/>
    public static (Digest Digest, long Size) Hash(SafeFileHandle handle, string path, CancellationToken cancellationToken)
    {
        var size = Size(handle, path);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(size + 1, 1, BufferSize));
        try
        {
            // Most files of a bundle fit into the buffer, which has room for more than the file's size. So one read that returns
            // no more than the size reached the end of a regular file.
            var read = Fill(handle, buffer, size);
            if (read < buffer.Length)
                return read == size ? (Digest.Of(buffer.AsSpan(0, read)), size) : throw Changed(path);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (long offset = 0; read > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(buffer, 0, read);
                offset += read;
                // Devices such as /dev/zero report a size of zero and never end.
                if (offset > size)
                    throw Changed(path);
                read = RandomAccess.Read(handle, buffer, offset);
                if (read == 0 && offset != size)
                    throw Changed(path);
            }
            return (Digest.FromHash(hash.GetHashAndReset()), size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the content of a regular file; returns null when it is larger than the limit.</summary>
    /// <inheritdoc cref="Hash(string, CancellationToken)" path="/exception"/>
    public static byte[]? Read(string path, long limit)
    {
        using var handle = OpenRead(path);
        var size = Size(handle, path);
        if (size > limit)
            return null;
        // One byte more, to detect a file that is longer than its size.
        var content = new byte[size + 1];
        return Fill(handle, content, size) == size ? content[..^1] : throw Changed(path);
    }

    /// <summary>
    /// Flushes a file or folder to the disk. On Windows it does nothing for folders, which cannot be flushed there.
    /// </summary>
    /// <exception cref="IOException">Flushing fails.</exception>
    public static void Synchronise(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            if (Directory.Exists(path))
                return;
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
            RandomAccess.FlushToDisk(file);
            return;
        }
        using var handle = OpenUnix(path);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Opens a file, an end of a pipe or a device without blocking.</summary>
    /// <inheritdoc cref="Hash(string, CancellationToken)" path="/exception"/>
    public static SafeFileHandle OpenRead(string path) => OperatingSystem.IsWindows() ? OpenWindows(path) : OpenUnix(path);

    /// <exception cref="NotSupportedException">It is not a regular file.</exception>
    public static long Size(SafeFileHandle handle, string path)
    {
        try
        {
            return RandomAccess.GetLength(handle);
        }
        catch (NotSupportedException e)
        {
            throw new NotSupportedException($"{path} is not a regular file", e);
        }
    }

    /// <summary>
    /// Fills the buffer up to the end of the file or the buffer. A read that ends exactly at the file's size counts as the end,
    /// without a further read.
    /// </summary>
    private static int Fill(SafeFileHandle handle, Span<byte> buffer, long size)
    {
        var filled = 0;
        for (int read; filled < buffer.Length && (read = RandomAccess.Read(handle, buffer[filled..], filled)) > 0;)
        {
            filled += read;
            if (filled == size)
                break;
        }
        return filled;
    }

    private static ChangedFileException Changed(string path) => new($"{path} changed while it was read");

    private static SafeFileHandle OpenWindows(string path) =>
        File.Exists(path) && (File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0
            ? throw new NotSupportedException($"{path} is a link")
            : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    private static SafeFileHandle OpenUnix(string path)
    {
        var (noFollow, nonBlocking, closeOnExec, loop) = OperatingSystem.IsMacOS()
            ? (0x100, 0x4, 0x1000000, 62)
            : (RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000, 0x800, 0x80000, 40);
        var descriptor = Open([.. Encoding.UTF8.GetBytes(path), 0], noFollow | nonBlocking | closeOnExec);
        if (descriptor >= 0)
            return new(descriptor, ownsHandle: true);
        var error = Marshal.GetLastPInvokeError();
        var message = $"{path}: {Marshal.GetPInvokeErrorMessage(error)}";
        throw error == loop ? new NotSupportedException($"{path} is a link")
            : error == NoOtherEnd ? new NotSupportedException($"{path} is a socket or a device")
            : error is NoEntry or NotAFolder ? new FileNotFoundException(message, path)
            : new IOException(message);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);
}
