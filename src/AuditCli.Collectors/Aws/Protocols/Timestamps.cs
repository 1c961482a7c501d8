using System.Globalization;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>Converts between the three forms in which AWS writes an instant and RFC 3339, which is used in evidence.</summary>
internal static class Timestamps
{
    /// <summary>Returns seconds since 1970, rounded to microseconds, as RFC 3339 in UTC; null if out of range.</summary>
    public static string? FromUnix(double seconds) =>
        Math.Abs(seconds) < 1e11 ? Text(DateTime.UnixEpoch.AddTicks((long)Math.Round(seconds * 1e6) * 10)) : null;

    /// <summary>Returns any of the three forms as RFC 3339 in UTC; null if the text is not an instant.</summary>
    public static string? From(string text)
    {
        // Fast path: nearly all texts already have the form of evidence, and every row may have one.
        if (text.Length == 20 && DateTime.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            return text;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return FromUnix(seconds);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Text(time.UtcDateTime)
            : null;
    }

    /// <summary>Converts an RFC 3339 text to the wire format.</summary>
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

    /// <summary>Converts an RFC 3339 text to seconds since 1970.</summary>
    public static decimal ToUnix(string rfc3339)
    {
        var time = DateTimeOffset.Parse(rfc3339, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return (time - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond;
    }

    private static string Text(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);
}
