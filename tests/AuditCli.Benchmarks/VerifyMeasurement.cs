using System.Globalization;
using System.Runtime.InteropServices;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>
/// Seals bundles of many small files and of one large file, and prints what verifying them with the published program costs compared with
/// <c>sha256sum -c</c>. Five runs of each alternate and the best counts, with the files in the system's cache.
/// </summary>
internal static class VerifyMeasurement
{
    private const int Runs = 5;
    private const int Block = 1 << 20;

    public static async Task<int> RunAsync()
    {
        using var folder = new TemporaryFolder();
        if (await PublishAsync(folder.Path) is not { } program)
            return 1;
        Console.WriteLine($"{"bundle",-20}{"program",-12}{"wall s",8}{"cpu s",8}{"peak MiB",10}{"to sha256sum",14}");
        await MeasureAsync(await SealAsync(folder.Path, "small", files: 10_000, bytes: 4096), program, "10,000 x 4 KiB");
        await MeasureAsync(await SealAsync(folder.Path, "large", files: 1, bytes: 1L << 30), program, "1 x 1 GiB");
        return 0;
    }

    private static async Task<string> SealAsync(string folder, string id, int files, long bytes)
    {
        await using var bundle = BundleWriter.Create(folder, id);
        var random = new Random(1);
        var block = new byte[Math.Min(bytes, Block)];
        for (var n = 0; n < files; n++)
        {
            await using var file = bundle.OpenFile(string.Create(CultureInfo.InvariantCulture, $"data/files/{n:d5}.bin"));
            for (long left = bytes; left > 0; left -= block.Length)
            {
                random.NextBytes(block);
                await file.WriteAsync(block);
            }
        }
        return (await bundle.SealAsync(new("measurement", new DateOnly(2026, 11, 23), null), CancellationToken.None)).Path;
    }

    /// <summary>Returns the published program; null, after printing the error, if it cannot be built.</summary>
    private static async Task<string?> PublishAsync(string folder)
    {
        var to = Path.Combine(folder, "program");
        var made = await MeasuredProcess.RunAsync(new(
            "dotnet", ["publish", Repository.Path("src", "AuditCli"), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "-o", to, "-v", "quiet"]));
        if (made.ExitCode == 0)
            return Path.Combine(to, OperatingSystem.IsWindows() ? "auditcli.exe" : "auditcli");
        Console.WriteLine(made.Said);
        return null;
    }

    private static async Task MeasureAsync(string bundle, string published, string name)
    {
        var (theirs, own) = (new List<MeasuredProcess>(), new List<MeasuredProcess>());
        for (var run = 0; run < Runs; run++)
        {
            theirs.Add(await MeasuredProcess.RunAsync(
                new("sha256sum", ["-c", "--strict", "--quiet", "tagmanifest-sha256.txt", "manifest-sha256.txt"]) { WorkingDirectory = bundle }));
            own.Add(await MeasuredProcess.RunAsync(new(published, ["verify", bundle, "--allow-unsigned"])));
        }
        var (coreutils, ours) = (theirs.MinBy(m => m.Wall)!, own.MinBy(m => m.Wall)!);
        foreach (var (program, measured) in new[] { ("sha256sum", coreutils), ("auditcli", ours) })
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-20}{program,-12}{measured.Wall.TotalSeconds,8:F2}{measured.Cpu.TotalSeconds,8:F2}{measured.Peak >> 20,10}"
                    + $"{measured.Wall / coreutils.Wall,14:F2}"));
            if (measured.ExitCode != 0)
                Console.WriteLine(measured.Said);
        }
    }
}
