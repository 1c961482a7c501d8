using System.Globalization;

namespace AuditCli.Evidence.Warc;

/// <summary>Dates of HTTP fields, in the three forms of RFC 9110 5.6.7; they are in UTC and have whole seconds.</summary>
public static class HttpDate
{
    private static readonly string[] Forms = ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    /// <summary>False for any other form: a time that has to be guessed is none.</summary>
    public static bool TryParse(string text, out DateTimeOffset date) => DateTimeOffset.TryParseExact(
        text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal | DateTimeStyles.AllowWhiteSpaces, out date);
}
