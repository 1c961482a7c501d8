using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>A file of recorded exchanges of which some were not replayed.</summary>
/// <param name="File">The path relative to the folder of recorded exchanges.</param>
public sealed record UnusedRecordings(string File, long Count);

/// <summary>The times at which the first and the last recorded request were sent.</summary>
public sealed record RecordedDates(DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>Returns the times over all files below a folder of recorded exchanges; null if nothing is recorded.</summary>
    /// <exception cref="IOException">The folder does not exist, or a file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is truncated or altered; the message names it.</exception>
    public static RecordedDates? Of(string folder) => Directory.EnumerateFiles(folder, "*.warc.gz", SearchOption.AllDirectories)
        .SelectMany(f => new RecordedExchanges(f).Requests())
        .Aggregate((RecordedDates?)null, (known, asked) => With(known, asked.Date));

    /// <summary>Returns the times extended by one more.</summary>
    public static RecordedDates With(RecordedDates? known, DateTimeOffset date) => known is null
        ? new(date, date)
        : new(date < known.First ? date : known.First, date > known.Last ? date : known.Last);
}

/// <summary>
/// Replays recorded exchanges and copies each used record unchanged into the new bundle, so that references to it are the same live and
/// replayed.
/// </summary>
public sealed class ReplayTransport : ExchangeTransport
{
    private readonly ExchangePolicy _policy = ExchangePolicy.Default;
    private readonly FrozenDictionary<string, RecordedAnswers> _answers;

    /// <summary>Reads every file below the folder of recorded exchanges once, to index the requests.</summary>
    /// <param name="recordedFolder">The folder with <c>&lt;target&gt;/&lt;service&gt;-&lt;region&gt;.warc.gz</c>.</param>
    /// <param name="bundleFolder">The folder of the bundle under construction.</param>
    /// <param name="seed">The new bundle's id.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">A file is truncated or altered; the message names it.</exception>
    public ReplayTransport(string recordedFolder, string bundleFolder, string seed)
        : base(bundleFolder, seed)
    {
        _answers = Directory.EnumerateFiles(recordedFolder, "*.warc.gz", SearchOption.AllDirectories)
            .ToFrozenDictionary(f => Path.GetRelativePath(recordedFolder, f).Replace('\\', '/'), f => new RecordedAnswers(f, _policy), StringComparer.Ordinal);
        var dates = _answers.Values.Select(a => a.Dates).OfType<RecordedDates>().ToList();
        RecordedDates = dates.Count > 0 ? new(dates.Min(d => d.First), dates.Max(d => d.Last)) : null;
    }

    public override bool IsReplay => true;

    /// <summary>The times of the first and the last recorded request; null if nothing is recorded.</summary>
    public RecordedDates? RecordedDates { get; }

    /// <summary>The recorded responses not replayed so far, sorted by file.</summary>
    public ImmutableArray<UnusedRecordings> Unused => [.. _answers
        .Select(a => new UnusedRecordings(a.Key, a.Value.Unused))
        .Where(u => u.Count > 0)
        .OrderBy(u => u.File, StringComparer.Ordinal)];

    public override Uri? FirstRecorded(ExchangeScope scope) => _answers.GetValueOrDefault(scope.FileName)?.First;

    public override string? RecordedField(ExchangeScope scope, string name) => _answers.GetValueOrDefault(scope.FileName)?.FirstField(name);

    internal override HttpMessageHandler Open(
        ExchangeScope scope, Func<HttpRequestMessage, string?> refusal, Func<HttpRequestMessage, AnswerPlaces?>? places = null, Route? route = null) =>
        Chain(scope, refusal, places);

    private ReadOnlyGuard Chain(ExchangeScope scope, Func<HttpRequestMessage, string?> refusal, Func<HttpRequestMessage, AnswerPlaces?>? places)
    {
        var file = scope.BundlePath;
        return new ReadOnlyGuard(
            refusal, new ReplayHandler(_answers.GetValueOrDefault(scope.FileName), () => AskedFor, () => Logs!.Number, KeepAsync, _policy, places));

        async ValueTask KeepAsync(RecordedExchange recorded, bool first, AnswerPlaces? said, CancellationToken cancellationToken)
        {
            MeasureClock(recorded.Exchange);
            if (first)
                await Logs!.Of(file).AppendCopyAsync(recorded.Request, recorded.Answer, cancellationToken);
            Note(RecordedResponse.Reference(file, recorded.Answer.Id, recorded.Exchange, said));
        }
    }

    private protected override ValueTask CloseAsync() => ValueTask.CompletedTask;
}
