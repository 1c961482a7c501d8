using System.Runtime.InteropServices;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>
/// Takes away from the process in hand what evaluation does not need, for good: memory beyond a limit, writing to files, and core
/// dumps, which would hold evidence (POSIX <c>setrlimit</c>).
/// </summary>
internal static class ProcessLimits
{
    private const int FileSize = 1;
    private const int Data = 2;
    private const int CoreDump = 4;

    /// <summary>Whether the system will hold the process to the memory; only Linux counts mapped memory as data.</summary>
    /// <param name="memory">Bytes that the process may write to, its threads' stacks included.</param>
    /// <exception cref="IOException">The system refuses.</exception>
    public static bool Apply(long memory)
    {
        if (OperatingSystem.IsWindows())
            return false;
        Set(CoreDump, 0);
        Set(FileSize, 0);
        if (!OperatingSystem.IsLinux())
            return false;
        Set(Data, (ulong)memory);
        return true;
    }

    private static void Set(int resource, ulong limit)
    {
        var value = new Limit { Now = limit, Most = limit };
        if (SetLimit(resource, in value) != 0)
            throw new IOException($"the process cannot be limited: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [DllImport("libc", EntryPoint = "setrlimit", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetLimit(int resource, in Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Now;
        public ulong Most;
    }
}
