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

    /// <summary>A length of time in the largest unit of which there are at least two, rounded down; its sign is left out.</summary>
    public static string Duration(TimeSpan time)
    {
        var length = time.Duration();
        (double Number, string Unit)[] units = [(length.TotalDays, "days"), (length.TotalHours, "hours"), (length.TotalMinutes, "minutes")];
        var (number, unit) = units.FirstOrDefault(u => u.Number >= 2, (Number: length.TotalSeconds, Unit: "seconds"));
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(number)} {unit}");
    }
}
