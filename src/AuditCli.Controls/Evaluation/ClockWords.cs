using System.Globalization;

namespace AuditCli.Controls.Evaluation;

/// <summary>How results and reports speak of clocks, so that both say the same.</summary>
public static class ClockWords
{
    /// <summary>That no server's clock is known.</summary>
    public const string NotCompared = "no answer says its time (Date), so that the collecting machine's clock was compared with none";

    /// <summary>Which way two clocks differ, and by how much.</summary>
    /// <param name="offset">By how much the servers were ahead.</param>
    public static string Difference(TimeSpan offset) =>
        $"the collecting machine's clock was {Duration(offset)} {(offset > TimeSpan.Zero ? "behind" : "ahead of")} the servers'";

    /// <summary>That answers were old when they came.</summary>
    /// <param name="age">Of the oldest that says so; null where none says it.</param>
    /// <param name="stale">How many say that they are out of date.</param>
    /// <param name="limit">What is tolerated.</param>
    public static string Old(TimeSpan? age, long stale, TimeSpan limit) => string.Join("; ", new[]
    {
        age is { } old ? $"an answer came out of a cache and was {Duration(old)} old (Age), and {Duration(limit)} are tolerated" : null,
        stale > 0 ? string.Create(CultureInfo.InvariantCulture, $"{stale} answers say that they are out of date, or were changed on the way (Warning, Age)") : null,
    }.OfType<string>());

    /// <summary>A length of time in the largest unit of which there are at least two, rounded down; its sign is left out.</summary>
    public static string Duration(TimeSpan time)
    {
        var length = time.Duration();
        (double Number, string Unit)[] units = [(length.TotalDays, "days"), (length.TotalHours, "hours"), (length.TotalMinutes, "minutes")];
        var (number, unit) = units.FirstOrDefault(u => u.Number >= 2, (Number: length.TotalSeconds, Unit: "seconds"));
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(number)} {unit}");
    }
}
