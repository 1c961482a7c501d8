using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Exchanges;

/// <summary>
/// Replays identical requests of several callers. Each caller gets its own recorded responses, whatever their order this time.
/// </summary>
public sealed class ReplayTests : IDisposable
{
    private static readonly ExchangeScope Scope = new("prod", "s3", "aws-global");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_that_ask_the_same_get_their_own_answers_again_although_they_ask_in_another_order()
    {
        await using var server = new LoopbackServer((_, n) =>
            n == 0 ? Reaction.Xml("<Error><Code>NoSuchBucketPolicy</Code></Error>", 404) : Reaction.Xml($"<Status>{n}</Status>"));
        var recorded = await RecordAsync(server.Address, "evidence-a", "evidence-b", "evidence-a", "evidence-b parent");
        Assert.Equal(["404", "200 1", "200 2", "200 3"], recorded.Select(r => r.Answer));

        await using var replay = Replay("recorded", "again");
        Assert.Equal(recorded[3], await AskAsync(replay, server.Address, "evidence-b parent"));
        Assert.Equal(recorded[1], await AskAsync(replay, server.Address, "evidence-b"));
        Assert.Equal(recorded[0], await AskAsync(replay, server.Address, "evidence-a"));
        Assert.Equal(recorded[2], await AskAsync(replay, server.Address, "evidence-a"));
        Assert.Empty(replay.Unused);
        foreach (var asker in new[] { "evidence-a", "evidence-b" })
            Assert.Equal(
                Codes.NoRecording,
                (await Assert.ThrowsAsync<ExchangeRefusedException>(() => AskAsync(replay, server.Address, asker))).Code);
    }

    [Fact]
    public async Task Somebody_new_reads_what_was_answered_first_and_takes_it_from_nobody()
    {
        await using var server = new LoopbackServer((_, n) => Reaction.Xml($"<Status>{n}</Status>"));
        var recorded = await RecordAsync(server.Address, "evidence-a", "evidence-b");
        await using (var replay = Replay("recorded", "again"))
        {
            Assert.Equal(recorded[0], await AskAsync(replay, server.Address, "evidence-of-another-control"));
            Assert.Single(replay.Unused);
            Assert.Equal(recorded[0], await AskAsync(replay, server.Address, "evidence-a"));
            Assert.Equal(recorded[1], await AskAsync(replay, server.Address, "evidence-b"));
            Assert.Empty(replay.Unused);
        }
        // Each record was copied exactly once, so the copy can be replayed like the original.
        await using var third = Replay("again", "third");
        Assert.Equal(recorded[1], await AskAsync(third, server.Address, "evidence-b"));
    }

    [Fact]
    public async Task Without_knowing_who_asked_each_answer_is_given_once()
    {
        await using var server = new LoopbackServer((_, n) => Reaction.Xml($"<Status>{n}</Status>"));
        var recorded = await RecordAsync(server.Address, null, null);
        await using var replay = Replay("recorded", "again");
        Assert.Equal(recorded[0], await AskAsync(replay, server.Address, "evidence-a"));
        Assert.Equal(recorded[1], await AskAsync(replay, server.Address, null));
        await Assert.ThrowsAsync<ExchangeRefusedException>(() => AskAsync(replay, server.Address, "evidence-b"));
    }

    private async Task<List<(string Answer, string Record)>> RecordAsync(Uri server, params string?[] askers)
    {
        await using var live = new LiveTransport(Path.Combine(_folder.Path, "recorded"), "recorded", TimeProvider.System);
        var answers = new List<(string, string)>();
        foreach (var asker in askers)
            answers.Add(await AskAsync(live, server, asker));
        return answers;
    }

    private ReplayTransport Replay(string from, string into) =>
        new(Path.Combine(_folder.Path, from, BundleLayout.ExchangesFolder), Path.Combine(_folder.Path, into), into);

    /// <summary>Returns the response and the record that holds it.</summary>
    private static async Task<(string Answer, string Record)> AskAsync(ExchangeTransport transport, Uri server, string? asker)
    {
        var trail = transport.BeginTrail(asker);
        using var client = new HttpClient(transport.Open(Scope, _ => null), disposeHandler: false);
        using var answer = await client.GetAsync(new Uri(server, "bucket?policyStatus"));
        var body = await answer.Content.ReadAsStringAsync();
        return ($"{(int)answer.StatusCode} {string.Concat(body.Where(char.IsAsciiDigit))}".Trim(), Assert.Single(trail.Drain()).RecordId);
    }
}
