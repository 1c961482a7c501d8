using System.Globalization;
using AuditCli.Tests;

namespace AuditCli.Benchmarks;

/// <summary>
/// Runs the program as a process against a loopback server with so many IAM users, for each number given in turn, and prints
/// wall time, processor time, peak memory and requests, with the ratio to the first. Linear cost shows as equal time per user.
/// </summary>
internal static class ScaleMeasurement
{
    private const string DefaultControl = "APD-AWS-004";

    public static async Task<int> RunAsync(string[] arguments)
    {
        var control = arguments.FirstOrDefault(a => !a.All(char.IsAsciiDigit)) ?? DefaultControl;
        var numbers = arguments.Where(a => a.All(char.IsAsciiDigit)).Select(a => int.Parse(a, CultureInfo.InvariantCulture)).ToArray();
        Console.WriteLine($"{control}\n{"users",10}{"requests",10}{MeasuredProcess.Heading}{"us/user",10}");
        foreach (var users in numbers)
            await MeasureAsync(control, users);
        return 0;
    }

    private static async Task MeasureAsync(string control, int users)
    {
        var folder = Directory.CreateTempSubdirectory("auditcli-scale-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "engagement.yaml"), $$"""
                schema: 1
                entity: Scale
                name: {{users}} users
                period: { start: 2026-09-01, end: 2026-11-15 }
                as_of: 2026-11-23T00:00:00Z
                as_of_tolerance: 36500d
                preparer: A. Preparer
                reviewer: R. Reviewer
                controls: { include: [{{control}}] }
                targets: { prod: { aws: { regions: [us-east-1] } } }
                """);
            using var server = new IamServer(users, TimeSpan.Zero);
            var start = MeasuredProcess.AuditCli(folder.FullName, "run", "engagement.yaml", "--out", "out");
            start.Environment["AWS_ENDPOINT_URL"] = server.Url;
            start.Environment["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE";
            start.Environment["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12";
            start.Environment["AWS_DEFAULT_REGION"] = "us-east-1";
            var measured = await MeasuredProcess.RunAsync(start);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{users,10}{server.Answered,10}{measured}{measured.Wall.TotalMicroseconds / users,10:F0}"));
            if (measured.ExitCode != 0)
                Console.WriteLine(measured.Error);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
