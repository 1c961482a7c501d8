using System.Runtime.InteropServices;

namespace AuditCli.Hosting;

/// <summary>
/// Restricts the files that the process creates to their owner, because evidence and everything made from it is confidential.
/// </summary>
internal static class OwnerOnly
{
    private const uint GroupAndOthers = 0b000_111_111;

    /// <summary>
    /// Sets the <c>umask</c> of the process, so that every folder created from now on has mode 0700 and every file 0600, whatever the
    /// caller's <c>umask</c>. This covers bundles, partial bundles, logs, reports and files that libraries create. Does nothing on Windows,
    /// where the permissions of the parent folder apply.
    /// </summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsWindows())
            _ = SetMask(GroupAndOthers);
    }

    [DllImport("libc", EntryPoint = "umask", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint SetMask(uint mask);
}
