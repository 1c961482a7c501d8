using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Http;

/// <summary>A file of recorded exchanges of which some were not asked for.</summary>
/// <param name="File">Inside the folder of recorded exchanges.</param>
public sealed record UnusedRecordings(string File, long Count);

/// <summary>When recorded requests were sent: the first and the last.</summary>
public sealed record RecordedDates(DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>Those of every file below a folder of recorded exchanges; null when nothing is recorded.</summary>
    /// <exception cref="IOException">There is no such folder, or a file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is torn or altered; the message names it.</exception>
    public static RecordedDates? Of(string folder) => Directory.EnumerateFiles(folder, "*.warc.gz", SearchOption.AllDirectories)
        .SelectMany(f => new RecordedExchanges(f).Requests())
        .Aggregate((RecordedDates?)null, (known, asked) => With(known, asked.Date));

    /// <summary>These dates and one more.</summary>
    public static RecordedDates With(RecordedDates? known, DateTimeOffset date) => known is null
        ? new(date, date)
        : new(date < known.First ? date : known.First, date > known.Last ? date : known.Last);
}

/// <summary>
/// Answers from recorded exchanges and copies each used record into the new bundle as it is, so that what refers to it is
/// the same live and replayed.
/// </summary>
public sealed class ReplayTransport : ExchangeTransport
{
    private readonly string _bundleFolder;
    private readonly string _seed;
    private readonly ExchangePolicy _policy = ExchangePolicy.Default;
    private readonly FrozenDictionary<string, RecordedAnswers> _answers;
    private readonly ConcurrentDictionary<string, Lazy<ExchangeLog>> _logs = new(StringComparer.Ordinal);

    /// <summary>Reads every file below the folder of recorded exchanges once, to know what can be answered.</summary>
    /// <param name="recordedFolder">Holds <c>&lt;target&gt;/&lt;service&gt;-&lt;region&gt;.warc.gz</c>.</param>
    /// <param name="bundleFolder">The folder of the bundle that is being written.</param>
    /// <param name="seed">The new bundle's id.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file is torn or altered; the message names it.</exception>
    public ReplayTransport(string recordedFolder, string bundleFolder, string seed)
    {
        _bundleFolder = bundleFolder;
        _seed = seed;
        _answers = Directory.EnumerateFiles(recordedFolder, "*.warc.gz", SearchOption.AllDirectories)
            .ToFrozenDictionary(f => Path.GetRelativePath(recordedFolder, f).Replace('\\', '/'), f => new RecordedAnswers(f, _policy), StringComparer.Ordinal);
        var dates = _answers.Values.Select(a => a.Dates).OfType<RecordedDates>().ToList();
        RecordedDates = dates.Count > 0 ? new(dates.Min(d => d.First), dates.Max(d => d.Last)) : null;
    }

    public override bool IsReplay => true;

    /// <summary>When the first and the last recorded request were sent; null when nothing is recorded.</summary>
    public RecordedDates? RecordedDates { get; }

    /// <summary>Recorded answers nobody asked for so far, by file, in order.</summary>
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
        var log = _logs.GetOrAdd(file, path => new(() => new ExchangeLog(Path.Combine(_bundleFolder, path), $"{_seed}/{path}", RecordingSoftware.Name))).Value;
        return new ReadOnlyGuard(refusal, new ReplayHandler(_answers.GetValueOrDefault(scope.FileName), () => AskedFor, KeepAsync, _policy, places));

        async ValueTask KeepAsync(RecordedExchange recorded, bool first, AnswerPlaces? said, CancellationToken cancellationToken)
        {
            MeasureClock(recorded.Exchange);
            if (first)
                await log.AppendCopyAsync(recorded.Request, recorded.Answer, cancellationToken);
            Note(RecordedResponse.Reference(file, recorded.Answer.Id, recorded.Exchange, said));
        }
    }

    private protected override async ValueTask CloseAsync()
    {
        foreach (var log in _logs.Values)
            await log.Value.DisposeAsync();
    }
}
