using System.Globalization;
using System.Security;
using AuditCli.Controls.Yaml;

namespace AuditCli.Controls.Loading;

/// <summary>Reads the audit period and computes the instants at which it begins and ends.</summary>
internal static class PeriodReader
{
    /// <summary>Reads the period; returns null after a fault.</summary>
    public static AuditPeriod? Read(MapReader map, FaultList faults)
    {
        if (map.RequiredMap("period") is not { } reader)
            return null;
        var start = reader.Date("start");
        var end = reader.Date("end");
        var zoneName = reader.OptionalFormed("time_zone", TextForm.TimeZone);
        var zoneNode = reader.Map.Find("time_zone");
        reader.Close();
        var zone = zoneName is { } name ? Zone(name, zoneNode!, faults) : zoneNode is null ? TimeZoneInfo.Utc : null;
        if (start is { } first && end is { } last && first > last)
            faults.Meaning(reader.Map.Find("end")!.Position, $"the period ends on {last:yyyy-MM-dd}, before it starts on {first:yyyy-MM-dd}");
        else if (end == DateOnly.MaxValue)
            faults.Meaning(reader.Map.Find("end")!.Position, "the period must end before 9999-12-31");
        else if (start is { } from && end is { } to && zone is not null)
        {
            var period = Of(from, to, zoneName ?? "UTC", zone);
            if (period.StartsAt < period.EndsBefore)
                return period;
            faults.Meaning(reader.Map.Find("start")!.Position, $"the period has no day: {zoneName} skipped {from:yyyy-MM-dd}");
        }
        return null;
    }

    /// <summary>Creates the period from the start of the first day to the start of the day after the last, in the zone.</summary>
    public static AuditPeriod Of(DateOnly start, DateOnly end, string name, TimeZoneInfo zone) =>
        new(start, end, name, StartOf(start, zone), StartOf(end.AddDays(1), zone));

    /// <summary>Parses <c>24h</c>, <c>90m</c> or <c>7d</c>; the text must match <see cref="TextForm.Duration"/>.</summary>
    public static TimeSpan Duration(string text)
    {
        var count = int.Parse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return text[^1] switch
        {
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            'd' => TimeSpan.FromDays(count),
            _ => throw new ArgumentException("a duration ends with m, h or d", nameof(text)),
        };
    }

    /// <summary>
    /// Returns midnight. Where clocks skip midnight it is the first existing minute of the day, and where the clock shows it
    /// twice the earlier of the two, so that the day has exactly its whole length.
    /// </summary>
    internal static DateTimeOffset StartOf(DateOnly day, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local))
            local = local.AddMinutes(1);
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        // The first day of there is no such date as instant in UTC east of Greenwich.
        var midnight = local.Ticks < offset.Ticks ? DateTimeOffset.MinValue : new DateTimeOffset(local, offset).ToUniversalTime();
        return Shown(midnight, zone) < day && midnight > DateTimeOffset.MinValue ? EndOfSkipped(day, midnight, zone) : midnight;
    }

    private static DateOnly Shown(DateTimeOffset instant, TimeZoneInfo zone) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime);

    /// <summary>
    /// Returns the first instant after a day that the zone skipped, which .NET gives the offset of one of the days beside it.
    /// </summary>
    private static DateTimeOffset EndOfSkipped(DateOnly day, DateTimeOffset before, TimeZoneInfo zone)
    {
        var (last, first) = (before, before.AddDays(2));
        while (first - last > TimeSpan.FromSeconds(1))
        {
            var middle = DateTimeOffset.FromUnixTimeSeconds((last.ToUnixTimeSeconds() + first.ToUnixTimeSeconds()) / 2);
            (last, first) = Shown(middle, zone) < day ? (middle, first) : (last, middle);
        }
        return first;
    }

    private static TimeZoneInfo? Zone(string name, YamlNode node, FaultList faults)
    {
        try
        {
            return name == "UTC" ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or SecurityException)
        {
            faults.Meaning(
                node.Position,
                $"this machine does not know the time zone '{name}'; write an IANA name such as Europe/Zurich, or install its time zone data");
            return null;
        }
    }
}
