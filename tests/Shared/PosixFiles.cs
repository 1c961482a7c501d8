using System.Runtime.InteropServices;
using System.Text;

namespace AuditCli.Tests;

/// <summary>Creates files of kinds that .NET cannot create, with system calls.</summary>
internal static class PosixFiles
{
    private const uint OwnerOnly = 0b110_000_000;

    public static void MakePipe(string path) => Check(MakeFifo(Text(path), OwnerOnly), path);

    public static void MakeHardLink(string existing, string path) => Check(Link(Text(existing), Text(path)), path);

    private static void Check(int result, string path) => Assert.True(result == 0, $"{path}: {Marshal.GetLastPInvokeErrorMessage()}");

    private static byte[] Text(string path) => [.. Encoding.UTF8.GetBytes(path), 0];

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakeFifo(byte[] path, uint mode);

    [DllImport("libc", EntryPoint = "link", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link(byte[] existing, byte[] path);
}
