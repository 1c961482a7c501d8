using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace AuditCli.Tests;

/// <summary>
/// Replaces a file the moment somebody who read it has closed it (Linux's <c>inotify</c>): whoever opens it again meets the other one.
/// </summary>
internal sealed class ReplacedOnceRead : IDisposable
{
    private const uint ClosedUnwritten = 0x10;
    private readonly int _watch = Initialise(flags: 0);
    private readonly Task<bool> _replaced;

    /// <param name="path">Is read once, and is the other file from then on.</param>
    /// <param name="other">Its new content.</param>
    /// <param name="times">How often it is read before.</param>
    public ReplacedOnceRead(string path, byte[] other, int times = 1)
    {
        Assert.True(_watch >= 0 && Add(_watch, [.. Encoding.UTF8.GetBytes(path), 0], ClosedUnwritten) >= 0, $"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        var beside = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.other");
        File.WriteAllBytes(beside, other);
        _replaced = Task.Factory.StartNew(
            () =>
            {
                // Of a file there are no names in events, so each has sixteen bytes; equal ones that nobody fetched are one.
                var oneEvent = new byte[16];
                for (var closed = 0; closed < times; closed++)
                {
                    // Anything else says that the file is gone, with the folder of a test that has ended.
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

    /// <summary>Whether it was read, and is the other one now. Whoever met the other one may ask before this has noticed that it put it there.</summary>
    public bool IsReplaced => _replaced.Wait(TimeSpan.FromSeconds(5)) && _replaced.Result;

    /// <summary>Closes a watch of which the event has come; one that nobody read waits until the tests end.</summary>
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
