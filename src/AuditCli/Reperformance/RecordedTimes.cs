using System.Collections.Immutable;
using System.Text;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Warc;

namespace AuditCli.Reperformance;

/// <summary>The times of a bundle's exchanges by the clocks of both sides, and the programs that recorded them.</summary>
/// <param name="Sent">The times of the first and last request by the clock of the collecting machine; null if nothing is recorded.</param>
/// <param name="Software">The program that wrote each file; the path is relative to the folder of exchanges.</param>
/// <param name="Answered">For each host, the responses whose server date is least and most ahead.</param>
/// <param name="Unsaid">
/// Responses that hold marks of redacted secrets although their records do not say that they were redacted. At most 20.
/// </param>
internal sealed record RecordedTimes(
    RecordedDates? Sent,
    ImmutableArray<(string File, string Software)> Software,
    ImmutableArray<(RecordedTime Least, RecordedTime Most)> Answered,
    ImmutableArray<string> Unsaid)
{
    /// <summary>Allows for a clock that is set during a run, and for the time until a response.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);
    private const int MostUnsaid = 20;

    /// <summary>Reads every exchange below a folder once.</summary>
    /// <exception cref="InvalidDataException">A file is truncated or was changed; the message names it.</exception>
    public static RecordedTimes Of(string folder, CancellationToken cancellationToken)
    {
        var software = ImmutableArray.CreateBuilder<(string, string)>();
        var unsaid = ImmutableArray.CreateBuilder<string>();
        var answered = new SortedDictionary<string, (RecordedTime Least, RecordedTime Most)>(StringComparer.Ordinal);
        RecordedDates? sent = null;
        foreach (var path in Directory.EnumerateFiles(folder, "*.warc.gz", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var file = Path.GetRelativePath(folder, path).Replace('\\', '/');
            software.Add((file, SoftwareOf(path)));
            foreach (var recorded in new RecordedExchanges(path).All())
            {
                cancellationToken.ThrowIfCancellationRequested();
                var exchange = recorded.Exchange;
                sent = RecordedDates.With(sent, exchange.Date);
                if (exchange is { RedactedPayloadDigest: null, Response.Body: var body } && body.Span.IndexOf("hmac-sha256:"u8) >= 0
                    && unsaid.Count < MostUnsaid)
                {
                    unsaid.Add($"{file} {recorded.Answer.Id}");
                }
                if (exchange.ServerDate is not { } date)
                    continue;
                var time = new RecordedTime(date, ReadingTimes.OffsetOf(exchange.Date, date), file, recorded.Answer.Id);
                answered[exchange.Uri.Authority] = !answered.TryGetValue(exchange.Uri.Authority, out var host) ? (time, time)
                    : (time.Ahead < host.Least.Ahead ? time : host.Least, time.Ahead > host.Most.Ahead ? time : host.Most);
            }
        }
        return new(sent, software.ToImmutable(), [.. answered.Values], unsaid.ToImmutable());
    }

    /// <summary>
    /// Returns what contradicts a run between two times: requests before or after it, and server dates that no delay explains.
    /// </summary>
    public IEnumerable<Difference> Outside(DateTimeOffset from, DateTimeOffset to)
    {
        if (Sent is not { } sent)
            yield break;
        if (sent.First < from - Tolerance)
            yield return new(BundleLayout.ExchangesFolder.TrimEnd('/'), "first request", Rfc3339.Format(from), Rfc3339.Format(sent.First));
        if (sent.Last > to + Tolerance)
            yield return new(BundleLayout.ExchangesFolder.TrimEnd('/'), "last request", Rfc3339.Format(to), Rfc3339.Format(sent.Last));
        // The least delayed response shows how far a server's clock is ahead; the time that a response takes does not explain a date much
        // further ahead.
        foreach (var (least, most) in Answered.Where(a => a.Most.Ahead - a.Least.Ahead > Tolerance))
            yield return new($"{most.File} {most.RecordId}", "Date", Rfc3339.Format(most.Date - (most.Ahead - least.Ahead)), Rfc3339.Format(most.Date));
    }

    private static string SoftwareOf(string path)
    {
        using var file = RegularFile.OpenRead(path);
        var line = new WarcReader(file).Read() is { Record: { Type: "warcinfo" } info }
            ? Encoding.UTF8.GetString(info.Block.Span).Split("\r\n").FirstOrDefault(l => l.StartsWith("software: ", StringComparison.Ordinal))
            : null;
        return line?["software: ".Length..] ?? "no program";
    }
}

/// <summary>A response with a server date.</summary>
/// <param name="Date">The time by the server's clock.</param>
/// <param name="Ahead">How far the date is after the request by the clock of the collecting machine.</param>
internal sealed record RecordedTime(DateTimeOffset Date, TimeSpan Ahead, string File, string RecordId);
