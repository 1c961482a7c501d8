using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Collectors.Tests.Running;
using AuditCli.Tests;
using Xunit.Abstractions;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>Changes one thing at a time around the rows of valid pages: the list may be complete only with the same rows.</summary>
public sealed class WholeAnswerTests(ITestOutputHelper output)
{
    private const string Context = "\"@odata.context\":\"c\"";

    public static TheoryData<string> Lists => ["entra:groups.list", "jira:groups.members.list", "jira:issues.search"];

    [Theory]
    [MemberData(nameof(Lists))]
    public async Task A_changed_answer_is_complete_only_with_the_same_rows(string list)
    {
        Session? session = null;
        var answers = new ChangedAnswers(output, operation => RowsAsync(session!, operation));
        var connecting = true;
        using var server = new ProductServer(list.Split(':')[0], (request, _) =>
        {
            if (connecting)
                return null;
            var isSecond = new[] { "$skiptoken", "nextPageToken", "startAt" }.Any(p => request.Value(p) is { } place && place != "0");
            var (body, status) = answers.Page(isSecond ? 1 : 0);
            return new(status, body);
        });
        await using var live = session = Session.Live(
            list.Split(':')[0], server.Address, new ImpatientClock(),
            list[0] == 'e' ? [("token_env", Session.Variable)] : [("user", "test-user"), ("password_env", Session.Variable)]);
        await session.Collector.ConnectAsync(session.Target, CancellationToken.None);
        connecting = false;

        await answers.AreCompleteOnlyWithTheSameRowsAsync(
            [list], l => (l, Pages(l)), (lot, l) => Mutation.Of(lot, Pages(l), Around, path => path is ["@odata.nextLink" or "nextPageToken"]),
            // Without its link a page of Microsoft Graph is the last one, and nothing else says how many rows there are.
            (_, m) => m is { Change: Change.Drop, Path: ["@odata.nextLink"] });
    }

    private static IReadOnlyList<string> Pages(string list) => list switch
    {
        "entra:groups.list" =>
        [
            $$"""{ {{Context}},"value":[{"id":"1","displayName":"a"},{"id":"2"}],"@odata.nextLink":"?%24top=999&%24skiptoken=p1"}""",
            $$"""{ {{Context}},"value":[{"id":"3"}]}""",
        ],
        "jira:groups.members.list" =>
        [
            """{"self":"s","maxResults":2,"startAt":0,"total":3,"isLast":false,"values":[{"accountId":"1"},{"accountId":"2"}]}""",
            """{"self":"s","maxResults":2,"startAt":2,"total":3,"isLast":true,"values":[{"accountId":"3"}]}""",
        ],
        _ =>
        [
            """{"issues":[{"id":"1","key":"A-1"},{"id":"2"}],"nextPageToken":"p1","isLast":false}""",
            """{"issues":[{"id":"3"}],"isLast":true}""",
        ],
    };

    private static IEnumerable<ImmutableArray<string>> Around(JsonElement page) => page.EnumerateObject().Select(m => ImmutableArray.Create(m.Name));

    private static async Task<string?> RowsAsync(Session session, string list)
    {
        var rows = new List<string>();
        try
        {
            await session.ReadAsync(rows, list);
            return string.Join('\n', rows.Select(r => r[(r.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
        }
        catch (CollectionException)
        {
            return null;
        }
    }
}
