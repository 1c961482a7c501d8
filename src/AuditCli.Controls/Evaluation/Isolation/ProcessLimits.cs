using System.Runtime.InteropServices;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>
/// Permanently takes away from the current process what evaluation does not need: memory beyond a limit, writing to files, and
/// core dumps, which would contain evidence (POSIX <c>setrlimit</c>).
/// </summary>
internal static class ProcessLimits
{
    private const int FileSize = 1;
    private const int Data = 2;
    private const int CoreDump = 4;

    /// <summary>
    /// Applies the limits; returns whether the operating system limits the memory, which only Linux does, because only there
    /// mapped memory counts as data.
    /// </summary>
    /// <param name="memory">The bytes to which the process may write, including its threads' stacks.</param>
    /// <exception cref="IOException">The operating system refuses a limit.</exception>
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
