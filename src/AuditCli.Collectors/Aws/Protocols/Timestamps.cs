using System.Globalization;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>The three ways in which AWS writes an instant, and the one way in which evidence does.</summary>
internal static class Timestamps
{
    /// <summary>Seconds since 1970, with microseconds at most, as RFC 3339 in UTC; null when out of range.</summary>
    public static string? FromUnix(double seconds) =>
        Math.Abs(seconds) < 1e11 ? Text(DateTime.UnixEpoch.AddTicks((long)Math.Round(seconds * 1e6) * 10)) : null;

    /// <summary>Any of the three forms as RFC 3339 in UTC; null when the text is no instant.</summary>
    public static string? From(string text)
    {
        // Nearly all are in the form of evidence already, and there may be one in every row.
        if (text.Length == 20 && DateTime.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return text;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return FromUnix(seconds);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Text(time.UtcDateTime)
            : null;
    }

    /// <summary>An RFC 3339 text as the wire wants it.</summary>
    /// <param name="format"><c>iso8601</c>, <c>unixTimestamp</c> or <c>rfc822</c>.</param>
    public static string ToWire(string rfc3339, string format)
    {
        var time = DateTimeOffset.Parse(rfc3339, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return format switch
        {
            "unixTimestamp" => ToUnix(rfc3339).ToString("0.######", CultureInfo.InvariantCulture),
            "rfc822" => time.UtcDateTime.ToString("R", CultureInfo.InvariantCulture),
            _ => Text(time.UtcDateTime),
        };
    }

    /// <summary>An RFC 3339 text as seconds since 1970.</summary>
    public static decimal ToUnix(string rfc3339)
    {
        var time = DateTimeOffset.Parse(rfc3339, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return (time - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond;
    }

    private static string Text(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);
}
