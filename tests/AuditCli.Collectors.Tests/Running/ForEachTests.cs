using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Collectors.Tests.Aws;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>
/// Tests <c>for_each</c>, <c>with</c>, <c>where</c> and <c>keep</c> against a scripted KMS with four keys: two names lead to key k1, and
/// k4 has no details. Each run is replayed, and must give the same tables.
/// </summary>
[Collection("environment")]
public sealed class ForEachTests
{
    private static readonly ImmutableSortedDictionary<string, string> None = ImmutableSortedDictionary<string, string>.Empty;

    [Fact]
    public async Task A_refused_question_of_several_rows_is_asked_once_and_fails_for_each_of_them()
    {
        var run = await RunAsync(
            [Keys, Details, Rotation],
            (action, id) => (action, id) == ("GetKeyRotationStatus", "k1") ? Denied : null);

        Assert.Equal((CollectionOutcome.Incomplete, "AccessDeniedException"), (run.Of("rotation").Outcome, run.Of("rotation").Code));
        Assert.Equal(1, run.Of("rotation").Failures.Single(f => f.Code == "AccessDeniedException").Count);
        Assert.Equal(
            ["k1 failed AccessDeniedException", "k1 failed AccessDeniedException", "k3 complete ", " failed NoParentValue"],
            run.Calls("rotation").Select(c => $"{Text(c, "_with_KeyId")} {Text(c, "outcome")} {Text(c, "code")}"));
        Assert.Equal(["k1", "k3"], run.Asked("GetKeyRotationStatus").Order());
    }

    [Fact]
    public async Task A_question_that_several_rows_ask_is_asked_once_and_each_row_has_the_answer()
    {
        var run = await RunAsync([Keys, Details, Rotation]);

        Assert.Equal(["k1", "k3"], run.Asked("GetKeyRotationStatus").Order());
        var parents = run.Rows("details").Select(r => Text(r, "_ref")).ToArray();
        Assert.Equal(
            [(parents[0], "k1"), (parents[1], "k1"), (parents[2], "k3")],
            run.Rows("rotation").Select(r => (Text(r, "_parent"), Text(r, "_with_KeyId")!)));
        Assert.Equal(parents, run.Calls("rotation").Select(c => Text(c, "_parent")));
        Assert.Equal([1, 1, 1, 0], run.Calls("rotation").Select(c => c.GetProperty("items").GetInt32()));
        Assert.Equal(Text(run.Rows("rotation")[0], "_ref"), Text(run.Rows("rotation")[1], "_ref"));
        Assert.Equal(
            run.Calls("rotation")[0].GetProperty("exchanges").GetRawText(), run.Calls("rotation")[1].GetProperty("exchanges").GetRawText());
        Assert.Equal((3, 2), (run.Of("rotation").Items, run.Of("rotation").Pages));
        Assert.DoesNotContain(run.Files, f => !f.StartsWith("data", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_row_that_is_there_twice_for_two_rows_of_its_own_parent_is_one_row_to_its_children()
    {
        var run = await RunAsync([Keys, Details, Rotation, Request("policies", "kms:ListKeyPolicies", "rotation", ("KeyId", "_with_KeyId"))]);

        Assert.Equal(["k1", "k3"], run.Asked("ListKeyPolicies").Order());
        Assert.Equal(["k1", "k3"], run.Calls("policies").Select(c => Text(c, "_with_KeyId")));
        Assert.Equal(3, run.Rows("rotation").Join(run.Rows("policies"), r => Text(r, "_ref"), p => Text(p, "_parent"), (r, _) => r).Count());
    }

    [Fact]
    public async Task A_row_without_the_member_that_a_path_names_is_a_failure_of_that_row_alone()
    {
        var run = await RunAsync([Keys, Details, Rotation]);

        var failure = Assert.Single(run.Of("rotation").Failures);
        Assert.Equal(("NoParentValue", "a parent row has no KeyMetadata.KeyId", 1L), (failure.Code, failure.Message, failure.Count));
        Assert.Equal(CollectionOutcome.Incomplete, run.Of("rotation").Outcome);
    }

    [Fact]
    public async Task Only_rows_that_where_selects_are_asked_for_and_have_a_call()
    {
        var run = await RunAsync([Keys, Details, Rotation with { Where = Filter("KeyMetadata.KeyManager", "CUSTOMER") }]);

        Assert.Equal(["k3"], run.Asked("GetKeyRotationStatus"));
        Assert.Equal("k3", Text(Assert.Single(run.Calls("rotation")), "_with_KeyId"));
        Assert.Equal(CollectionOutcome.Complete, run.Of("rotation").Outcome);
    }

    [Fact]
    public async Task Where_over_a_member_that_no_row_has_is_not_an_empty_table()
    {
        var run = await RunAsync([Keys, Details, Rotation with { Where = Filter("KeyMetadata.KeyManger", "CUSTOMER") }]);

        var item = run.Of("rotation");
        Assert.Equal((CollectionOutcome.Failed, "MemberNotSeen", 0L), (item.Outcome, item.Code, item.Items));
        Assert.Equal(
            "'where' compares KeyMetadata.KeyManger, which no row of kms:DescribeKey that it could take has in a form that can match", item.Message);
        Assert.Empty(run.Asked("GetKeyRotationStatus"));
    }

    [Fact]
    public async Task Keep_over_a_member_that_no_row_has_is_incomplete_and_names_it()
    {
        var run = await RunAsync([Keys, Details with { Keep = Filter("KeyMetadata.KeyManger", "CUSTOMER") }]);

        var item = run.Of("details");
        Assert.Equal((CollectionOutcome.Incomplete, "MemberNotSeen"), (item.Outcome, item.Code));
        Assert.Equal((4L, 0L, 0L), (item.Read, item.Kept, item.Items));
        Assert.Equal("'keep' compares KeyMetadata.KeyManger, which no row of kms:DescribeKey that it could take has in a form that can match", item.Message);
    }

    [Fact]
    public async Task Keep_leaves_rows_out_of_the_table_and_counts_them_and_the_exchanges_stay_whole()
    {
        var run = await RunAsync(
            [Keys with { Keep = Filter("KeyId", "k*", "other") }, Details with { Keep = Filter("KeyMetadata.KeyManager", "CUSTOMER") }, Rotation]);

        Assert.Equal((5L, 4L, 4L), (run.Of("keys").Read, run.Of("keys").Kept, run.Of("keys").Items));
        Assert.Equal((4L, 1L, 1L), (run.Of("details").Read, run.Of("details").Kept, run.Of("details").Items));
        Assert.Equal(CollectionOutcome.Complete, run.Of("details").Outcome);
        Assert.Equal([0, 0, 1, 0], run.Calls("details").Select(c => c.GetProperty("items").GetInt32()));
        Assert.Equal(["k3"], run.Asked("GetKeyRotationStatus"));
        Assert.Null(run.Of("rotation").Read);
        Assert.Contains("alias/skipped", run.Exchanges, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_of_a_repeated_answer_that_keep_leaves_out_stay_out()
    {
        var run = await RunAsync([Keys, Details, Rotation with { Keep = Filter("KeyRotationEnabled", true) }]);

        Assert.Equal((3L, 2L, 2L), (run.Of("rotation").Read, run.Of("rotation").Kept, run.Of("rotation").Items));
        Assert.Equal(["k1", "k1"], run.Rows("rotation").Select(r => Text(r, "_with_KeyId")));
    }

    private static PlannedRequest Keys => Request("keys", "kms:ListKeys", null) with { Keep = Filter("KeyId", "k*") };

    private static PlannedRequest Details => Request("details", "kms:DescribeKey", "keys", ("KeyId", "KeyId"));

    private static PlannedRequest Rotation => Request("rotation", "kms:GetKeyRotationStatus", "details", ("KeyId", "KeyMetadata.KeyId"));

    private static Reaction Denied => Reaction.Json("""{"__type":"AccessDeniedException","message":"no"}""", 400);

    private static PlannedRequest Request(string key, string operation, string? parent, params (string Parameter, string Column)[] with) => new(
        key, "prod", AuditCli.Collectors.Aws.AwsSource.Create().FindOperation(operation)!, ImmutableSortedDictionary<string, JsonElement>.Empty, parent,
        None.AddRange(with.Select(w => KeyValuePair.Create(w.Parameter, w.Column))), [], null, []);

    private static RowFilter Filter(string path, params object[] values) => new([new(path, [.. values.Select(v => JsonSerializer.SerializeToElement(v))])]);

    private static string? Text(JsonElement row, string column) => row.TryGetProperty(column, out var value) ? value.GetString() : null;

    private static async Task<Tables> RunAsync(ImmutableArray<PlannedRequest> requests, Func<string, string, Reaction?>? fault = null)
    {
        await using var server = new LoopbackServer((request, _) => Answer(request, fault ?? ((_, _) => null)));
        await using var live = Session.Live(server.Address);
        var recorded = await CollectAsync(live, requests);
        await live.Transport.DisposeAsync();
        await using var replay = Session.Replay(live);
        var replayed = await CollectAsync(replay, requests);

        Assert.Equal(recorded.Items.Select(Essence), replayed.Items.Select(Essence));
        Assert.Empty(((ReplayTransport)replay.Transport).Unused);
        return recorded with { Seen = [.. server.Seen], Exchanges = string.Concat((await live.RecordedAsync("kms")).Select(e => Body(e.Exchange.Response))) };
    }

    private static async Task<Tables> CollectAsync(Session session, ImmutableArray<PlannedRequest> requests)
    {
        var folder = Path.Combine(session.Folder, "out");
        await using var bundle = BundleWriter.Create(folder, "a-bundle");
        var collected = await new CollectionRun(
            new(requests, [], []), ImmutableDictionary<string, ICollector>.Empty.Add("aws", session.Collector), session.Transport, bundle,
            TimeProvider.System, new ConcurrencyLimit(RequestLimits.Default), _ => { })
            .RunAsync([Session.Target()], [], CancellationToken.None);
        var tables = collected.Items.SelectMany(i => new[] { i.Table, i.Calls }).OfType<string>().ToDictionary(p => p, p => Rows(bundle.PathOf(p)));
        return new(
            [.. requests.Select(r => r.Operation.Name)], [.. requests.Select(r => r.Key)], collected.Items, tables,
            [.. Directory.EnumerateFiles(bundle.PartialFolder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(bundle.PartialFolder, f))]);
    }

    private static ImmutableArray<JsonElement> Rows(string path)
    {
        using var table = new TableReader(path);
        return [.. table.ReadRows()];
    }

    private static string Body(AuditCli.Evidence.Warc.HttpBlock? response) =>
        response is null ? "" : System.Text.Encoding.UTF8.GetString(response.Body.Span);

    private static string Essence(EvidenceItem item) =>
        $"{item.EvidenceId} {item.Outcome} {item.Code} {item.Message} {item.Pages} {item.Items} {item.Read} {item.Kept} {item.TableSha256} {item.CallsSha256} "
        + $"{item.Started:O} {item.Finished:O}";

    /// <summary>Answers as KMS does. The name <c>k2</c> is another name of k1, k3 is the customer's own, and nothing is told of k4.</summary>
    private static Reaction Answer(SeenRequest request, Func<string, string, Reaction?> fault)
    {
        if (!request.Fields.TryGetValue("X-Amz-Target", out var target))
        {
            return Reaction.Xml(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn>"
                + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
        }
        var action = target.Split('.')[1];
        var asked = JsonElement.Parse(request.Body).TryGetProperty("KeyId", out var id) ? id.GetString()! : "";
        return fault(action, asked) ?? Reaction.Json((action, asked) switch
        {
            ("ListKeys", _) => """{"Keys":[{"KeyId":"k1"},{"KeyId":"k2"},{"KeyId":"k3"},{"KeyId":"k4"},{"KeyId":"alias/skipped"}],"Truncated":false}""",
            ("DescribeKey", "k1" or "k2") => """{"KeyMetadata":{"KeyId":"k1","KeyManager":"AWS"}}""",
            ("DescribeKey", "k3") => """{"KeyMetadata":{"KeyId":"k3","KeyManager":"CUSTOMER"}}""",
            ("DescribeKey", _) => """{"KeyMetadata":{"KeyManager":"AWS"}}""",
            ("GetKeyRotationStatus", "k1") => """{"KeyRotationEnabled":true,"KeyId":"k1"}""",
            ("GetKeyRotationStatus", _) => """{"KeyRotationEnabled":false,"KeyId":"k3"}""",
            _ => """{"PolicyNames":["default"],"Truncated":false}""",
        });
    }

    private sealed record Tables(
        ImmutableArray<string> Operations, ImmutableArray<string> Keys, ImmutableArray<EvidenceItem> Items,
        Dictionary<string, ImmutableArray<JsonElement>> Read, ImmutableArray<string> Files)
    {
        public ImmutableArray<SeenRequest> Seen { get; init; } = [];

        public string Exchanges { get; init; } = "";

        public EvidenceItem Of(string key) => Items.Single(i => i.Operation == Operations[Keys.IndexOf(key)]);

        public ImmutableArray<JsonElement> Rows(string key) => Of(key).Table is { } table ? Read[table] : [];

        public ImmutableArray<JsonElement> Calls(string key) => Of(key).Calls is { } calls ? Read[calls] : [];

        /// <summary>Returns the keys for which the server was asked, in the order of arrival.</summary>
        public string[] Asked(string action) =>
        [
            .. Seen.Where(r => r.Fields.GetValueOrDefault("X-Amz-Target")?.EndsWith($".{action}", StringComparison.Ordinal) == true)
                .Select(r => JsonElement.Parse(r.Body).GetProperty("KeyId").GetString()!),
        ];
    }
}
