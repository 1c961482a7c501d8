using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Running;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Benchmarks;

/// <summary>
/// Prints what a test of few events among many costs from the pages to the conclusion: with all events in the table and the filter in SQL,
/// and with <c>keep</c>. Each is a process of its own, and both reach the same conclusion over the same events.
/// </summary>
internal static class KeepMeasurement
{
    private const int EventsOfPage = 1000;
    private const int Rounds = 3;

    public static async Task<int> RunAsync(string[] counts)
    {
        Console.WriteLine($"{"events",10} {"filter",-6}{"wall s",10}{"cpu s",10}{"peak MiB",10}{"to SQL",10}");
        foreach (var count in counts)
        {
            var (sql, keep) = (new List<MeasuredProcess>(), new List<MeasuredProcess>());
            for (var round = 0; round < Rounds; round++)
            {
                sql.Add(await OnceAsync("sql", count));
                keep.Add(await OnceAsync("keep", count));
            }
            foreach (var (filter, runs) in new[] { ("sql", sql), ("keep", keep) })
            {
                var best = runs.MinBy(r => r.Wall)!;
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{count,10} {filter,-6}{best.Wall.TotalSeconds,10:F1}{best.Cpu.TotalSeconds,10:F1}{best.Peak >> 20,10}"
                        + $"{best.Wall / sql.Min(r => r.Wall),10:F2}"));
                if (runs.FirstOrDefault(r => r.ExitCode != 0) is { } failed)
                {
                    Console.WriteLine(failed.Said);
                    return 1;
                }
            }
        }
        return 0;
    }

    /// <summary>Collects and evaluates once; ends with 0 if the test saw exactly the events that are meant.</summary>
    public static async Task<int> OnceAsync(bool keep, int count)
    {
        var folder = Directory.CreateTempSubdirectory("auditcli-keep-");
        try
        {
            var control = Loaded(keep);
            var need = control.Evidence.Single(e => e.Name == "events");
            ImmutableArray<Column> columns = [.. need.AddedColumns, .. need.Columns];
            var asked = new PlannedRequest(
                "events", "prod", AwsSource.Create().FindOperation(need.Operation)!, need.Params, "trails", need.With, [], need.Keep, []);
            var path = Path.Combine(folder.FullName, "events.ndjson.gz");
            TableSummary written;
            using (var table = new TableWriter(path, need.AddedColumns, need.Columns))
            {
                await RequestCollection.WriteAsync(Pages(count), table, ["prod", "1", "us-east-1", null, "p", "t"], asked, RequestCollection.Kept(asked));
                written = table.Complete();
            }
            var rows = new EvidenceTable(columns, true, [], null, null, TableRows.Of([new TableFile(path, written.Sha256)]));
            var partition = new Partition("prod", "1", ImmutableSortedDictionary<string, EvidenceTable>.Empty.Add("events", rows));
            var moment = new AuditMoment(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, TimeSpan.FromHours(24));
            var result = await Evaluator.EvaluateAsync(
                new ControlInScope(control, ControlOrigin.Local, []), [partition], moment, EvaluationLimits.Default, process: null,
                _ => new MemoryStream(), clean: null, CancellationToken.None);
            Console.WriteLine($"{result.Conclusion}: {result.Population} of {written.Rows} rows; {string.Join("; ", result.Tests.Select(t => t.Conclusion))}");
            return result.Population == count / 1000 ? 0 : 1;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Task<MeasuredProcess> OnceAsync(string filter, string count) => MeasuredProcess.RunAsync(
        new System.Diagnostics.ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "AuditCli.Benchmarks.dll"), "keep-once", filter, count]));

    /// <summary>
    /// Returns pages of events, of which one in a thousand is meant. Each page is parsed as a response is; only the numbers in it change, so
    /// that making the events costs nearly nothing.
    /// </summary>
    private static async IAsyncEnumerable<Answer> Pages(int count)
    {
        var body = Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Range(0, EventsOfPage).Select(Event))}]");
        var places = new List<int>();
        for (var at = body.AsSpan().IndexOf(Number); at >= 0 && at < body.Length;)
        {
            places.Add(at);
            var next = body.AsSpan(at + Number.Length).IndexOf(Number);
            at = next < 0 ? body.Length : at + Number.Length + next;
        }
        for (var first = 0; first < count; first += EventsOfPage)
        {
            await Task.Yield();
            for (var n = 0; n < places.Count; n++)
                (first + n).TryFormat(body.AsSpan(places[n], Number.Length), out _, "d12", CultureInfo.InvariantCulture);
            var page = JsonElement.Parse(body);
            yield return new(new([.. page.EnumerateArray().Select((row, n) => new PageRow(row, $"/Records/{n}"))]), [], null) { RecordId = "urn:uuid:0" };
        }
    }

    private static ReadOnlySpan<byte> Number => "############"u8;

    private static string Event(int n) => string.Create(CultureInfo.InvariantCulture, $$$"""
        {"eventVersion":"1.09","userIdentity":{"type":"{{{(n % 100 == 0 ? "Root" : "AssumedRole")}}}","principalId":"AROAEXAMPLE:{{{n}}}","accountId":"111122223333","arn":"arn:aws:sts::111122223333:assumed-role/app/{{{n}}}"},"eventTime":"2026-09-01T00:00:00Z","eventSource":"iam.amazonaws.com","eventName":"{{{(n % 1000 == 0 ? "AttachUserPolicy" : "GetUser")}}}","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-sdk-java/2.20.0 Linux/5.10","requestParameters":{"userName":"user-{{{n}}}","policyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"},"responseElements":null,"requestID":"00000000-0000-0000-0000-000000000000","eventID":"11111111-0000-0000-0000-############","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}
        """);

    private static Control Loaded(bool keep)
    {
        var filter = keep ? ", keep: { eventName: [\"Attach*\", CreateUser], \"userIdentity.type\": Root }" : "";
        var yaml = $$"""
            schema: 1
            id: LOG-AWS-901
            version: 1.0.0
            title: t
            objective: o
            risk: r
            domain: logging-and-monitoring
            nature: { type: detective, execution: automated }
            frequency: continuous
            kind: operating-effectiveness
            mode: period
            key_control: false
            owner: w
            references: {}
            evidence:
              trails: { aws: cloudtrail:DescribeTrails }
              events: { aws: cloudtrail:TrailFiles, for_each: trails, with: { TrailARN: TrailARN }, params: { StartTime: "{period_start}", EndTime: "{period_end}" }{{filter}} }
            completeness: { none: a measurement }
            tests:
              - id: T1
                title: t
                sql: |
                  SELECT e.eventID AS item, false AS pass, e.eventName AS reason, e._region FROM events e
                  WHERE (starts_with(e.eventName, 'Attach') OR e.eventName = 'CreateUser') AND (e.userIdentity->>'type') = 'Root'
            recommendation: c
            """;
        var library = ControlLibrary.Load(
            [new LibraryFile("logging-and-monitoring/LOG-AWS-901.yaml", Encoding.UTF8.GetBytes(yaml))],
            [AwsSource.Create()], ImmutableDictionary<string, AuditCli.Evidence.Digest>.Empty);
        return library.Faults.IsEmpty ? library.Controls[0].Control : throw new InvalidOperationException(string.Join('\n', library.Faults));
    }
}
