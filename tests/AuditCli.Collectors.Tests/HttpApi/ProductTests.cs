using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Rest;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>
/// Reads every operation of every product from a server that knows only what the vendor publishes, and then makes each answer wrong in
/// turn: none of these may count as a complete list.
/// </summary>
public sealed class ProductTests
{
    private const int Rows = 5;

    public static TheoryData<string> Products => [.. Session.Catalogue.ApiNames];

    [Theory]
    [MemberData(nameof(Products))]
    public async Task A_denied_call_never_becomes_an_empty_list(string product)
    {
        foreach (var (status, body) in new[]
        {
            (401, """{"errorCode":"E0000011","errorSummary":"Invalid token provided"}"""),
            (403, """{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}"""),
            (403, "<html>blocked by proxy</html>"), (404, "{}"), (302, ""), (204, ""), (202, "[]"), (206, "[]"), (200, ""), (200, "null"),
            (200, """{"message":"blocked by proxy"}"""), (200, """{"error":{"code":"unauthenticated"}}"""), (200, """[{"a":1}]"""), (200, "[1]"),
            (200, """{"value":{}}"""), (200, """{"Value":[],"Issues":[],"Values":[],"Result":[]}"""), (200, """{"items":[]}"""),
        })
        {
            await EveryAsync(product, _ => new(status, body), (operation, rows, failure) =>
                Assert.True(
                    failure is not null && rows.Count == 0,
                    $"{operation.Name} with {status} {body}: {rows.Count} rows, {failure?.Message ?? "complete"}"));
        }
    }

    /// <summary>Only the vendor's own document with the status 404 says that there is none.</summary>
    [Theory]
    [InlineData(404, """{"errorCode":"E0000007","errorSummary":"Not found"}""", true)]
    [InlineData(400, """{"errorCode":"E0000007"}""", false)]
    [InlineData(401, """{"errorCode":"E0000007"}""", false)]
    [InlineData(403, """{"errorCode":"E0000007"}""", false)]
    [InlineData(405, """{"errorCode":"E0000007"}""", false)]
    [InlineData(409, """{"errorCode":"E0000007"}""", false)]
    [InlineData(410, """{"errorCode":"E0000007"}""", false)]
    [InlineData(422, """{"errorCode":"E0000007"}""", false)]
    [InlineData(451, """{"errorCode":"E0000007"}""", false)]
    [InlineData(404, """{"errorCode":"E0000006","errorCode":"E0000007"}""", false)]
    [InlineData(404, """{"errorCode":"E0000007","ErrorCode":"E0000006"}""", false)]
    [InlineData(404, """{"errorCode":"E0000007","error":{"code":"denied"}}""", false)]
    [InlineData(404, """{"errorCode":"E0000007"}""", false, "Content-Type", "text/html")]
    [InlineData(404, """{"errorCode":"E0000007"}""", false, "Retry-After", "30")]
    [InlineData(404, """{"errorCode":"E0000007"}""", false, "Content-Range", "items 0-0/9")]
    public async Task A_code_for_none_counts_only_in_the_form_that_the_vendor_has(
        int status, string body, bool isNone, string? header = null, string? value = null)
    {
        var tried = 0;
        await EveryAsync("okta", _ => header is null ? new(status, body) : new(status, body, (header, value!)), (operation, _, failure) =>
        {
            if (!operation.None.Contains("E0000007"))
                return;
            tried++;
            Assert.True(failure?.Code == "E0000007" == isNone, $"{operation.Name}: {failure?.Code} {failure?.Message}");
        });
        Assert.NotEqual(0, tried);
    }

    [Theory]
    [MemberData(nameof(Products))]
    public async Task A_list_that_is_paged_wrongly_is_never_complete(string product)
    {
        var wrong = new (string What, Func<JsonNode, ProductRequest, ProductAnswer?> Change)[]
        {
            ("the next page is on another host", (body, _) => Linked(body, "https://elsewhere.example/next?after=t2&$skiptoken=t2")),
            ("the next page is on the same host by number", (body, _) => Linked(body, "/organizations/123/next?after=t2&$skiptoken=t2")),
            ("the next page takes a token of the caller", (body, request) => Linked(body, $"{request.Path}?access_token=abc")),
            ("the next page is the first one", (body, request) => Linked(body, request.Path)),
            ("the token is a number", (body, _) => Changed(body, "nextPageToken", 7)),
            ("it is not the last page, and no next one is named", (body, _) => Changed(Changed(body, "isLast", false)!, "nextPageToken", null)),
            ("the next page has another filter", (body, request) => Linked(body, $"{request.Path}?filter=x&after=t2&$skiptoken=t2")),
            ("the link header cannot be read", (body, request) => body is JsonArray rows ? new(200, rows.ToJsonString(), ("Link", "next")) : null),
            ("an error is beside the rows", (body, _) => body is JsonObject ? With(body, "error", "timed out") : null),
            ("more is counted than there is", (body, _) => Changed(body, "total", Rows + 1)),
            ("no rows are counted", (body, _) => Changed(body, "total", "many")),
        };
        foreach (var (what, change) in wrong)
        {
            var changed = 0;
            await EveryAsync(product, null, (operation, rows, failure) =>
            {
                if (changed > 0)
                    Assert.True(failure is not null, $"{operation.Name}: {what}: {rows.Count} rows counted as complete");
                changed = 0;
            }, (request, normal) => change(JsonNode.Parse(normal.Body)!, request) is { } answer && ++changed > 0 ? answer : null);
        }
    }

    [Theory]
    [MemberData(nameof(Products))]
    public async Task Every_operation_is_read_completely_and_again_from_its_recording(string product)
    {
        using var server = new ProductServer(product);
        await using var live = Session.Live(product, server.Address);
        var read = new Dictionary<string, List<string>>();
        foreach (var operation in Operations(product))
            read[operation.Name] = await live.RowsAsync($"{product}:{operation.Name}");
        Assert.Equal([], server.Violations);
        Assert.All(Operations(product), o => Assert.Equal(o.Rows is null ? 1 : Rows, read[o.Name].Count));
        await live.Transport.DisposeAsync();

        await using var replay = Session.Replay(live);
        foreach (var operation in Operations(product))
            Assert.Equal(read[operation.Name], await replay.RowsAsync($"{product}:{operation.Name}"));
    }

    [Fact]
    public async Task Rows_that_the_caller_may_not_see_make_the_list_incomplete()
    {
        // ServiceNow removes such rows from a page and still counts them.
        using var server = new ProductServer("servicenow", (request, _) => new(
            200, """{"result":[{"sys_id":"a","number":"INC1"}]}""", ("X-Total-Count", "2")));
        await using var session = Session.Live("servicenow", server.Address);
        var rows = new List<string>();
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync(rows, "servicenow:incident.list"));
        Assert.Equal(Codes.CountsDiffer, failure.Code);
        Assert.Equal("servicenow:incident.list: the provider counts 2 rows, but 1 were read", failure.Message);
        Assert.Single(rows);
    }

    [Fact]
    public async Task Rows_that_a_later_page_repeats_make_the_list_incomplete_although_the_count_agrees()
    {
        using var server = new ProductServer("servicenow", (request, _) => new(
            200,
            request.Value("sysparm_offset") is null
                ? """{"result":[{"sys_id":"a"},{"sys_id":"b"}]}"""
                : """{"result":[{"sys_id":"b"},{"sys_id":"c"}]}""",
            ("X-Total-Count", "4")));
        await using var session = Session.Live("servicenow", server.Address);
        var limited = Session.Required(Session.Catalogue.Find("servicenow:incident.list")!.Value.Operation).Add("sysparm_limit", JsonElement.Parse("2"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("servicenow:incident.list", limited));
        Assert.Equal(Codes.RepeatedRow, failure.Code);
        var none = await Assert.ThrowsAsync<CollectionException>(
            () => session.RowsAsync("servicenow:incident.list", limited.SetItem("sysparm_limit", JsonElement.Parse("-1"))));
        Assert.Equal((Codes.InvalidParameter, "servicenow:incident.list: sysparm_limit is -1; a page has at least one row"), (none.Code, none.Message));
    }

    [Theory]
    [InlineData("text/html", "[]")]
    [InlineData("text/plain; charset=utf-8", "[]")]
    public async Task A_page_that_is_not_json_by_its_own_word_is_no_list(string type, string body)
    {
        using var server = new ProductServer("okta", (_, n) => n == 0 ? null : new(200, body, ("Content-Type", type)));
        await using var session = Session.Live("okta", server.Address);
        Assert.Equal(Codes.MalformedResponse, (await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("okta:users.list"))).Code);
    }

    [Fact]
    public async Task A_body_in_another_coding_than_it_claims_is_kept_as_a_failed_attempt_and_replayed()
    {
        using var server = new ProductServer("okta", (_, n) => n == 0 ? null : new(200, """[{"id":"u1","status":"ACTIVE"}]""", ("Content-Encoding", "br")));
        await using var live = Session.Live("okta", server.Address, new HurriedClock(), ("token_env", Session.Variable));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => live.RowsAsync("okta:users.list"));
        Assert.Equal(Codes.ConnectionFailed, failure.Code);
        await live.Transport.DisposeAsync();
        await using var replay = Session.Replay(live);
        Assert.Equal(failure.Message, (await Assert.ThrowsAsync<CollectionException>(() => replay.RowsAsync("okta:users.list"))).Message);
    }

    [Fact]
    public async Task Members_that_the_catalogue_does_not_list_are_kept_in_a_column_of_their_own()
    {
        using var server = new ProductServer("okta", (_, n) => n == 0 ? null : new(200, """[{"id":"u1","status":"ACTIVE","shoeSize":"r1"}]"""));
        await using var session = Session.Live("okta", server.Address);
        Assert.Equal(["""/0 {"id":"u1","status":"ACTIVE","_other":{"shoeSize":"r1"}}"""], await session.RowsAsync("okta:users.list"));
    }

    private static IEnumerable<RestOperation> Operations(string product)
    {
        var api = Session.Catalogue.Api(product)!;
        return api.OperationNames.Select(n => api.Operation(n)!);
    }

    /// <summary>Reads every operation from a server whose answers are changed, and gives what was read to a check.</summary>
    private static async Task EveryAsync(
        string product, Func<ProductRequest, ProductAnswer?>? answer, Action<RestOperation, List<string>, CollectionException?> check,
        Func<ProductRequest, ProductAnswer, ProductAnswer?>? change = null)
    {
        var connecting = true;
        using var server = new ProductServer(product, (request, _) => connecting ? null : answer?.Invoke(request))
        {
            Change = (r, a) => connecting ? null : change?.Invoke(r, a),
        };
        await using var session = Session.Live(product, server.Address);
        await session.Collector.ConnectAsync(session.Target, CancellationToken.None);
        connecting = false;
        foreach (var operation in Operations(product))
        {
            var rows = new List<string>();
            CollectionException? failure = null;
            try
            {
                await session.ReadAsync(rows, $"{product}:{operation.Name}");
            }
            catch (CollectionException e)
            {
                failure = e;
            }
            check(operation, rows, failure);
        }
    }

    private static ProductAnswer? Linked(JsonNode body, string url) => body is JsonArray rows
        ? new(200, rows.ToJsonString(), ("Link", $"<{url}>; rel=\"next\""))
        : Changed(body, "@odata.nextLink", url);

    private static ProductAnswer? With(JsonNode body, string name, JsonNode value)
    {
        body[name] = value;
        return new(200, body.ToJsonString());
    }

    private static ProductAnswer? Changed(JsonNode body, string name, JsonNode? value)
    {
        // A list of Microsoft Graph has a context, and the link only if there are more pages.
        if (body is not JsonObject members || !members.ContainsKey(name == "@odata.nextLink" ? "@odata.context" : name))
            return null;
        members[name] = value;
        return new(200, members.ToJsonString());
    }

    private static ProductAnswer? Changed(ProductAnswer? answer, string name, JsonNode? value) =>
        answer is null ? null : Changed(JsonNode.Parse(answer.Body)!, name, value);
}
