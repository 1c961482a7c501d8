using System.Runtime.InteropServices;

namespace AuditCli;

/// <summary>Who may read what the process writes: evidence is confidential, and so is whatever is made of it.</summary>
internal static class OwnerOnly
{
    private const uint GroupAndOthers = 0b000_111_111;

    /// <summary>
    /// From now on every folder that is made is for its owner alone (0700), and every file (0600), whatever the caller's <c>umask</c>: those of
    /// bundles, partial ones, logs and reports, and those that libraries make. Windows has no such thing; there the folder's own rights count.
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
