using System.Globalization;

namespace AuditCli.Evidence.Warc;

/// <summary>
/// Parses dates of HTTP fields, in the three forms of RFC 9110, section 5.6.7; they are in UTC and have whole seconds.
/// </summary>
public static class HttpDate
{
    private const DateTimeStyles Styles =
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal | DateTimeStyles.AllowWhiteSpaces;
    private static readonly string[] Forms = ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    /// <summary>Returns false for any other form, because a date in it would be a guess.</summary>
    public static bool TryParse(string text, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, Styles, out date);
}
