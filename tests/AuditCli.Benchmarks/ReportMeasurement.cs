using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>
/// Puts the given numbers of items into a bundle's population, and prints the cost of each report in a separate process. The ratio is to
/// verifying the bundle alone, with which every report starts.
/// </summary>
internal static class ReportMeasurement
{
    private static readonly string[] Formats = ["md", "csv", "oscal", "sarif", "junit", "html", "xlsx", "all"];

    /// <param name="arguments">The number of items for each measurement.</param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        Console.WriteLine($"{"items",10}{"report",10}{"wall s",10}{"cpu s",10}{"peak MiB",10}{"file KiB",12}{"to verify",11}{"exit",6}");
        foreach (var items in arguments.Select(a => int.Parse(a, CultureInfo.InvariantCulture)))
        {
            using var folder = new TemporaryFolder();
            var bundle = await SealAsync(folder.Path, items);
            var verify = await MeasuredProcess.RunAsync(MeasuredProcess.AuditCli("verify", bundle, "--allow-unsigned"));
            Print(items, "verify", verify, 0, verify);
            foreach (var format in Formats)
            {
                var target = Path.Combine(folder.Path, format);
                var run = await MeasuredProcess.RunAsync(MeasuredProcess.AuditCli("report", bundle, "--format", format, "--out", target, "--allow-unsigned"));
                Print(items, format, run, Directory.GetFiles(target).Sum(f => new FileInfo(f).Length), verify);
            }
            await BrowseAsync(Path.Combine(folder.Path, "html", "report.html"));
        }
        return 0;
    }

    /// <summary>Measures how long a reader waits in headless Chromium, if node and Chromium are installed.</summary>
    private static async Task BrowseAsync(string page)
    {
        try
        {
            var run = await MeasuredProcess.RunAsync(
                new ProcessStartInfo("node", [Repository.Path("tests", "tools", "report-check.mjs"), page, "APD-AWS-002", "person-012345"]));
            var found = JsonDocument.Parse(run.Said.Split('\n')[0]).RootElement;
            var names = new[] { "loadMilliseconds", "openMilliseconds", "searchMilliseconds", "rowsStatus", "foundStatus" };
            Console.WriteLine(string.Join(", ", names.Select(n => $"{n} {found.GetProperty(n)}")));
        }
        catch (Exception e) when (e is Win32Exception or JsonException)
        {
            Console.WriteLine($"not measured in a browser: {e.Message}");
        }
    }

    private static void Print(int items, string name, MeasuredProcess run, long bytes, MeasuredProcess verify) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{items,10}{name,10}{run.Wall.TotalSeconds,10:F1}{run.Cpu.TotalSeconds,10:F1}{run.Peak >> 20,10}{bytes >> 10,12}"
            + $"{run.Wall / verify.Wall,11:F1}{run.ExitCode,6}{(run.ExitCode == 0 ? "" : "\n" + run.Said)}"));

    /// <summary>
    /// Returns the bundle of a single run of the sample, with another population for one control. One item in a hundred is an exception.
    /// </summary>
    private static async Task<string> SealAsync(string folder, int items)
    {
        var run = await MeasuredProcess.RunAsync(
            MeasuredProcess.AuditCli("run", Repository.Path("samples", "engagement.yaml"), "--control", "APD-AWS-002", "--out", folder));
        var sample = Directory.GetDirectories(folder).SingleOrDefault() ?? throw new InvalidOperationException(run.Said);
        await using var writer = BundleWriter.Create(folder, "scale");
        foreach (var file in Directory.GetFiles(Path.Combine(sample, "data"), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(sample, f)))
        {
            if (file == BundleLayout.EvidenceIndex || file.StartsWith("data/reports/", StringComparison.Ordinal))
                continue;
            await writer.WriteFileAsync(
                file,
                file == "data/results/apd-aws-002.t1.ndjson" ? Rows(items) : await File.ReadAllBytesAsync(Path.Combine(sample, file)),
                CancellationToken.None);
        }
        foreach (var item in EvidenceIndex.Read(sample))
            await writer.AppendEvidenceAsync(item, CancellationToken.None);
        return (await writer.SealAsync(new("measurement", new DateOnly(2026, 11, 23), null), CancellationToken.None)).Path;
    }

    private static byte[] Rows(int items)
    {
        var rows = new StringBuilder();
        for (var i = 0; i < items; i++)
        {
            var deviates = i % 100 == 0;
            rows.Append(
                CultureInfo.InvariantCulture,
                $"{{\"target\":\"prod\",\"account\":\"111122223333\",\"item\":\"arn:aws:iam::111122223333:user/person-{i:d6}\","
                    + $"\"pass\":{(deviates ? "false" : "true")},\"verdict\":\"{(deviates ? "deviation" : "pass")}\"");
            if (deviates)
                rows.Append(CultureInfo.InvariantCulture, $",\"exception_id\":\"APD-AWS-002/X/{i:x12}\",\"reason\":\"console password without MFA\"");
            rows.Append(
                CultureInfo.InvariantCulture,
                $",\"attributes\":{{\"user_name\":\"person-{i:d6}\",\"user_creation_time\":\"2026-07-13T09:00:00Z\","
                    + $"\"password_last_used\":null,\"devices\":{i % 3}}}}}\n");
        }
        return Encoding.UTF8.GetBytes(rows.ToString());
    }
}
