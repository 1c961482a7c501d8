using System.Globalization;

namespace AuditCli.Collectors.Running;

/// <summary>
/// Stops reading a list whose pages are empty and never end. Valid lists have empty pages too, since a search may stop after a fixed number
/// of entries. Reading therefore stops after <see cref="Most"/> empty pages in a row that took at least <see cref="Longest"/>, or after
/// <see cref="MostAtAll"/> empty pages regardless of time.
/// </summary>
/// <param name="what">The request, as named in the message.</param>
/// <param name="clock">Null in a replay, which has as many pages as the recorded run requested and no elapsed time of its own.</param>
internal sealed class EmptyPages(string what, TimeProvider? clock)
{
    /// <summary>The number of empty pages in a row that ends the reading if they also took too long.</summary>
    public const int Most = 1_000;

    /// <summary>The number of empty pages in a row that ends the reading in any case.</summary>
    public const int MostAtAll = 10_000;

    /// <summary>The longest time that consecutive pages may be empty.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private int _inARow;
    private long _since;

    /// <summary>Counts one page that names a next page.</summary>
    /// <exception cref="CollectionException">The page exceeds the limits.</exception>
    public void Add(bool isEmpty)
    {
        _inARow = isEmpty ? _inARow + 1 : 0;
        if (_inARow <= 1)
            _since = clock?.GetTimestamp() ?? 0;
        if (_inARow >= MostAtAll || _inARow >= Most && clock?.GetElapsedTime(_since) >= Longest)
            throw Failure(null);
    }

    /// <summary>
    /// Translates a failure to read the next page: if a recording ends after that many empty pages, the recorded run gave up there and the
    /// replay must report the same failure.
    /// </summary>
    public CollectionException Of(CollectionException failure) =>
        clock is null && _inARow >= Most && failure.Code == Codes.NoRecording ? Failure(failure) : failure;

    private CollectionException Failure(CollectionException? inner) => new(Codes.EndlessPages, string.Create(
        CultureInfo.InvariantCulture,
        $"{what}: {_inARow} consecutive pages were empty but pointed to a next page; "
            + $"reading stops after {Most} of them within {Longest.TotalMinutes} minutes, or after {MostAtAll}"), inner);
}
