using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Collectors.Tests.Running;
using AuditCli.Tests;
using Xunit.Abstractions;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>Checks that an incomplete or malformed list is never taken for a complete list without elements.</summary>
[Collection("environment")]
public sealed class WholeAnswerTests(ITestOutputHelper output)
{
    private const string Accounts = "iam:projects.serviceAccounts.list";
    private const string Firewalls = "compute:firewalls.list";
    private const string Instances = "compute:instances.aggregatedList";
    private const string Policy = "cloudresourcemanager:projects.getIamPolicy";

    [Theory]
    [InlineData("a part of an answer", Accounts, 206, """{"accounts":[]}""", "HTTP206")]
    [InlineData("no content", Accounts, 204, "", "HTTP204")]
    [InlineData("an answer that was accepted", Accounts, 202, "{}", "HTTP202")]
    [InlineData("an error", Accounts, 200, """{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}""", "MalformedResponse")]
    [InlineData("an error beside a list", Accounts, 200, """{"accounts":[],"error":{"code":500}}""", "MalformedResponse")]
    [InlineData("an error that is a text", Accounts, 200, """{"error":"invalid_grant"}""", "MalformedResponse")]
    [InlineData("an error in another case", Accounts, 200, """{"Error":{"Code":"AccessDenied"}}""", "MalformedResponse")]
    [InlineData("a proxy's words", Accounts, 200, """{"message":"blocked by proxy"}""", "MalformedResponse")]
    [InlineData("a type and no more", Accounts, 200, """{"__type":"x"}""", "MalformedResponse")]
    [InlineData("a list twice", Accounts, 200, """{"accounts":[{"name":"a"}],"accounts":[]}""", "MalformedResponse")]
    [InlineData("a name twice, deep inside", Accounts, 200, """{"accounts":[{"name":"a","name":"b"}]}""", "MalformedResponse")]
    [InlineData("the list in another case", Accounts, 200, """{"Accounts":[{"name":"a"}]}""", "MalformedResponse")]
    [InlineData("the list in both cases", Accounts, 200, """{"accounts":[],"Accounts":[{"name":"a"}]}""", "MalformedResponse")]
    [InlineData(
        "the list under another name, and a known member", Firewalls, 200, """{"kind":"compute#firewallList","rules":[{"name":"a"}]}""",
        "MalformedResponse")]
    [InlineData("a list that is null", Accounts, 200, """{"accounts":null}""", "MalformedResponse")]
    [InlineData("an element's member in another case", Accounts, 200, """{"accounts":[{"Email":"a"}]}""", "MalformedResponse")]
    [InlineData("an element that is a text", Accounts, 200, """{"accounts":["a"]}""", "MalformedResponse")]
    [InlineData("a token that is a number", Accounts, 200, """{"accounts":[{"name":"a"}],"nextPageToken":7}""", "MalformedResponse")]
    [InlineData("a token that is an object", Accounts, 200, """{"accounts":[{"name":"a"}],"nextPageToken":{}}""", "MalformedResponse")]
    [InlineData("a token in another case", Accounts, 200, """{"accounts":[{"name":"a"}],"NextPageToken":"t"}""", "MalformedResponse")]
    [InlineData("a token under another name", Accounts, 200, """{"accounts":[{"name":"a"}],"next_page_token":"t"}""", "NextPageUnreadable")]
    [InlineData(
        "a token where there are no pages", "iam:projects.serviceAccounts.keys.list", 200,
        """{"keys":[{"name":"a"}],"nextPageToken":"t"}""", "NextPageUnreadable")]
    [InlineData("errors", Accounts, 200, """{"accounts":[{"name":"a"}],"errors":[{"code":5}]}""", "MalformedResponse")]
    [InlineData("an error in another case beside rows", Accounts, 200, """{"accounts":[{"name":"a"}],"Error":{"code":5}}""", "MalformedResponse")]
    [InlineData("an error that is a text", Accounts, 200, """{"accounts":[{"name":"a"}],"error":"upstream"}""", "MalformedResponse")]
    [InlineData("an error of nothing", Accounts, 200, """{"accounts":[{"name":"a"}],"error":{}}""", "MalformedResponse")]
    [InlineData("a success in part", Firewalls, 200, """{"kind":"compute#firewallList","partialSuccess":true}""", "PartialAnswer")]
    [InlineData("results that are not complete", Accounts, 200, """{"accounts":[{"name":"a"}],"incompleteResults":true}""", "PartialAnswer")]
    [InlineData("a row of another kind", Firewalls, 200, """{"items":[{"kind":"compute#network","name":"a"}]}""", "MalformedResponse")]
    [InlineData("a row of another API", Firewalls, 200, """{"items":[{"kind":"storage#bucket","name":"a"}]}""", "MalformedResponse")]
    [InlineData("a row of nothing", Firewalls, 200, """{"items":[{}]}""", "MalformedResponse")]
    [InlineData("a row of other members", Accounts, 200, """{"accounts":[{"foo":1}]}""", "MalformedResponse")]
    [InlineData(
        "a row twice", Firewalls, 200,
        """{"items":[{"name":"a","selfLink":"https://x/projects/p-one/global/firewalls/a"},{"name":"a","selfLink":"https://x/projects/p-one/global/firewalls/a"}]}""",
        "RepeatedRow")]
    [InlineData("another kind's list", Firewalls, 200, """{"kind":"compute#networkList","items":[]}""", "MalformedResponse")]
    [InlineData("a kind that is a number", Firewalls, 200, """{"kind":7,"items":[]}""", "MalformedResponse")]
    [InlineData("another kind's list of buckets", "storage:buckets.list", 200, """{"kind":"storage#objects"}""", "MalformedResponse")]
    [InlineData("a map that is a list", Instances, 200, """{"items":[]}""", "MalformedResponse")]
    [InlineData("a part of a map that is a list", Instances, 200, """{"items":{"zones/a":[{"name":"a"}]}}""", "MalformedResponse")]
    [InlineData("a part of a map under another name", Instances, 200, """{"items":{"zones/a":{"machines":[{"name":"a"}]}}}""", "MalformedResponse")]
    [InlineData("a part of a map in another case", Instances, 200, """{"items":{"zones/a":{"Instances":[{"name":"a"}]}}}""", "MalformedResponse")]
    [InlineData("what is unreachable as a number", Instances, 200, """{"items":{},"unreachables":3}""", "PartialAnswer")]
    [InlineData("a policy in another case", Policy, 200, """{"version":3,"Bindings":[]}""", "MalformedResponse")]
    [InlineData("words for a policy", Policy, 200, """{"message":"blocked by proxy"}""", "MalformedResponse")]
    [InlineData("an error for a policy", Policy, 200, """{"error":{"code":403}}""", "MalformedResponse")]
    public async Task A_list_that_is_not_whole_is_a_limitation(string what, string operation, int status, string body, string code)
    {
        using var server = new GoogleServer(fault: (request, _) => request.Path == "/v1/userinfo" ? null : new(status, body));
        await using var session = Session.Live(server, new ImpatientClock());
        var pages = new List<Page>();

        var e = await Record.ExceptionAsync(() => session.CollectAsync(pages, operation, Parameters(operation)));

        Assert.True(e is CollectionException failure && failure.Code == code, $"{what}: {e?.Message ?? "complete"}");
        Assert.Equal(code is "NextPageUnreadable" or "PartialAnswer" ? 1 : 0, pages.Count);
        Assert.Single(await session.RecordedAsync(operation[..operation.IndexOf(':', StringComparison.Ordinal)]));
    }

    [Theory]
    [InlineData(Accounts, "{}")]
    [InlineData(Accounts, """{"accounts":[],"nextPageToken":""}""")]
    [InlineData(Accounts, """{"accounts":[],"etag":"x","aNewMember":"y"}""")]
    [InlineData(Firewalls, """{"kind":"compute#firewallList","id":"projects/p-one/global/firewalls","selfLink":"https://compute.googleapis.com/x"}""")]
    [InlineData(Instances, """{"kind":"compute#instanceAggregatedList","items":{"zones/a":{"warning":{"code":"NO_RESULTS_ON_PAGE","message":"m"}}}}""")]
    [InlineData("storage:buckets.list", """{"kind":"storage#buckets"}""")]
    public async Task Every_form_in_which_Google_writes_an_empty_list_is_read(string operation, string body)
    {
        using var server = new GoogleServer(fault: (request, _) => request.Path == "/v1/userinfo" ? null : new(200, body));
        await using var session = Session.Live(server);

        Assert.Empty(Assert.Single(await session.CollectAsync(operation)).Rows);
    }

    [Theory]
    [InlineData("nothing", "{}", "MalformedResponse")]
    [InlineData("no kind", """{"items":[]}""", "MalformedResponse")]
    [InlineData("another project's list", """{"kind":"compute#firewallList","id":"projects/p-other/global/firewalls"}""", "AnotherProject")]
    [InlineData(
        "a row of the first page", """{"kind":"compute#firewallList","items":[{"selfLink":"https://x/projects/p-one/global/firewalls/a"}]}""",
        "RepeatedRow")]
    [InlineData("one more row", """{"kind":"compute#firewallList","items":[{"selfLink":"https://x/projects/p-one/global/firewalls/b"}]}""", null)]
    [InlineData("an empty list", """{"kind":"compute#firewallList"}""", null)]
    public async Task A_second_page_counts_only_if_it_can_follow_the_first(string what, string second, string? code)
    {
        const string First =
            """{"kind":"compute#firewallList","items":[{"selfLink":"https://x/projects/p-one/global/firewalls/a"}],"nextPageToken":"t"}""";
        using var server = new GoogleServer(fault: (request, _) =>
            request.Path == "/v1/userinfo" ? null : new(200, request.Query.Contains("pageToken", StringComparison.Ordinal) ? second : First));
        await using var session = Session.Live(server, new ImpatientClock());
        var pages = new List<Page>();

        var e = await Record.ExceptionAsync(() => session.CollectAsync(pages, Firewalls));

        Assert.True((e as CollectionException)?.Code == code && (e is null) == (code is null), $"{what}: {e?.Message ?? "complete"}");
        Assert.Equal(code is null ? 2 : 1, pages.Count);
    }

    /// <summary>
    /// Skips changes whose result is another valid response: Google omits empty lists and the token of the last page, so such a response
    /// could come from a smaller project.
    /// </summary>
    [Fact]
    public async Task A_changed_answer_is_complete_only_with_the_same_rows()
    {
        Session? session = null;
        var answers = new ChangedAnswers(output, operation => RowsAsync(session!, operation));
        using var server = new GoogleServer(fault: (request, _) =>
        {
            if (request.Path == "/v1/userinfo")
                return null;
            var (body, status) = answers.Page(request.Query.Split("pageToken=p").ElementAtOrDefault(1) is { } number ? number[0] - '0' : 0);
            return new(status, body);
        });
        await using var live = session = Session.Live(server, new ImpatientClock());
        await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None);

        await answers.AreCompleteOnlyWithTheSameRowsAsync(
            Honest(), l => (l.Operation, l.Pages), (lot, l) => Mutation.Of(lot, l.Pages, Around, path => path is ["nextPageToken"]),
            (_, m) => m.Change == Change.Drop && m.Path is ["items" or "accounts" or "nextPageToken"] or ["items", ..]);
    }

    [Fact]
    public async Task A_changed_row_is_complete_only_as_it_was_said()
    {
        Session? session = null;
        var changed = new ChangedRows(output, operation =>
            CollectedRows.OfAsync(session!.Collector, session.Transport, Session.Target(), session.Operation(operation)));
        using var server = new GoogleServer(fault: (request, _) => request.Path == "/v1/userinfo" ? null : new(200, changed.Body));
        await using var live = session = Session.Live(server, new ImpatientClock());

        await changed.AreKeptAsTheyWereSaidAsync(
        [
            new(Accounts, "{\"accounts\":[",
            [
                """{"name":"projects/p-one/serviceAccounts/a","email":"a@x","projectId":"p-one","uniqueId":"101","disabled":true}""",
                """{"name":"projects/p-one/serviceAccounts/b","email":"b@x","projectId":"p-one","uniqueId":"102","displayName":"B"}""",
            ], "]}"),
            new(Firewalls, "{\"kind\":\"compute#firewallList\",\"items\":[",
            [
                """{"kind":"compute#firewall","id":"1","name":"a","priority":1000,"disabled":false,"direction":"INGRESS","sourceRanges":["0.0.0.0/0"],"allowed":[{"IPProtocol":"tcp","ports":["22"]}],"logConfig":{"enable":true}}""",
                """{"kind":"compute#firewall","id":"2","name":"b","priority":1}""",
            ], "]}"),
            new(Instances, "{\"kind\":\"compute#instanceAggregatedList\",\"items\":{\"zones/a\":{\"instances\":[",
            [
                """{"name":"a","id":"7","deletionProtection":true,"networkInterfaces":[{"name":"nic0","accessConfigs":[{"natIP":"192.0.2.1"}]}],"shieldedInstanceConfig":{"enableSecureBoot":false}}""",
                """{"name":"b","id":"8","status":"RUNNING"}""",
            ], "]}}}"),
            new("storage:buckets.list", "{\"kind\":\"storage#buckets\",\"items\":[",
            [
                """{"kind":"storage#bucket","name":"a","metageneration":"3","timeCreated":"2026-01-01T00:00:00Z","iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true},"publicAccessPrevention":"enforced"}}""",
                """{"kind":"storage#bucket","name":"b"}""",
            ], "]}"),
        ], member => [member], leavesOut: false);
    }

    private static (string Operation, string[] Pages)[] Honest() =>
    [
        (Accounts,
            [
                """{"accounts":[{"name":"a","email":"a@x"},{"name":"b"}],"nextPageToken":"p1"}""", """{"nextPageToken":"p2"}""",
                """{"accounts":[{"name":"c","disabled":true}]}""",
            ]),
        (Accounts, ["""{"accounts":[{"name":"a"}]}"""]),
        (Firewalls,
        [
            """{"kind":"compute#firewallList","id":"projects/p-one/global/firewalls","items":[{"kind":"compute#firewall","name":"a"}],"nextPageToken":"p1","selfLink":"https://x"}""",
            """{"kind":"compute#firewallList","id":"projects/p-one/global/firewalls","items":[{"kind":"compute#firewall","name":"b"}],"selfLink":"https://x"}""",
        ]),
        (Instances,
        [
            """{"kind":"compute#instanceAggregatedList","id":"i","items":{"zones/a":{"instances":[{"name":"a"}]},"zones/b":{"warning":{"code":"NO_RESULTS_ON_PAGE","message":"m"}}},"nextPageToken":"p1"}""",
            """{"kind":"compute#instanceAggregatedList","id":"i","items":{"zones/c":{"instances":[{"name":"c"}]}}}""",
        ]),
        ("storage:buckets.list", ["""{"kind":"storage#buckets","items":[{"kind":"storage#bucket","name":"a"}]}"""]),
    ];

    /// <summary>
    /// Returns the members around the rows. In a map of lists these include the list of each location, but not its other members, which are
    /// Google's statements about the location.
    /// </summary>
    private static IEnumerable<ImmutableArray<string>> Around(JsonElement page) => page.EnumerateObject().Select(m => ImmutableArray.Create(m.Name)).Concat(
        page.TryGetProperty("items", out var map) && map.ValueKind == JsonValueKind.Object
            ? map.EnumerateObject()
                .SelectMany(p =>
                    p.Value.EnumerateObject().Where(m => m.Name == "instances").Select(m => ImmutableArray.Create("items", p.Name, m.Name)))
            : []);

    private static async Task<string?> RowsAsync(Session session, string operation)
    {
        try
        {
            var rows = new List<string>();
            var collected = session.Collector.CollectAsync(
                new("google", "p-one", "gcp-global", session.Operation(operation), Session.Parameters()), CancellationToken.None);
            await foreach (var page in collected)
                rows.AddRange(page.Rows.Select(r => r.Value.GetRawText()));
            return string.Join('\n', rows);
        }
        catch (CollectionException)
        {
            return null;
        }
    }

    private static (string, object)[] Parameters(string operation) =>
        operation.EndsWith("keys.list", StringComparison.Ordinal) ? [("name", "projects/p-one/serviceAccounts/a@p-one.iam.gserviceaccount.com")] : [];
}
