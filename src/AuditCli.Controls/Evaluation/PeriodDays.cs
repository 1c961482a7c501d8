using AuditCli.Controls.Loading;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// The table <c>period_days</c>, which every control has: one row for each day of the period, with the instants at which it starts and
/// ends where the engagement is. Without it a test for every day (was there a backup?) finds only the days on which something happened,
/// and passes over the others.
/// </summary>
internal static class PeriodDays
{
    public const string Name = "period_days";

    public static SqlTable Table { get; } = new(
        Name, [new("day", ColumnType.Date), new("starts_at", ColumnType.Timestamp), new("ends_at", ColumnType.Timestamp)]);

    /// <summary>
    /// Whether the name means this table: a control in a bundle from before the table existed may have evidence of that name.
    /// </summary>
    public static bool IsIn(Control control) => control.Evidence.All(n => n.Name != Name);

    /// <summary>Returns the days in order, each with its first instant and that of the next day, UTC.</summary>
    public static IEnumerable<(DateOnly Day, DateTimeOffset StartsAt, DateTimeOffset EndsAt)> Of(AuditMoment moment)
    {
        var zone = moment.TimeZone == "UTC" ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(moment.TimeZone);
        var startsAt = moment.PeriodStart;
        for (var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(startsAt, zone).DateTime); startsAt < moment.PeriodEnd; day = day.AddDays(1))
        {
            var endsAt = PeriodReader.StartOf(day.AddDays(1), zone);
            yield return (day, startsAt, endsAt);
            startsAt = endsAt;
        }
    }

    /// <summary>Creates the table and, where it is wanted, fills it.</summary>
    public static void Create(LockedDatabase database, AuditMoment moment, bool wanted)
    {
        database.Execute(TableLoader.Definition(Name, Table.Columns));
        if (!wanted)
            return;
        using var appender = database.Append(Name);
        foreach (var (day, startsAt, endsAt) in Of(moment))
        {
            appender.CreateRow().AppendValue((DateOnly?)day).AppendValue((DateTimeOffset?)startsAt).AppendValue((DateTimeOffset?)endsAt).EndRow();
        }
    }
}
