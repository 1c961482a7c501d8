using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Aws;

namespace AuditCli.Benchmarks;

/// <summary>
/// Prints how long the first look-up in a service's part of the AWS catalogue takes in a new process, including reading the service's whole
/// file: the best and the median of several processes, and the median processor time. Also prints the cost of the first JSON of a process.
/// </summary>
internal static class CatalogueMeasurement
{
    private const int Processes = 15;

    public static async Task<int> RunAsync(string[] services)
    {
        Console.WriteLine($"{"service",-16}{"best ms",10}{"median ms",12}{"cpu ms",10}{"any JSON ms",14}{"next ms",10}");
        foreach (var service in services)
        {
            var first = new List<double>();
            var cpu = new List<double>();
            var json = new List<double>();
            var second = new List<double>();
            for (var i = 0; i < Processes; i++)
            {
                var program = Path.Combine(AppContext.BaseDirectory, "AuditCli.Benchmarks.dll");
                using var child = Process.Start(new ProcessStartInfo("dotnet", [program, "catalogue-once", service]) { RedirectStandardOutput = true })!;
                var times = (await child.StandardOutput.ReadToEndAsync()).Trim().Split(' ');
                await child.WaitForExitAsync();
                if (child.ExitCode != 0)
                    return 1;
                first.Add(double.Parse(times[0], CultureInfo.InvariantCulture));
                cpu.Add(double.Parse(times[1], CultureInfo.InvariantCulture));
                json.Add(double.Parse(times[2], CultureInfo.InvariantCulture));
                second.Add(double.Parse(times[3], CultureInfo.InvariantCulture));
            }
            first.Sort();
            cpu.Sort();
            json.Sort();
            second.Sort();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{service,-16}{first[0],10:F1}{first[Processes / 2],12:F1}{cpu[Processes / 2],10:F1}"
                    + $"{json[Processes / 2],14:F1}{second[Processes / 2],10:F2}"));
        }
        return 0;
    }

    /// <summary>
    /// Prints milliseconds: for the first operation of the service, its processor time, for the first JSON, and for the next operation.
    /// </summary>
    public static int Once(string name)
    {
        var operations = Operations[name];
        var source = AwsSource.Create();
        // Measures the cost of the first JSON in a process separately, because it does not depend on the catalogue.
        var started = Stopwatch.GetTimestamp();
        using (var any = JsonDocument.Parse("""{"a":{"b":1}}"""u8.ToArray()))
            any.RootElement.GetProperty("a").TryGetProperty("b", out _);
        var json = Stopwatch.GetElapsedTime(started);
        var used = Environment.CpuUsage.TotalTime;
        started = Stopwatch.GetTimestamp();
        var first = source.FindOperation(operations[0]);
        var cold = Stopwatch.GetElapsedTime(started);
        used = Environment.CpuUsage.TotalTime - used;
        started = Stopwatch.GetTimestamp();
        var second = source.FindOperation(operations[1]);
        var warm = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{cold.TotalMilliseconds} {used.TotalMilliseconds} {json.TotalMilliseconds} {warm.TotalMilliseconds}"));
        return first is null || second is null ? 1 : 0;
    }

    private static Dictionary<string, string[]> Operations { get; } = new()
    {
        ["ec2"] = ["ec2:DescribeInstances", "ec2:DescribeVpcs"],
        ["sagemaker"] = ["sagemaker:DescribeEndpoint", "sagemaker:ListModels"],
        ["iam"] = ["iam:ListUsers", "iam:ListRoles"],
        ["kms"] = ["kms:ListKeys", "kms:DescribeKey"],
        ["s3"] = ["s3:ListBuckets", "s3:GetBucketPolicy"],
    };
}
