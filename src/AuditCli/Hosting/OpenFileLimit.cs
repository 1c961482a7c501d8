using System.Runtime.InteropServices;

namespace AuditCli.Hosting;

/// <summary>Reads how many files and connections this process may have open at once (POSIX <c>getrlimit</c>, <c>ulimit -n</c>).</summary>
internal static class OpenFileLimit
{
    /// <summary>The minimum: with fewer, the runtime cannot load its own libraries, and fails or hangs at an unpredictable place.</summary>
    private const long Least = 128;
    private const int LinuxFiles = 7;
    private const int MacFiles = 8;

    /// <summary>Returns a message if the limit is too low for the program to work at all; null otherwise.</summary>
    /// <remarks>Must be called first, and must not need an assembly that is not loaded yet: loading one takes a file.</remarks>
    public static string? WhyTooFew() =>
        OperatingSystem.IsWindows() || GetLimit(OperatingSystem.IsMacOS() ? MacFiles : LinuxFiles, out var limit) != 0 || limit.Now >= Least
        ? null
        : "auditcli: this process may have " + limit.Now.ToString(null, null) + " files open at once, but auditcli needs at least 128; run 'ulimit -n 1024'\n";

    /// <summary>Returns the limit, at most <see cref="int.MaxValue"/>, which also means that there is no limit.</summary>
    /// <exception cref="IOException">The system does not report the limit.</exception>
    public static long OfThisProcess()
    {
        if (OperatingSystem.IsWindows())
            return int.MaxValue;
        if (GetLimit(OperatingSystem.IsMacOS() ? MacFiles : LinuxFiles, out var limit) != 0)
            throw new IOException($"the limit on open files cannot be read: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
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
