using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Collectors.Tests.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;
using Xunit.Abstractions;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>Checks that an incomplete or malformed list is never taken for a complete list without objects.</summary>
public sealed class WholeAnswerTests(ITestOutputHelper output)
{
    private static readonly Reaction Review = Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201);

    [Theory]
    [InlineData("a part of an answer", "v1/pods", 206, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData("an answer that was accepted", "v1/pods", 202, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData("a list that was made", "v1/pods", 201, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData("no content", "v1/pods", 204, "", "MalformedResponse")]
    [InlineData(
        "half of a surrogate pair in a text", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a\ud83d"}}]}""", "MalformedResponse")]
    [InlineData(
        "half of a surrogate pair in a name", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"\uDC00":1,"metadata":{"name":"a","uid":"1"}}]}""", "MalformedResponse")]
    [InlineData("an error", "v1/pods", 200, """{"error":{"code":500,"message":"no"}}""", "MalformedResponse")]
    [InlineData("a proxy's words", "v1/pods", 200, """{"message":"blocked by proxy"}""", "MalformedResponse")]
    [InlineData("a Status", "v1/pods", 200, """{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no"}""", "MalformedResponse")]
    [InlineData("another kind's list", "v1/pods", 200, """{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData("a list of configmaps", "v1/pods", 200, """{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData("the kind in another case", "v1/pods", 200, """{"kind":"podList","apiVersion":"v1","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData("a list of any kind", "v1/pods", 200, """{"kind":"List","apiVersion":"v1","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData(
        "another version", "apps/v1/deployments", 200, """{"kind":"DeploymentList","apiVersion":"apps/v1beta1","metadata":{},"items":[]}""",
        "MalformedResponse")]
    [InlineData(
        "another group", "example.com/v1/gadgets", 200, """{"kind":"GadgetList","apiVersion":"other.com/v1","metadata":{},"items":[]}""",
        "MalformedResponse")]
    [InlineData("no version", "v1/pods", 200, """{"kind":"PodList","metadata":{},"items":[]}""", "MalformedResponse")]
    [InlineData("no items", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{}}""", "MalformedResponse")]
    [InlineData(
        "items in another case", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"Items":[{"metadata":{"name":"a","uid":"1"}}]}""", "MalformedResponse")]
    [InlineData(
        "items twice in two cases", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[],"Items":[{"metadata":{"name":"a","uid":"1"}}]}""", "MalformedResponse")]
    [InlineData("no metadata", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","items":[]}""", "MalformedResponse")]
    [InlineData(
        "metadata in another case", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"Metadata":{"continue":"t"},"items":[]}""", "MalformedResponse")]
    [InlineData(
        "a token in another case", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{"Continue":"t"},"items":[]}""",
        "MalformedResponse")]
    [InlineData(
        "a token that is a number", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{"continue":7},"items":[]}""",
        "MalformedResponse")]
    [InlineData(
        "a token that is an object", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{"continue":{"token":"t"}},"items":[]}""", "MalformedResponse")]
    [InlineData(
        "a name twice, deep inside", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","uid":"1","name":"b"}}]}""", "MalformedResponse")]
    [InlineData(
        "a token twice", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"t","continue":""},"items":[]}""",
        "MalformedResponse")]
    [InlineData(
        "an object's field in another case", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","uid":"1"},"Spec":{}}]}""", "MalformedResponse")]
    [InlineData(
        "an object of another kind", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"kind":"Node","metadata":{"name":"a","uid":"1"}}]}""", "MalformedResponse")]
    [InlineData(
        "an object of another version", "example.com/v1/gadgets", 200,
        """{"kind":"GadgetList","apiVersion":"example.com/v1","metadata":{},"items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","uid":"1"}}]}""",
        "MalformedResponse")]
    [InlineData(
        "a count that is a text", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{"remainingItemCount":"3"},"items":[]}""", "MalformedResponse")]
    [InlineData(
        "objects that remain", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{"remainingItemCount":3},"items":[{"metadata":{"name":"a","uid":"1"}}]}""",
        "NextPageUnreadable")]
    [InlineData(
        "objects that remain, with an empty token", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"","remainingItemCount":1},"items":[{"metadata":{"name":"a","uid":"1"}}]}""",
        "NextPageUnreadable")]
    [InlineData(
        "a token under another name", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{"continueToken":"t"},"items":[{"metadata":{"name":"a","uid":"1"}}]}""",
        "NextPageUnreadable")]
    [InlineData(
        "a token beside the metadata", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"nextPage":"t","items":[{"metadata":{"name":"a","uid":"1"}}]}""", "NextPageUnreadable")]
    [InlineData(
        "an error beside items", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[],"error":"upstream timeout"}""", "MalformedResponse")]
    [InlineData(
        "errors beside items", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[],"Errors":[]}""", "MalformedResponse")]
    [InlineData(
        "words beside items", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[],"message":"cut"}""", "MalformedResponse")]
    [InlineData("an object of nothing", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{}]}""", "MalformedResponse")]
    [InlineData(
        "an object without metadata", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"spec":{}}]}""",
        "MalformedResponse")]
    [InlineData(
        "an object without a name", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"uid":"1"}}]}""",
        "MalformedResponse")]
    [InlineData(
        "an object without a uid", "v1/pods", 200, """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a"}}]}""",
        "MalformedResponse")]
    [InlineData(
        "a custom object without a name", "example.com/v1/gadgets", 200,
        """{"kind":"GadgetList","apiVersion":"example.com/v1","metadata":{},"items":[{"metadata":{"name":""}}]}""", "MalformedResponse")]
    [InlineData(
        "one object twice", "v1/pods", 200,
        """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","uid":"1"}},{"metadata":{"name":"a","uid":"1"}}]}""",
        "RepeatedRow")]
    public async Task A_list_that_is_not_whole_is_a_limitation(string what, string operation, int status, string body, string code)
    {
        await using var server = new LoopbackServer((request, _) => request.Method == "POST" ? Review : Reaction.Json(body, status));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var (item, _) = Assert.Single(await session.RunAsync(operation));

        Assert.True(item.Code == code, $"{what}: {item.Outcome} {item.Code} {item.Message}");
        Assert.Equal(code == "NextPageUnreadable" ? CollectionOutcome.Incomplete : CollectionOutcome.Failed, item.Outcome);
        Assert.Equal(status, Assert.Single(item.Exchanges).Status);
    }

    [Theory]
    [InlineData("""{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}""", 0)]
    [InlineData("""{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":null}""", 0)]
    [InlineData(
        """{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1","continue":"","remainingItemCount":0},"items":[{"metadata":{"name":"a","uid":"1"}}]}""",
        1)]
    [InlineData(
        """{"kind":"PodList","apiVersion":"v1","metadata":{"selfLink":"/api/v1/pods","shardInfo":{"selector":"x"},"continue":null,"remainingItemCount":null},"items":[{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"1"}}]}""",
        1)]
    public async Task Every_form_in_which_a_server_writes_a_whole_list_is_read(string body, int rows)
    {
        await using var server = new LoopbackServer((request, _) => request.Method == "POST" ? Review : Reaction.Json(body));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var (item, read) = Assert.Single(await session.RunAsync("v1/pods"));

        Assert.True(item.Outcome == CollectionOutcome.Complete, item.Message);
        Assert.Equal(rows, read.Length);
    }

    [Theory]
    [InlineData("fewer objects than remained", "PartialAnswer", ",\"remainingItemCount\":50", """{"resourceVersion":"1"}""", """{"name":"b","uid":"2"}""")]
    [InlineData("no version of the state", "MalformedResponse", "", "{}", """{"name":"b","uid":"2"}""")]
    [InlineData("another state", "MalformedResponse", "", """{"resourceVersion":"2"}""", """{"name":"b","uid":"2"}""")]
    [InlineData("an object of the first page", "RepeatedRow", "", """{"resourceVersion":"1"}""", """{"name":"a","uid":"1"}""")]
    [InlineData("as many objects as remained", null, ",\"remainingItemCount\":1", """{"resourceVersion":"1"}""", """{"name":"b","uid":"2"}""")]
    [InlineData("more objects than remained", null, ",\"remainingItemCount\":0", """{"resourceVersion":"1"}""", """{"name":"b","uid":"2"}""")]
    public async Task A_second_page_counts_only_if_it_can_follow_the_first(string what, string? code, string remaining, string metadata, string second)
    {
        await using var server = new LoopbackServer((request, _) => request.Method == "POST"
            ? Review
            : Reaction.Json(request.Target.Contains("continue=", StringComparison.Ordinal)
                ? $$$"""{"kind":"PodList","apiVersion":"v1","metadata":{{{metadata}}},"items":[{"metadata":{{{second}}}}]}"""
                : $$$"""{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1","continue":"t"{{{remaining}}}},"items":[{"metadata":{"name":"a","uid":"1"}}]}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var (item, _) = Assert.Single(await session.RunAsync("v1/pods"));

        Assert.True(item.Code == code, $"{what}: {item.Outcome} {item.Code} {item.Message}");
        Assert.Equal(code is null ? CollectionOutcome.Complete : CollectionOutcome.Incomplete, item.Outcome);
    }

    /// <summary>The API server sends only what was asked for. Anything else shows that another question was answered.</summary>
    [Theory]
    [InlineData("namespace=payments", """{"namespace":"payments"}""", null)]
    [InlineData("namespace=payments", """{"namespace":"other"}""", "of the namespace other")]
    [InlineData("namespace=payments", """{"namespace":"Payments"}""", "of the namespace Payments")]
    [InlineData("namespace=payments", "{}", "of the namespace none")]
    [InlineData("labelSelector=app=x", """{"labels":{"app":"x"}}""", null)]
    [InlineData("labelSelector=app=x", """{"labels":{"app":"y"}}""", "the label selector excludes")]
    [InlineData("labelSelector=app=x", "{}", "the label selector excludes")]
    [InlineData("labelSelector=app==x,tier!=web", """{"labels":{"app":"x","tier":"db"}}""", null)]
    [InlineData("labelSelector=app==x,tier!=web", """{"labels":{"app":"x","tier":"web"}}""", "the label selector excludes")]
    [InlineData("labelSelector=app in (x, y),!old", """{"labels":{"app":"y"}}""", null)]
    [InlineData("labelSelector=app in (x, y),!old", """{"labels":{"app":"y","old":""}}""", "the label selector excludes")]
    [InlineData("labelSelector=app notin (x,y)", """{"labels":{"app":"x"}}""", "the label selector excludes")]
    [InlineData("labelSelector=app notin (x,y)", "{}", null)]
    [InlineData("labelSelector=owner", "{}", "the label selector excludes")]
    [InlineData("fieldSelector=metadata.name=a", "{}", null)]
    [InlineData("fieldSelector=metadata.name=b", "{}", "whose name is not b")]
    [InlineData("fieldSelector=metadata.name!=b", "{}", null)]
    [InlineData("fieldSelector=status.phase=Running", "{}", null)]
    public async Task An_object_that_was_not_asked_for_makes_the_list_malformed(string parameter, string more, string? why)
    {
        var metadata = string.Concat("""{"name":"a","uid":"1",""", more.AsSpan(1)).Replace(",}", "}", StringComparison.Ordinal);
        await using var server = new LoopbackServer((request, _) => request.Method == "POST"
            ? Review
            : Reaction.Json($$"""{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{{metadata}}}]}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));
        await session.ConnectAsync();
        var (name, value) = parameter.Split('=', 2) is [var n, var v] ? (n, v) : default;

        var failure = await Record.ExceptionAsync(() => session.CallAsync("v1/pods", (name, value)));

        Assert.Equal(why is null, failure is null);
        Assert.Contains(why ?? "", failure?.Message ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_page_of_another_kind_is_no_second_page()
    {
        await using var server = new LoopbackServer((request, _) => request.Method == "POST"
            ? Review
            : Reaction.Json(request.Target.Contains("continue=", StringComparison.Ordinal)
                ? """{"kind":"WidgetList","apiVersion":"example.com/v1","metadata":{},"items":[]}"""
                : """{"kind":"GadgetList","apiVersion":"example.com/v1","metadata":{"continue":"t"},"items":[{"metadata":{"name":"a","uid":"1"}}]}"""));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        var (item, _) = Assert.Single(await session.RunAsync("example.com/v1/gadgets"));

        Assert.Equal((CollectionOutcome.Incomplete, "MalformedResponse"), (item.Outcome, item.Code));
    }

    [Theory]
    [InlineData("""{"message":"blocked by proxy"}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"other.com/v1","resources":[]}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","Resources":[]}""")]
    [InlineData("""{"kind":"Status","status":"Failure"}""")]
    [InlineData("""{"kind":"APIResourceList","resources":[]}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":5,"resources":[]}""")]
    [InlineData("""{"kind":"APIResourceList","apiVersion":"v9","groupVersion":"example.com/v1","resources":[]}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[],"error":"timed out"}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[],"partial":true}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[],"metadata":{"continue":"t"}}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[],"Resources":[{"name":"gadgets","kind":"Gadget"}]}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":["gadgets"]}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[{"kind":"Gadget"}]}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[{"name":"Gadgets","kind":"Gadget"}]}""")]
    [InlineData("""{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[{"name":"gadgets/status","kind":"Gadget"}]}""")]
    public async Task Words_in_place_of_the_list_of_resources_do_not_say_that_one_is_not_served(string body)
    {
        await using var server = new LoopbackServer((request, _) => request.Method == "POST"
            ? Review
            : request.Target.StartsWith("/apis/example.com/v1/gadgets", StringComparison.Ordinal)
                ? Reaction.Json("404 page not found\n", 404)
                : Reaction.Json(body));
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));

        Assert.Equal("NotFound", Assert.Single(await session.RunAsync("example.com/v1/gadgets")).Item.Code);
    }

    [Fact]
    public void Every_resource_that_Kubernetes_has_itself_has_a_kind() =>
        Assert.All(WellKnownResources.Names, name =>
        {
            Assert.True(KubernetesResource.TryParse(name, out var resource, out _));
            Assert.NotNull(WellKnownResources.KindOf(resource));
        });

    /// <summary>
    /// Uses responses of a real API server, and the same lists divided into pages as it does. Skips the only change whose result is another
    /// valid response: null items, as in a list without objects.
    /// </summary>
    [Fact]
    public async Task A_changed_answer_is_complete_only_with_the_same_rows()
    {
        ClusterSession? session = null;
        var answers = new ChangedAnswers(output, operation => RowsAsync(session!, operation));
        await using var server = new LoopbackServer((request, _) =>
        {
            if (request.Method == "POST")
                return Review;
            var (body, status) = answers.Page(
                request.Target.Split("continue=page").ElementAtOrDefault(1) is { } number
                    ? int.Parse(number.Split('&')[0], CultureInfo.InvariantCulture)
                    : 0);
            return Reaction.Json(body, status);
        });
        await using var live = session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));
        await session.ConnectAsync();
        var lists = Recorded()
            .SelectMany(l => new[] { 500, 3, 1 }.Select(size => (l.Operation, Pages: Paged(l.Body, size))))
            .Where(l => l.Pages.Length < 5)
            .ToArray();
        Assert.InRange(lists.Length, 10, 1000);

        await answers.AreCompleteOnlyWithTheSameRowsAsync(
            lists, l => (l.Operation, l.Pages), (lot, l) => Mutation.Of(lot, l.Pages, Around, path => path is ["metadata", "continue" or "remainingItemCount"]),
            (_, m) => m.Change is Change.Retype && m.Path is ["items"] && m.Body.Contains("\"items\":null", StringComparison.Ordinal));
    }

    /// <summary>Uses the first few objects of lists from a real API server.</summary>
    [Fact]
    public async Task A_changed_row_is_complete_only_as_it_was_said()
    {
        ClusterSession? session = null;
        var changed = new ChangedRows(output, async operation => Assert.Single(await session!.RunAsync(operation)));
        await using var server = new LoopbackServer((request, _) => request.Method == "POST" ? Review : Reaction.Json(changed.Body));
        await using var live = session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));
        var lists = Recorded().Select(l => Honest(l.Operation, JsonElement.Parse(l.Body))).Where(l => l.Rows.Length > 0).ToArray();
        Assert.InRange(lists.Length, 5, 1000);

        await changed.AreKeptAsTheyWereSaidAsync(lists, Columns, leavesOut: false);

        static HonestRows Honest(string operation, JsonElement list)
        {
            var (kind, version) = (list.GetProperty("kind").GetString(), list.GetProperty("apiVersion").GetString());
            var before = $$"""{"kind":"{{kind}}","apiVersion":"{{version}}","metadata":{"resourceVersion":"227"},"items":[""";
            return new(operation, before, [.. list.GetProperty("items").EnumerateArray().Take(3).Select(i => i.GetRawText())], "]}");
        }

        // A member whose name the API does not have is kept in a separate column.
        static IEnumerable<string> Columns(string member) => member switch
        {
            "metadata" => ["metadata", "namespace", "name", "uid", "created_at", "labels", "annotations", WellKnownResources.Other],
            "apiVersion" => ["api_version", WellKnownResources.Other],
            _ => [member, WellKnownResources.Other],
        };
    }

    /// <summary>Returns the rows of a list, or null if it is not complete.</summary>
    private static async Task<string?> RowsAsync(ClusterSession session, string operation)
    {
        try
        {
            var pages = await session.PagesAsync(operation);
            return pages.Any(p => p.NotRead is not null) ? null : string.Join('\n', pages.SelectMany(p => p.Rows).Select(r => r.Value.GetRawText()));
        }
        catch (CollectionException)
        {
            return null;
        }
    }

    private static IEnumerable<ImmutableArray<string>> Around(JsonElement list) =>
        list.EnumerateObject()
            .Select(m => ImmutableArray.Create(m.Name))
            .Concat(list.GetProperty("metadata").EnumerateObject().Select(m => ImmutableArray.Create("metadata", m.Name)));

    /// <summary>Returns the lists of the sample's cluster.</summary>
    private static IEnumerable<(string Operation, string Body)> Recorded() =>
        new RecordedExchanges(Repository.Path("samples", "exchanges", "trading", "api-cluster.warc.gz")).All()
            .Where(r => r.Exchange.Response is { } response && response.StartLine.Contains(" 200 ", StringComparison.Ordinal))
            .Select(r => (
                Operation: string.Join('/', r.Exchange.Uri.AbsolutePath.Split('/')[2..]),
                Body: Encoding.UTF8.GetString(r.Exchange.Response!.Body.Span)))
            .Where(l => l.Body.StartsWith("{\"kind\":", StringComparison.Ordinal)
                && l.Body.Contains("\"items\":[", StringComparison.Ordinal)
                && !l.Operation.Contains("aws-auth", StringComparison.Ordinal))
            .DistinctBy(l => l.Operation);

    /// <summary>Divides the list into pages of this many objects.</summary>
    private static string[] Paged(string body, int size)
    {
        var list = JsonElement.Parse(body);
        var items = list.GetProperty("items").EnumerateArray().Select(i => i.GetRawText()).ToArray();
        var (kind, version) = (list.GetProperty("kind").GetString(), list.GetProperty("apiVersion").GetString());
        var count = Math.Max(1, (items.Length + size - 1) / size);
        return
        [
            .. Enumerable.Range(0, count).Select(n =>
            {
                var next = n + 1 < count ? $$""","continue":"page{{n + 1}}","remainingItemCount":{{items.Length - ((n + 1) * size)}}""" : "";
                var page = string.Join(',', items.Skip(n * size).Take(size));
                return $$"""{"kind":"{{kind}}","apiVersion":"{{version}}","metadata":{"resourceVersion":"227"{{next}}},"items":[{{page}}]}""";
            }),
        ];
    }
}
