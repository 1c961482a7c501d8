using System.Globalization;

namespace AuditCli.Controls.Evaluation;

/// <summary>Words for messages about clocks, shared so that results and reports use the same ones.</summary>
public static class ClockWords
{
    /// <summary>The message that no server's clock is known.</summary>
    public const string NotCompared = "no response carries a date (Date header), and the collecting machine's clock could not be compared with the servers'";

    /// <summary>Says which way two clocks differ, and by how much.</summary>
    /// <param name="offset">How far the servers were ahead.</param>
    public static string Difference(TimeSpan offset) =>
        $"the collecting machine's clock was {Duration(offset)} {(offset > TimeSpan.Zero ? "behind" : "ahead of")} the servers'";

    /// <summary>Says that responses were old on arrival.</summary>
    /// <param name="age">The age of the oldest response that states one; null where none does.</param>
    /// <param name="stale">The number of responses that are marked out of date.</param>
    /// <param name="limit">The tolerated age.</param>
    public static string Old(TimeSpan? age, long stale, TimeSpan limit) => string.Join("; ", new[]
    {
        age is { } old ? $"a response came from a cache and was {Duration(old)} old (Age header); the limit is {Duration(limit)}" : null,
        stale > 0
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{stale} {(stale == 1 ? "response is" : "responses are")} marked as out of date, or as changed in transit (Warning, Age)")
            : null,
    }.OfType<string>());

    /// <summary>Formats a duration in the largest unit of which there are at least two, rounded down and without sign.</summary>
    public static string Duration(TimeSpan time)
    {
        var length = time.Duration();
        (double Number, string Unit)[] units = [(length.TotalDays, "days"), (length.TotalHours, "hours"), (length.TotalMinutes, "minutes")];
        var (number, unit) = units.FirstOrDefault(u => u.Number >= 2, (Number: length.TotalSeconds, Unit: "seconds"));
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(number)} {unit}");
    }
}
