using System.Globalization;
using System.Text.Json;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// The table <c>period_days</c>: one row for each day of the period, with the instants at which it starts and ends where the engagement
/// is. Without it a test for every day (was there a backup?) finds only the days on which something happened, and passes over the others.
/// </summary>
internal static class PeriodDays
{
    public static SqlTable Table { get; } = new(
        TableNames.PeriodDays, [new("day", ColumnType.Date), new("starts_at", ColumnType.Timestamp), new("ends_at", ColumnType.Timestamp)]);

    /// <summary>Returns the days in order, each with its first instant and that of the next day, UTC.</summary>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the engagement's time zone.</exception>
    public static IEnumerable<(DateOnly Day, DateTimeOffset StartsAt, DateTimeOffset EndsAt)> Of(AuditMoment moment)
    {
        var zone = moment.TimeZone == "UTC" ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(moment.TimeZone);
        var startsAt = moment.PeriodStart;
        for (var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(startsAt, zone).DateTime); startsAt < moment.PeriodEnd; day = day.AddDays(1))
        {
            var endsAt = PeriodReader.StartOf(day.AddDays(1), zone);
            // A day that the zone skipped, as Samoa did 30 December 2011, has no instant: nothing could happen on it, and nothing be missing.
            if (endsAt > startsAt)
                yield return (day, startsAt, endsAt);
            startsAt = endsAt;
        }
    }

    /// <summary>Returns the days as rows of the table.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Rows(AuditMoment moment)
    {
        foreach (var (day, startsAt, endsAt) in Of(moment))
        {
            yield return JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string>
            {
                ["day"] = day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["starts_at"] = Rfc3339.Format(startsAt),
                ["ends_at"] = Rfc3339.Format(endsAt),
            });
        }
    }
}
