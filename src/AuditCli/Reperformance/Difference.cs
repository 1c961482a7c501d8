namespace AuditCli.Reperformance;

/// <summary>One thing that is not as it was.</summary>
/// <param name="Where">The evidence item, control or population item.</param>
/// <param name="What">Which of its values.</param>
/// <param name="Before">In the bundle, shortened; null where the bundle has nothing.</param>
/// <param name="After">Done again, shortened; null where there is nothing now.</param>
/// <param name="Cause">Why, as far as the bundle tells.</param>
internal sealed record Difference(string Where, string What, string? Before, string? After, string? Cause = null);

/// <summary>Differences in the order found: so many are kept, the rest is counted.</summary>
internal sealed class DifferenceList(int limit)
{
    private readonly List<Difference> _kept = [];

    public long Count { get; private set; }
    public IReadOnlyList<Difference> Kept => _kept;

    public void Add(Difference difference)
    {
        Count++;
        if (_kept.Count < limit)
            _kept.Add(difference);
    }
}
