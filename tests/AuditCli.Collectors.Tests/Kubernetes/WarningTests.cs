using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>
/// Follows a <c>Warning</c> field from the wire to the evidence item: the server's own words, or that the response is old.
/// </summary>
public sealed class WarningTests
{
    private const string Pods = """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"a","uid":"1"}}]}""";
    private const string FirstPods = """{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"t"},"items":[{"metadata":{"name":"b","uid":"2"}}]}""";
    private static readonly Reaction Review = Reaction.Json("""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"auditor"}}}""", 201);

    [Theory]
    [InlineData("110 - \"Response is Stale\"")]
    [InlineData("111 proxy.example \"Revalidation Failed\"")]
    [InlineData("112 - \"Disconnected Operation\"")]
    [InlineData("113 - \"Heuristic Expiration\"")]
    [InlineData("199 - \"Miscellaneous Warning\"")]
    [InlineData("214 - \"Transformation Applied\"")]
    [InlineData("299 - \"deprecated\", 110 - \"Response is Stale\"")]
    [InlineData("299 - \"deprecated\", 110 stale")]
    [InlineData("110 stale")]
    [InlineData("nonsense")]
    [InlineData("299 - \"no end")]
    public async Task An_answer_that_may_be_old_is_counted_as_such(string warning)
    {
        var item = await ReadAsync(second => second ? [] : [("Warning", warning)]);

        Assert.Equal((CollectionOutcome.Complete, 2L, 1L), (item.Outcome, item.Items, item.StaleAnswers ?? 0));
    }

    [Fact]
    public async Task Every_field_of_an_answer_counts_and_every_page()
    {
        var item = await ReadAsync(_ => [("Warning", "299 - \"deprecated\""), ("warning", "110 - \"Response is Stale\"")]);

        Assert.Equal(2, item.StaleAnswers);
        Assert.Equal(["v1/pods: the server warns: deprecated"], item.Notes.AsEnumerable());
    }

    [Fact]
    public async Task What_the_server_itself_warns_of_is_recorded_and_makes_nothing_old()
    {
        var item = await ReadAsync(second => [("Warning", second ? "299 - \"say \\\"no\\\"\", 299 - \"deprecated\"" : "299 - \"deprecated\"")]);

        Assert.Equal((CollectionOutcome.Complete, 2L), (item.Outcome, item.Items));
        Assert.Null(item.StaleAnswers);
        Assert.Equal(["v1/pods: the server warns: deprecated", "v1/pods: the server warns: say \"no\""], item.Notes.AsEnumerable());
        Assert.Equal(["deprecated", "say \"no\""], item.Exchanges[^1].ServerWarnings.Order(StringComparer.Ordinal));
    }

    /// <summary>Reads pods from two pages.</summary>
    /// <param name="fields">Returns additional fields of a response; the argument says whether it is the second page.</param>
    private static async Task<EvidenceItem> ReadAsync(Func<bool, (string Name, string Value)[]> fields)
    {
        await using var server = new LoopbackServer((request, _) =>
        {
            if (request.Method == "POST")
                return Review;
            var second = request.Target.Contains("continue=", StringComparison.Ordinal);
            return Reaction.Json(second ? Pods : FirstPods) with { Fields = fields(second) };
        });
        await using var session = ClusterSession.Live(ClusterSession.Kubeconfig(server.Address));
        return Assert.Single(await session.RunAsync("v1/pods")).Item;
    }
}
