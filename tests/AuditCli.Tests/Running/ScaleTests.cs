using System.Text.Json;

namespace AuditCli.Tests.Running;

/// <summary>Runs with many users, and checks that memory is bounded by the size of pages and windows, not by the number of users.</summary>
public sealed class ScaleTests
{
    /// <summary>A few pages of users; <c>.ci/long</c> uses twenty.</summary>
    private static readonly int Users = LongRun.IsWhole ? 20_000 : 5_000;
    private const long Bound = 500L << 20;

    [Fact]
    public async Task Thousands_of_users_and_their_report_are_read_whole_in_bounded_memory()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        using var server = new IamServer(Users, TimeSpan.Zero);
        using var process = AuditCommand.Start(
            folder.Path,
            AwsEnvironment.At(server.Url),
            [],
            "run", "engagement.yaml", "--out", "out");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        long peak = 0;
        for (var waited = 0; !process.HasExited && waited < 3000; waited++)
        {
            process.Refresh();
            peak = Math.Max(peak, process.HasExited ? 0 : process.PeakWorkingSet64);
            await Task.Delay(100);
        }
        await AuditCommand.EndAsync(process);
        Assert.True(process.ExitCode == 0, $"{await output}\n{await error}");
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        var control = Assert.Single(SampleTests.Results(bundle).GetProperty("controls").EnumerateArray());
        Assert.Equal(Users, control.GetProperty("population").GetInt64());
        Assert.Equal(Users, server.Calls["ListAccessKeys"]);
        Assert.True(peak < Bound, $"peak memory was {peak >> 20} MiB");

        // The report is a single response whose rows fill several pages. Every row must name the record of that response, including the
        // root user's.
        var report = Assert.Single(Directory.GetFiles(Path.Combine(bundle, "data", "tables"), "aws-iam-getcredentialreport-*.ndjson.gz"));
        var references = BundleForgery.ReadTable(report).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(r => JsonDocument.Parse(r).RootElement.GetProperty("_ref").GetString()!).ToArray();
        Assert.Equal(Users + 1, references.Distinct().Count());
        Assert.StartsWith("urn:uuid:", Assert.Single(references.Select(r => r.Split('#')[0]).Distinct()), StringComparison.Ordinal);
    }
}
