using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>A seeded moto server for tests that only read.</summary>
public sealed class SeededMoto : IAsyncLifetime
{
    private MotoServer? _server;

    public Uri Address => _server?.Address ?? throw new InvalidOperationException("moto_server does not run");

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("moto_server") is not null)
            return;
        _server = await MotoServer.StartAsync();
        await Boto3Async([], "seed");
    }

    public async Task DisposeAsync()
    {
        if (_server is { } server)
            await server.DisposeAsync();
    }

    /// <summary>Returns boto3's responses to the calls, one line each.</summary>
    public async Task<string[]> Boto3Async(IEnumerable<string> calls, params string[] more)
    {
        var start = new ProcessStartInfo("python3") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        foreach (var argument in (string[])[Repository.Path("tests", "AuditCli.Collectors.Tests", "Aws", "boto3_calls.py"), Address.ToString(), .. more])
            start.ArgumentList.Add(argument);
        using var python = Process.Start(start)!;
        var output = python.StandardOutput.ReadToEndAsync();
        var errors = python.StandardError.ReadToEndAsync();
        foreach (var call in calls)
            await python.StandardInput.WriteLineAsync(call);
        python.StandardInput.Close();
        await python.WaitForExitAsync();
        return python.ExitCode == 0
            ? (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : throw new InvalidOperationException(await errors);
    }
}

[Collection("environment")]
public sealed class MotoTests(SeededMoto moto) : IClassFixture<SeededMoto>
{
    private const int FewestServices = 45;
    private const int FewestOperations = 150;

    /// <summary>Operations whose response in moto differs from AWS's model. Such a response is not complete, and is refused.</summary>
    private static readonly Dictionary<string, string> NotAsTheModelSays = new(StringComparer.Ordinal)
    {
        ["budgets:DescribeBudgets"] = "nextToken for NextToken",
        ["lambda:GetAlias"] = "status 201",
        ["networkmanager:DescribeGlobalNetworks"] = "nextToken for NextToken",
        ["route53:ListHealthChecks"] = "no IsTruncated, which is required",
        ["route53:ListHostedZonesByName"] = "no IsTruncated, which is required",
    };

    [NeedsFact("moto_server")]
    public async Task Every_call_of_the_table_gives_what_boto3_gives_error_codes_included()
    {
        var lines = await File.ReadAllLinesAsync(Repository.Path("tests", "AuditCli.Collectors.Tests", "Aws", "boto3_operations.txt"));
        string[] calls = [.. lines.Where(l => l[0] != '#')];
        var expected = await moto.Boto3Async(calls);
        await using var session = Session.Live(moto.Address, keep: false);
        var differences = new StringBuilder();
        for (var i = 0; i < calls.Length; i++)
        {
            var parts = calls[i].Replace("{endpoint}", moto.Address.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal).Split(' ', 2);
            var parameters = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(parts[1])!.ToImmutableSortedDictionary();
            JsonNode actual;
            try
            {
                var answer = await session.Collector.CallAsync(Session.Target(), parts[0], parameters, null, CancellationToken.None);
                actual = JsonNode.Parse(answer.GetRawText())!;
            }
            catch (CollectionException e)
            {
                actual = new JsonObject { ["Error"] = e.Code };
            }
            if (NotAsTheModelSays.ContainsKey(parts[0]))
                Assert.Equal("{\"Error\":\"MalformedResponse\"}", actual.ToJsonString());
            else if (!JsonNode.DeepEquals(actual, WithoutPaging(parts[0], JsonNode.Parse(expected[i])!)))
                differences.AppendLine(calls[i]).AppendLine("  boto3: " + expected[i]).AppendLine("  here:  " + actual.ToJsonString());
        }
        Assert.True(differences.Length == 0, differences.ToString());
        Assert.True(calls.Select(c => c.Split(' ')[0]).Distinct().Count() >= FewestOperations);
        Assert.True(calls.Select(c => c.Split(':')[0]).Distinct().Count() >= FewestServices);
        Assert.InRange(expected.Count(e => e.StartsWith("{\"Error\":", StringComparison.Ordinal)), 20, calls.Length / 5);
    }

    [NeedsFact("moto_server")]
    public async Task A_target_says_who_it_is_and_which_regions_it_reaches()
    {
        await using var session = Session.Live(moto.Address);
        var target = new Target("prod", "aws", ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty);

        var connection = Assert.Single(await session.Collector.ConnectAsync(target, CancellationToken.None));

        Assert.Equal("123456789012", connection.Account);
        Assert.StartsWith("arn:aws:sts::123456789012:", connection.Identity, StringComparison.Ordinal);
        Assert.Contains("eu-west-1", connection.Regions);
        Assert.Equal(moto.Address.GetLeftPart(UriPartial.Authority), Assert.Single(session.Collector.UnusualEndpoints));
        await session.Transport.DisposeAsync();
        Assert.True(File.Exists(Path.Combine(session.Folder, "data/exchanges/prod/sts-aws-global.warc.gz")));
        Assert.True(File.Exists(Path.Combine(session.Folder, "data/exchanges/prod/ec2-aws-global.warc.gz")));
    }

    [NeedsFact("moto_server")]
    public async Task A_replay_gives_the_same_pages_and_records_without_any_credentials()
    {
        (string, object)[] small = [("limit", 2)];
        await using var live = Session.Live(moto.Address);
        await live.Collector.ConnectAsync(Session.Target(), CancellationToken.None);
        var trail = live.Transport.BeginTrail();
        var pages = await live.CollectAsync("logs:DescribeLogGroups", small);
        var buckets = await live.CollectAsync("s3:ListBuckets");
        var references = trail.Drain();
        await live.Transport.DisposeAsync();

        await using var replay = Session.Replay(live);
        var connection = Assert.Single(await replay.Collector.ConnectAsync(Session.Target(), CancellationToken.None));
        var trailAgain = replay.Transport.BeginTrail();
        var pagesAgain = await replay.CollectAsync("logs:DescribeLogGroups", small);
        var bucketsAgain = await replay.CollectAsync("s3:ListBuckets");

        Assert.Equal(3, pages.Count);
        Assert.Equal("123456789012", connection.Account);
        Assert.Equal(Rows(pages), Rows(pagesAgain));
        Assert.Equal(Rows(buckets), Rows(bucketsAgain));
        Assert.Equal(4, references.Length);
        Assert.Equal(references.ToArray(), trailAgain.Drain().ToArray());
        Assert.Equal("data/exchanges/prod/logs-us-east-1.warc.gz", references[0].File);
        Assert.NotNull(((ReplayTransport)replay.Transport).RecordedDates?.Last);
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
    }

    [NeedsFact("moto_server")]
    public async Task Rows_point_into_the_typed_answer()
    {
        await using var session = Session.Live(moto.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        var users = Assert.Single(await session.CollectAsync("iam:ListUsers"));
        var detectors = Assert.Single(await session.CollectAsync("guardduty:ListDetectors"));
        var summary = Assert.Single(await session.CollectAsync("iam:GetAccountSummary"));

        Assert.Equal(("/Users/1", "user1"), (users.Rows[1].Pointer, users.Rows[1].Value.GetProperty("UserName").GetString()));
        Assert.Equal(JsonValueKind.String, detectors.Rows[0].Value.GetProperty("Value").ValueKind);
        Assert.Equal("", summary.Rows[0].Pointer);
        Assert.Equal(JsonValueKind.Object, summary.Rows[0].Value.GetProperty("SummaryMap").ValueKind);
    }

    [NeedsFact("moto_server")]
    public async Task The_credential_report_is_polled_and_read_as_typed_rows()
    {
        await using var session = Session.Live(moto.Address);
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        var rows = (await session.CollectAsync("iam:GetCredentialReport")).SelectMany(p => p.Rows).ToArray();

        var user = rows.Single(r => r.Value.GetProperty("user").GetString() == "user0").Value;
        Assert.Equal(5, rows.Length);
        Assert.Equal(JsonValueKind.True, user.GetProperty("password_enabled").ValueKind);
        Assert.Equal(JsonValueKind.True, user.GetProperty("access_key_1_active").ValueKind);
        Assert.Equal(JsonValueKind.Null, user.GetProperty("cert_1_last_rotated").ValueKind);
        Assert.EndsWith("Z", user.GetProperty("_generated_at").GetString(), StringComparison.Ordinal);
    }

    [NeedsFact("moto_server")]
    public async Task A_role_is_assumed_on_a_path_that_stores_nothing()
    {
        await using var session = Session.Live(moto.Address);
        var connection = Assert.Single(await session.Collector.ConnectAsync(
            Session.Target(("role_arn", "arn:aws:iam::123456789012:role/role0"), ("external_id", "MARKERexternalMARKER")), CancellationToken.None));
        await session.CollectAsync("iam:ListUsers");
        await session.Transport.DisposeAsync();

        var exchange = Assert.Single(session.CredentialExchanges);
        Assert.Equal(("sts:AssumeRole", 200), (exchange.Operation, exchange.Status));
        Assert.Contains("assumed-role/role0", connection.Identity, StringComparison.Ordinal);
        Assert.DoesNotContain("AssumeRole<", Stored(session.Folder), StringComparison.Ordinal);
        Assert.DoesNotContain("SecretAccessKey", Stored(session.Folder), StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", Stored(session.Folder), StringComparison.Ordinal);
    }

    /// <summary>Removes the paging members that boto3 leaves in the response of an operation without a paginator.</summary>
    private static JsonNode WithoutPaging(string operation, JsonNode answer)
    {
        if (new AwsCatalogue().Find(operation) is (_, { Pager: { Results.IsEmpty: true } pager }))
        {
            foreach (var name in pager.Outputs.Append(pager.More).OfType<string>())
                answer.AsObject().Remove(name);
        }
        return answer;
    }

    /// <summary>Returns the decompressed content of all files in a bundle folder.</summary>
    internal static string Stored(string folder)
    {
        var all = new StringBuilder();
        foreach (var file in Directory.EnumerateFiles(folder, "*.warc.gz", SearchOption.AllDirectories))
        {
            using var stream = new System.IO.Compression.GZipStream(File.OpenRead(file), System.IO.Compression.CompressionMode.Decompress);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            all.Append(reader.ReadToEnd());
        }
        return all.Length > 0 ? all.ToString() : throw new InvalidOperationException("nothing is stored");
    }

    private static IEnumerable<string> Rows(List<Page> pages) => pages.SelectMany(p => p.Rows).Select(r => r.Pointer + r.Value.GetRawText());
}
