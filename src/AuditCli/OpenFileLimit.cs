using System.Runtime.InteropServices;

namespace AuditCli;

/// <summary>How many files and connections this process may have open at once (POSIX <c>getrlimit</c>, <c>ulimit -n</c>).</summary>
internal static class OpenFileLimit
{
    /// <summary>With fewer the runtime cannot load its own libraries, and ends or hangs anywhere.</summary>
    private const long Least = 128;
    private const int LinuxFiles = 7;
    private const int MacFiles = 8;

    /// <summary>Says why this program cannot work at all; null where it can.</summary>
    /// <remarks>Comes before everything else, and needs no file that has to be loaded.</remarks>
    public static string? WhyTooFew() => OperatingSystem.IsWindows() || GetLimit(OperatingSystem.IsMacOS() ? MacFiles : LinuxFiles, out var limit) != 0 || limit.Now >= Least
        ? null
        : "auditcli: this process may have " + limit.Now.ToString(null, null) + " files open at once, and auditcli needs at least 128; say 'ulimit -n 1024'\n";

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
