using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Serves CloudTrail's event history as AWS does: two requests per second for each account and region, and throttling above that.
/// </summary>
internal sealed class EventHistory(TimeProvider clock, int pages, double perSecond = 2)
{
    public const string Account = "123456789012";
    private readonly double _perSecond = perSecond;
    private readonly Lock _turn = new();
    private readonly long _began = clock.GetTimestamp();
    private double _tokens = perSecond;
    private TimeSpan _last;

    public int Refused { get; private set; }

    public int Served { get; private set; }

    public Reaction Answer(SeenRequest request)
    {
        if (request.Body.Contains("GetCallerIdentity", StringComparison.Ordinal))
            return Reaction.Xml(
                $"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{Account}:user/a</Arn>"
                + $"<Account>{Account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
        lock (_turn)
        {
            var now = clock.GetElapsedTime(_began);
            _tokens = Math.Min(_perSecond, _tokens + ((now - _last).TotalSeconds * _perSecond));
            _last = now;
            if (_tokens < 1)
            {
                Refused++;
                return Reaction.Json("""{"__type":"ThrottlingException","message":"Rate exceeded"}""", 400);
            }
            _tokens--;
            Served++;
        }
        using var asked = JsonDocument.Parse(request.Body);
        var name = asked.RootElement.GetProperty("LookupAttributes")[0].GetProperty("AttributeValue").GetString()!;
        var page = asked.RootElement.TryGetProperty("NextToken", out var token) ? int.Parse(token.GetString()!.Split(' ')[1], CultureInfo.InvariantCulture) : 0;
        return Reaction.Json(JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["Events"] = Enumerable.Range(0, 50).Select(n => new { EventId = $"{name}-{page}-{n}", EventName = name, EventTime = 1790000000 + n }),
            ["NextToken"] = page + 1 < pages ? $"{name} {page + 1}" : null,
        }));
    }
}

[Collection("environment")]
public sealed class LookupPaceTests
{
    private const string Lookup = "cloudtrail:LookupEvents";

    [Fact]
    public async Task Nine_searches_that_share_the_limit_are_all_read_whole_ten_times_of_ten()
    {
        for (var time = 0; time < 10; time++)
        {
            var clock = new HastyClock(20);
            var history = new EventHistory(clock, pages: 3);
            await using var server = new LoopbackServer((request, _) => history.Answer(request));
            await using var live = Session.Live(server.Address, clock);

            var read = await RunAsync(live, clock);

            Assert.All(read.Items, i => Assert.Equal((CollectionOutcome.Complete, 3, 150), (i.Outcome, i.Pages, i.Items)));
            Assert.Equal(27, history.Served);
            if (time > 0)
                continue;
            await live.Transport.DisposeAsync();
            await using var replay = Session.Replay(live);
            var again = await RunAsync(replay, TimeProvider.System);
            Assert.Equal(read.Items.Select(Essence), again.Items.Select(Essence));
            Assert.Empty(((ReplayTransport)replay.Transport).Unused);
        }
    }

    [Fact]
    public async Task Requests_come_half_a_second_apart_and_the_last_page_is_not_waited_for()
    {
        var clock = new ImpatientClock();
        var history = new EventHistory(clock, pages: 3, perSecond: 1000);
        await using var server = new LoopbackServer((request, _) => history.Answer(request));
        await using var session = Session.Live(server.Address, clock);

        await session.CallAsync(Lookup, ("LookupAttributes", new[] { new { AttributeKey = "EventName", AttributeValue = "ConsoleLogin" } }));

        // The first request does not wait.
        Assert.Equal(2, clock.Waits.Count(w => w > TimeSpan.Zero));
        Assert.InRange(clock.Waits.Max(), TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Regions_and_other_operations_do_not_wait_for_each_other()
    {
        var clock = new ImpatientClock();
        await using var server = new LoopbackServer((_, _) => Reaction.Json("""{"Events":[],"trailList":[]}"""));
        await using var session = Session.Live(server.Address, clock);

        foreach (var region in new[] { "us-east-1", "eu-west-1", "eu-central-1" })
            await session.Collector.CallAsync(Session.Target(), Lookup, Session.Parameters(), region, CancellationToken.None);
        for (var i = 0; i < 3; i++)
            await session.CallAsync("cloudtrail:DescribeTrails");

        Assert.DoesNotContain(clock.Waits, w => w > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_wait_for_a_turn_ends_when_it_is_cancelled()
    {
        var pace = new RequestPace(TimeSpan.FromHours(1), TimeProvider.System);
        using var end = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await pace.WaitAsync(end.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pace.WaitAsync(end.Token));
    }

    [Fact]
    public async Task A_wait_for_a_turn_takes_no_place_among_the_requests_at_once()
    {
        var clock = new HastyClock(20);
        var history = new EventHistory(clock, pages: 2);
        await using var server = new LoopbackServer((request, _) =>
            request.Fields.TryGetValue("X-Amz-Target", out var target) && target.EndsWith("DescribeTrails", StringComparison.Ordinal)
                ? Reaction.Json("""{"trailList":[]}""")
                : history.Answer(request));
        await using var session = Session.Live(server.Address, clock);
        var order = new List<string>();

        await RunAsync(session, clock, overall: 1, more: "cloudtrail:DescribeTrails", tell: e => Note(e));

        Assert.Equal("cloudtrail:DescribeTrails", order[0]);

        void Note(CollectionEvent happened)
        {
            if (happened is CollectionEvent.ItemFinished { Item: var item })
            {
                lock (order)
                    order.Add(item.Operation);
            }
        }
    }

    private static async Task<Collected> RunAsync(
        Session session, TimeProvider clock, int overall = 16, string? more = null, Action<CollectionEvent>? tell = null)
    {
        var with = ImmutableSortedDictionary<string, string>.Empty;
        var requests = Enumerable.Range(0, 9).Select(i => new PlannedRequest(
            $"search{i}", "prod", session.Operation(Lookup),
            Session.Parameters(("LookupAttributes", new[] { new { AttributeKey = "EventName", AttributeValue = $"Event{i}" } })), null,
            with, [], null, []));
        if (more is not null)
            requests = requests.Append(new("more", "prod", session.Operation(more), Session.Parameters(), null, with, [], null, []));
        await using var bundle = BundleWriter.Create(Path.Combine(session.Folder, "out"), "a-bundle");
        var limit = new ConcurrencyLimit(RequestLimits.Default with { AtOnce = overall });
        return await new CollectionRun(
            new([.. requests], [], []), ImmutableDictionary<string, ICollector>.Empty.Add("aws", session.Collector), session.Transport,
            bundle, clock, limit, tell ?? (_ => { }))
            .RunAsync([Session.Target()], [], CancellationToken.None);
    }

    private static string Essence(EvidenceItem item) =>
        $"{item.EvidenceId} {item.Outcome} {item.Code} {item.Items} {item.TableSha256} "
        + $"{string.Join(' ', item.Exchanges.Select(e => e.RecordId))}";
}
