using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Amazon.Runtime;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;

namespace AuditCli.Benchmarks;

/// <summary>The measured client: the collector's own session on a live transport that records into a separate folder.</summary>
internal static class AwsClientProcess
{
    private const int WarmUp = 1500;

    /// <param name="arguments">
    /// URL, concurrency, calls, and how a response is processed: <c>typed</c>, <c>raw</c> or <c>limited</c>.
    /// </param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var (concurrency, calls, mode) = (Number(arguments[1]), Number(arguments[2]), arguments[3]);
        foreach (var (name, value) in new[]
        {
            ("AWS_ENDPOINT_URL", arguments[0]), ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "not-a-key"), ("AWS_REGION", "us-east-1"),
        })
        {
            Environment.SetEnvironmentVariable(name, value);
        }
        var folder = Directory.CreateTempSubdirectory("auditcli-aws-");
        try
        {
            await using var transport = new LiveTransport(folder.FullName, "measurement", TimeProvider.System);
            var credentials = new BasicAWSCredentials("AKIAIOSFODNN7EXAMPLE", "not-a-key");
            using var session = new AwsSession("prod", null, null, credentials, "us-east-1", transport, TimeProvider.System, () => null);
            var (service, operation) = new AwsCatalogue().Find("iam:ListUsers")!.Value;
            var limit = new ConcurrencyLimit(new(2 * concurrency, 2 * concurrency, concurrency, 512));
            Func<Task> call = mode switch
            {
                "raw" => async () => await session.CallAsync(service, operation, [], AwsSession.GlobalRegion, CancellationToken.None),
                "limited" => async () => await limit.RunAsync(new LimitKey("aws", "1", "aws-global", "iam"), async () =>
                {
                    await TypedAsync();
                    return true;
                }, CancellationToken.None),
                _ => TypedAsync,
            };
            var workers = mode == "limited" ? 4 * concurrency : concurrency;
            await ManyAsync(call, workers, WarmUp);
            GC.Collect();
            using var process = Process.GetCurrentProcess();
            var (cpu, allocated, watch) = (process.TotalProcessorTime, GC.GetTotalAllocatedBytes(), Stopwatch.StartNew());
            await ManyAsync(call, workers, calls);
            var seconds = watch.Elapsed.TotalSeconds;
            process.Refresh();
            Console.WriteLine(JsonSerializer.Serialize(new ClientFigures(
                calls, seconds, (process.TotalProcessorTime - cpu).TotalSeconds, GC.GetTotalAllocatedBytes() - allocated, process.PeakWorkingSet64)));
            return 0;

            async Task TypedAsync()
            {
                await foreach (var page in session.PagesAsync(
                    service, operation, ImmutableSortedDictionary<string, JsonElement>.Empty, AwsSession.GlobalRegion, CancellationToken.None))
                {
                    if (AnswerRows.Read(service, operation, page.Content).Rows.Length != 50)
                        throw new InvalidOperationException("the answer was not read");
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task ManyAsync(Func<Task> call, int workers, int calls)
    {
        var left = calls;
        return Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
                await call();
        })));
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
