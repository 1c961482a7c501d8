using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Evidence.Tests;

/// <summary>Tests when an item was read, from its attempts in any order, whatever time their servers state.</summary>
public sealed class ReadingTimesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("nobody knows", null)]
    [InlineData("", null)]
    [InlineData("2026-11-28T12:00:00Z", null)]
    [InlineData("Sat, 28 Nov 2026 12:00:00 +0100", null)]
    [InlineData("Fri, 28 Nov 2026 12:00:00 GMT", null)]
    [InlineData("Sat, 28 Nov 2026 12:00:00 GMT", null, "Age", "31")]
    [InlineData("Sat, 28 Nov 2026 12:00:00 GMT", "2026-11-28T12:00:00Z", "Age", "0")]
    [InlineData("Sat, 28 Nov 2026 12:00:00 GMT", "2026-11-28T12:00:00Z")]
    [InlineData("Saturday, 28-Nov-26 12:00:00 GMT", "2026-11-28T12:00:00Z")]
    [InlineData("Sat Nov 28 12:00:00 2026", "2026-11-28T12:00:00Z")]
    public void A_servers_time_is_what_http_allows_and_no_guess(string field, string? expected, string other = "X", string value = "1")
    {
        var response = new HttpBlock("HTTP/1.1 200 OK", [new("Date", field), new(other, value)], default);
        var exchange = new HttpExchange(Noon, new("https://iam.example/"), "http/1.1", new("GET / HTTP/1.1", [], default), response, []);
        Assert.Equal(expected, exchange.ServerDate is { } date ? Rfc3339.Format(date) : null);
    }

    [Fact]
    public void An_answer_without_a_time_and_a_failure_say_none()
    {
        var request = new HttpBlock("GET / HTTP/1.1", [], default);
        Assert.Null(new HttpExchange(Noon, new("https://iam.example/"), "http/1.1", request, new("HTTP/1.1 200 OK", [], default), []).ServerDate);
        Assert.Null(new HttpExchange(Noon, new("https://iam.example/"), "http/1.1", request, null, [new("IOException", "-", "reset")]).ServerDate);
    }

    [Theory]
    [InlineData("Sat, 28 Nov 2026 12:00:00 GMT", "Tue, 01 Sep 2026 00:00:00 GMT", "0", "0", "2026-09-01T00:00:00Z", null, false)]
    [InlineData("Tue, 01 Sep 2026 00:00:00 GMT", "Sat, 28 Nov 2026 12:00:00 GMT", "0", "0", "2026-09-01T00:00:00Z", null, false)]
    [InlineData("nobody knows", "Tue, 01 Sep 2026 00:00:00 GMT", "0", "0", "2026-09-01T00:00:00Z", null, false)]
    [InlineData("Sat, 28 Nov 2026 12:00:00 GMT", "Sat, 28 Nov 2026 12:00:00 GMT", "0", "999999", null, 999_999L, false)]
    [InlineData("Sat, 28 Nov 2026 12:00:00 GMT", "Sat, 28 Nov 2026 12:00:00 GMT", "999999", "0", null, 999_999L, false)]
    [InlineData("Sat, 28 Nov 2026 12:00:00 GMT", "Sat, 28 Nov 2026 12:00:00 GMT", "0", "old", null, null, true)]
    public void Of_a_field_that_comes_twice_the_oldest_reading_counts(
        string date, string second, string age, string secondAge, string? expected, long? old, bool stale)
    {
        var response = new HttpBlock("HTTP/1.1 200 OK", [new("Date", date), new("Age", age), new("date", second), new("age", secondAge)], default);
        var exchange = new HttpExchange(Noon, new("https://iam.example/"), "http/1.1", new("GET / HTTP/1.1", [], default), response, []);

        Assert.Equal(expected, exchange.ServerDate is { } found ? Rfc3339.Format(found) : null);
        Assert.Equal(old, (long?)exchange.Age?.TotalSeconds);
        Assert.Equal(stale, exchange.IsStale);
    }

    [Theory]
    [InlineData("Age", "31", 31L, false)]
    [InlineData("age", " 31 ", 31L, false)]
    [InlineData("Age", "0", null, false)]
    [InlineData("Age", "99999999999999", 2_147_483_647L, false)]
    [InlineData("Age", "a day", null, true)]
    [InlineData("Age", "-5", null, true)]
    [InlineData("Warning", "110 proxy \"Response is Stale\"", null, true)]
    [InlineData("Warning", "111 proxy \"Revalidation Failed\" \"Sat, 28 Nov 2026 12:00:00 GMT\"", null, true)]
    [InlineData("Warning", "299 - \"old\", 112 - \"Disconnected Operation\"", null, true)]
    [InlineData("Warning", "299 - \"110 - \\\"x\\\" is deprecated\"", null, false)]
    [InlineData("Warning", "299 - \"v1 is deprecated\"", null, false)]
    [InlineData("Warning", "113 proxy \"Heuristic Expiration\"", null, true)]
    [InlineData("Warning", "199 proxy \"Miscellaneous Warning\"", null, true)]
    [InlineData("Warning", "214 proxy \"Transformation Applied\"", null, true)]
    [InlineData("Warning", "nothing to see", null, true)]
    [InlineData("Warning", "", null, true)]
    [InlineData("Warning", "299", null, true)]
    [InlineData("Warning", "299 - no quotes", null, true)]
    [InlineData("Warning", "1299 - \"x\"", null, true)]
    [InlineData("Warning", "299 - \"old\", 110 stale", null, true)]
    [InlineData("Warning", "110 stale, 299 - \"old\"", null, true)]
    [InlineData("Warning", "299 - \"old\" 110 - \"stale\"", null, true)]
    [InlineData("Warning", "299 - \"old\" and more", null, true)]
    [InlineData("Warning", "299 - \"no end", null, true)]
    [InlineData("Warning", "299 - \"old\" \"Sat, 28 Nov 2026 12:00:00 GMT\"", null, false)]
    [InlineData("Warning", "299 - \"old\", , 299 api.example:443 \"older\" ,", null, false)]
    public void How_old_an_answer_was_is_what_it_says(string field, string value, long? age, bool stale)
    {
        var response = new HttpBlock("HTTP/1.1 200 OK", [new(field, value)], default);
        var exchange = new HttpExchange(Noon, new("https://iam.example/"), "http/1.1", new("GET / HTTP/1.1", [], default), response, []);
        Assert.Equal((age, stale), ((long?)exchange.Age?.TotalSeconds, exchange.IsStale));
    }

    [Fact]
    public void What_a_server_warns_of_is_kept_in_its_words()
    {
        var response = new HttpBlock(
            "HTTP/1.1 200 OK",
            [new("Warning", "299 - \"v1 ComponentStatus is deprecated\", 299 api \"say \\\"no\\\"\""), new("warning", "299 - \"another\"")],
            default);
        var exchange = new HttpExchange(Noon, new("https://k8s.example/"), "http/1.1", new("GET / HTTP/1.1", [], default), response, []);
        Assert.Equal(["v1 ComponentStatus is deprecated", "say \"no\"", "another"], exchange.ServerWarnings.AsEnumerable());
    }

    [Theory]
    [InlineData(true, 7200)]
    [InlineData(false, 7200)]
    public void What_a_cache_kept_is_of_the_moment_at_which_it_got_it(bool otherDated, int age)
    {
        var times = new ReadingTimes();
        if (otherDated)
            times.Add(new("f", "r1", null, 200, Noon) { ServerDate = Noon });
        times.Add(new("f", "r2", null, 200, Noon) { Age = TimeSpan.FromSeconds(age) });
        var item = times.Of(Before);
        Assert.Equal((Noon.AddSeconds(-age), otherDated ? Noon : Noon.AddSeconds(-age), (long?)age), (item.ReadFrom, item.ReadUntil, item.AnswerAgeSeconds));
    }

    [Theory]
    [InlineData(0.0, 0, 0)]
    [InlineData(0.999, 0, 0)]
    [InlineData(1.0, 0, 0)]
    [InlineData(3.5, 0, -2)]
    [InlineData(0.5, 10, 9)]
    [InlineData(0.0, -8640000, -8639999)]
    public void Seconds_without_a_fraction_are_no_difference(double sent, int answered, long offset) =>
        Assert.Equal(offset, (long)ReadingTimes.OffsetOf(Noon.AddSeconds(sent), Noon.AddSeconds(answered)).TotalSeconds);

    [Fact]
    public void The_least_delayed_answer_tells_the_offset_and_attempts_without_a_time_are_corrected_by_it()
    {
        var item = Of([At(0, 7200), At(10, 7290), At(20, null), At(-5, null)]);
        Assert.Equal((Noon.AddSeconds(-5), Noon.AddSeconds(20)), (item.Started, item.Finished));
        Assert.Equal(7200, item.ClockOffsetSeconds);
        Assert.Equal((Noon.AddSeconds(7195), Noon.AddSeconds(7290)), (item.ReadFrom, item.ReadUntil));
    }

    [Fact]
    public void Without_any_attempt_or_any_time_nothing_is_made_up()
    {
        Assert.Equal(Before.Started, Of([]).Started);
        Assert.Null(Of([]).ReadFrom);
        var undated = Of([At(3, null), At(1, null)]);
        Assert.Equal(
            (Noon.AddSeconds(1), Noon.AddSeconds(3), null, null, null),
            (undated.Started, undated.Finished, undated.ReadFrom, undated.ReadUntil, undated.ClockOffsetSeconds));
    }

    [Fact]
    public void First_is_never_after_last_and_the_order_of_answers_says_nothing()
    {
        var random = new Random(20261128);
        for (var round = 0; round < 500; round++)
        {
            var attempts = Enumerable.Range(0, 1 + random.Next(6))
                .Select(_ => At(random.NextDouble() * 100, random.Next(4) == 0 ? null : random.Next(-4000, 4000))).ToArray();
            var item = Of(attempts);
            Assert.True(item.Started <= item.Finished);
            Assert.All(attempts, a => Assert.InRange(a.Date, item.Started, item.Finished));
            Assert.True(item.ReadFrom is null == attempts.All(a => a.ServerDate is null) && (item.ReadFrom is null || item.ReadFrom <= item.ReadUntil));
            random.Shuffle(attempts);
            Assert.Equal((item.Started, item.Finished, item.ReadFrom, item.ReadUntil, item.ClockOffsetSeconds), Times(Of(attempts)));
        }

        static (DateTimeOffset, DateTimeOffset, DateTimeOffset?, DateTimeOffset?, long?) Times(EvidenceItem i) =>
            (i.Started, i.Finished, i.ReadFrom, i.ReadUntil, i.ClockOffsetSeconds);
    }

    private static readonly EvidenceItem Before = new()
    {
        EvidenceId = "aws-iam-listusers-0123456789ab",
        Names = [],
        Target = "prod",
        Account = "111122223333",
        Region = "aws-global",
        Source = "aws",
        Operation = "iam:ListUsers",
        Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty,
        Outcome = CollectionOutcome.Complete,
        Pages = 1,
        Items = 0,
        Columns = [],
        Exchanges = [],
        Identity = "",
        Started = Noon.AddDays(1),
        Finished = Noon.AddDays(1),
    };

    private static EvidenceItem Of(IEnumerable<ExchangeReference> attempts)
    {
        var times = new ReadingTimes();
        foreach (var attempt in attempts)
            times.Add(attempt);
        return times.Of(Before);
    }

    private static ExchangeReference At(double sent, int? answered) =>
        new("data/exchanges/prod/iam-aws-global.warc.gz", "urn:uuid:1", null, 200, Noon.AddSeconds(sent))
        {
            ServerDate = answered is { } a ? Noon.AddSeconds(a) : null,
        };
}
