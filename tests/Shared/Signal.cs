using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace AuditCli.Tests;

/// <summary>Sends POSIX signals with the system's own <c>kill(2)</c>, because not every machine has a <c>kill</c> program.</summary>
internal static class Signal
{
    public const int Interrupt = 2;
    private const nint Usual = 0;

    public static int Stop => OperatingSystem.IsMacOS() ? 17 : 19;

    public static int Continue => OperatingSystem.IsMacOS() ? 19 : 18;

    public static void Send(Process process, int signal) =>
        Assert.True(Kill(process.Id, signal) == 0, $"signal {signal} was not sent: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <summary>
    /// Makes SIGINT effective for programs started from now on. A shell that ignores the signal, as it does for background jobs, passes
    /// that on to the tests and every program they start.
    /// </summary>
    public static void AllowInterrupt()
    {
        if (IsIgnored(Interrupt))
            Handle(Interrupt, Usual);
    }

    private static bool IsIgnored(int signal)
    {
        const string Ignored = "SigIgn:";
        if (!File.Exists("/proc/self/status"))
            return false;
        var mask = File.ReadLines("/proc/self/status").First(l => l.StartsWith(Ignored, StringComparison.Ordinal))[Ignored.Length..].Trim();
        return (ulong.Parse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) == 1;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "signal", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Handle(int signal, nint handler);
}
