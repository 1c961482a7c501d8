using System.Net.Http.Headers;

namespace AuditCli.Collectors.Exchanges;

/// <summary>Reads how long a server asks to wait before the next attempt (RFC 9110, section 10.2.3).</summary>
internal static class RetryAfter
{
    /// <summary>
    /// Returns the wait of either form of the field, at most <paramref name="longest"/>. A date is relative to the response's own Date field,
    /// because the clocks of server and client may differ. Null if the server asks for no wait, or for a date that cannot be compared.
    /// </summary>
    public static TimeSpan? Of(RetryConditionHeaderValue? field, DateTimeOffset? sent, TimeSpan longest)
    {
        var asked = field?.Delta ?? (field?.Date is { } date && date > sent ? date - sent : null);
        return asked > longest ? longest : asked;
    }

    /// <summary>Returns the longer of the wait that the server asks for and the client's own: neither is cut short by the other.</summary>
    public static TimeSpan OrOwn(TimeSpan? asked, TimeSpan own) => asked > own ? asked.Value : own;
}
