using System.Runtime.InteropServices;

namespace AuditCli;

/// <summary>How many files and connections this process may have open at once (POSIX <c>getrlimit</c>, <c>ulimit -n</c>).</summary>
internal static class OpenFileLimit
{
    private const int LinuxFiles = 7;
    private const int MacFiles = 8;

    /// <summary>The limit; a number beyond all need where the system has none.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static long OfThisProcess()
    {
        if (OperatingSystem.IsWindows())
            return int.MaxValue;
        if (GetLimit(OperatingSystem.IsMacOS() ? MacFiles : LinuxFiles, out var limit) != 0)
            throw new IOException($"how many files may be open cannot be found out: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        return (long)Math.Min(limit.Now, int.MaxValue);
    }

    [DllImport("libc", EntryPoint = "getrlimit", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetLimit(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Now;
        public ulong Most;
    }
}
