using System.Globalization;

namespace AuditCli.Evidence.Text;

/// <summary>
/// Formats and reads instants in the one form that evidence uses: RFC 3339 in UTC, <c>yyyy-MM-ddTHH:mm:ss[.fffffff]Z</c>, without
/// trailing zeros after the point.
/// </summary>
public static class Rfc3339
{
    private const int SecondsLength = 19;

    /// <summary>Returns the normal form of an instant.</summary>
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>
    /// Reads RFC 3339 with any offset and up to nine digits after the point; digits finer than 100 nanoseconds are cut off.
    /// Returns false for anything else, including leap seconds and instants outside the years 1 to 9999.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DateTimeOffset instant)
    {
        instant = default;
        if (text.Length <= SecondsLength || text[10] is not ('T' or 't')
            || !DateTime.TryParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            || !TimeOnly.TryParseExact(text[11..SecondsLength], "HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return false;
        }
        var rest = text[SecondsLength..];
        if (!TryReadFraction(ref rest, out var fraction) || !TryReadOffset(rest, out var offset))
            return false;
        var ticks = day.Ticks + time.Ticks + fraction - offset.Ticks;
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks)
            return false;
        instant = new(ticks, TimeSpan.Zero);
        return true;
    }

    private static bool TryReadFraction(ref ReadOnlySpan<char> text, out long ticks)
    {
        ticks = 0;
        if (text[0] != '.')
            return true;
        var length = text[1..].IndexOfAnyExceptInRange('0', '9');
        if (length is <= 0 or > 9)
            return false;
        for (var i = 0; i < 7; i++)
            ticks = (ticks * 10) + (i < length ? text[1 + i] - '0' : 0);
        text = text[(1 + length)..];
        return true;
    }

    private static bool TryReadOffset(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        offset = default;
        if (text is "Z" or "z")
            return true;
        if (text.Length != 6 || text[0] is not ('+' or '-')
            || !TimeOnly.TryParseExact(text[1..], "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var size))
        {
            return false;
        }
        offset = text[0] == '-' ? -size.ToTimeSpan() : size.ToTimeSpan();
        return true;
    }
}
