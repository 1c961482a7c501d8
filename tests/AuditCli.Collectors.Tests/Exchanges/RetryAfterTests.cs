using System.Net.Http.Headers;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Tests.Exchanges;

public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset Sent = new(2026, 11, 25, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("17", 17)]
    [InlineData("Wed, 25 Nov 2026 10:00:17 GMT", 17)]
    [InlineData("Wednesday, 25-Nov-26 10:00:17 GMT", 17)]
    [InlineData("86400", 30)]
    [InlineData("Thu, 26 Nov 2026 10:00:00 GMT", 30)]
    [InlineData("0", 0)]
    public void Both_forms_are_read_and_never_waited_for_longer_than_the_limit(string field, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RetryAfter.Of(RetryConditionHeaderValue.Parse(field), Sent, TimeSpan.FromSeconds(30)));

    [Fact]
    public void A_date_that_is_over_or_cannot_be_compared_asks_for_no_wait()
    {
        var before = RetryConditionHeaderValue.Parse("Wed, 25 Nov 2026 09:59:59 GMT");
        Assert.Null(RetryAfter.Of(before, Sent, TimeSpan.FromSeconds(30)));
        Assert.Null(RetryAfter.Of(before, null, TimeSpan.FromSeconds(30)));
        Assert.Null(RetryAfter.Of(null, Sent, TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void The_own_wait_is_not_cut_short()
    {
        Assert.Equal(TimeSpan.FromSeconds(4), RetryAfter.OrOwn(TimeSpan.Zero, TimeSpan.FromSeconds(4)));
        Assert.Equal(TimeSpan.FromSeconds(7), RetryAfter.OrOwn(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(4)));
        Assert.Equal(TimeSpan.FromSeconds(4), RetryAfter.OrOwn(null, TimeSpan.FromSeconds(4)));
    }
}
