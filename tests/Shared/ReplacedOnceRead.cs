using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace AuditCli.Tests;

/// <summary>
/// Replaces a file as soon as a reader has closed it, using Linux's <c>inotify</c>. The next reader opens the replacement.
/// </summary>
internal sealed class ReplacedOnceRead : IDisposable
{
    private const uint ClosedUnwritten = 0x10;
    private readonly int _watch = Initialise(flags: 0);
    private readonly Task<bool> _replaced;

    /// <param name="path">The file to replace.</param>
    /// <param name="other">The new content.</param>
    /// <param name="times">How often the file is read before it is replaced.</param>
    public ReplacedOnceRead(string path, byte[] other, int times = 1)
    {
        Assert.True(_watch >= 0 && Add(_watch, [.. Encoding.UTF8.GetBytes(path), 0], ClosedUnwritten) >= 0, $"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        var beside = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.other");
        File.WriteAllBytes(beside, other);
        _replaced = Task.Factory.StartNew(
            () =>
            {
                // Events of a watched file carry no name, so each has sixteen bytes. Identical unread events are merged into one.
                var oneEvent = new byte[16];
                for (var closed = 0; closed < times; closed++)
                {
                    // Any other event means that the file was deleted, together with the folder of a finished test.
                    if (Read(_watch, oneEvent, oneEvent.Length) != oneEvent.Length
                        || (BinaryPrimitives.ReadUInt32LittleEndian(oneEvent.AsSpan(4)) & ClosedUnwritten) == 0)
                    {
                        File.Delete(beside);
                        return false;
                    }
                }
                File.Move(beside, path, overwrite: true);
                return true;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    /// <summary>
    /// Whether the file was read and has been replaced. Waits, because a reader can open the replacement before the task has recorded it.
    /// </summary>
    public bool IsReplaced => _replaced.Wait(TimeSpan.FromSeconds(5)) && _replaced.Result;

    /// <summary>Closes the watch if its task has ended. An open watch of a file that nobody read is left until the tests end.</summary>
    public void Dispose()
    {
        if (_replaced.IsCompleted)
            _ = Close(_watch);
    }

    [DllImport("libc", EntryPoint = "inotify_init1", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Initialise(int flags);

    [DllImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Add(int watch, byte[] path, uint events);

    [DllImport("libc", EntryPoint = "read", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Read(int file, byte[] buffer, nint count);

    [DllImport("libc", EntryPoint = "close", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int file);
}
