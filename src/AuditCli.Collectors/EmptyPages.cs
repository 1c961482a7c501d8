using System.Globalization;
using AuditCli.Collectors.Http;

namespace AuditCli.Collectors;

/// <summary>
/// Ends the reading of a list whose pages bring nothing and never end. Honest lists have empty pages too, since a search may stop after every
/// so many entries: it is given up when <see cref="Most"/> pages in a row were empty and <see cref="Longest"/> went by in them, and
/// after <see cref="MostAtAll"/> in any time.
/// </summary>
/// <param name="what">What is asked.</param>
/// <param name="clock">Null in a replay, which has as many pages as the recorded run asked for, and no time of its own.</param>
internal sealed class EmptyPages(string what, TimeProvider? clock)
{
    /// <summary>The code of a list that was given up.</summary>
    public const string Code = "EndlessPages";

    /// <summary>So many empty pages in a row are too many, when they also took too long.</summary>
    public const int Most = 1_000;

    /// <summary>So many are too many, however fast they came.</summary>
    public const int MostAtAll = 10_000;

    /// <summary>How long pages may bring nothing.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private int _inARow;
    private long _since;

    /// <summary>Takes one page into account that names a next one.</summary>
    /// <exception cref="CollectionException">It is one too many.</exception>
    public void Add(bool isEmpty)
    {
        _inARow = isEmpty ? _inARow + 1 : 0;
        if (_inARow <= 1)
            _since = clock?.GetTimestamp() ?? 0;
        if (_inARow >= MostAtAll || _inARow >= Most && clock?.GetElapsedTime(_since) >= Longest)
            throw Failure(null);
    }

    /// <summary>What a failure to read the next page means: where a recording ends after that many empty pages, the recorded run gave up there.</summary>
    public CollectionException Of(CollectionException failure) =>
        clock is null && _inARow >= Most && failure.Code == ExchangeRefusedException.NoRecording ? Failure(failure) : failure;

    private CollectionException Failure(CollectionException? inner) => new(Code, string.Create(
        CultureInfo.InvariantCulture,
        $"{what}: {_inARow} pages in a row brought nothing and named a next one; it is given up after {Most} in {Longest.TotalMinutes} minutes, or {MostAtAll}"), inner);
}
