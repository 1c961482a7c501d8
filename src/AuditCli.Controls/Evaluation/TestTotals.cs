using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>The results of one test over all its partitions: the first conclusion in the order of precedence, and sums.</summary>
/// <param name="Conclusions">The number of partitions with each conclusion, without conclusions that none has.</param>
public sealed record TestTotals(
    string Id,
    Conclusion Conclusion,
    long Population,
    long Deviations,
    long Approved,
    long Undetermined,
    long Indicated,
    ImmutableSortedDictionary<Conclusion, long> Conclusions)
{
    /// <inheritdoc cref="TestResult.Unit"/>
    public string? Unit { get; init; }

    /// <inheritdoc cref="TestResult.Mode"/>
    public ControlMode? Mode { get; init; }

    /// <summary>Adds up results by partition, in the order in which their tests occur first.</summary>
    public static ImmutableArray<TestTotals> Of(IEnumerable<TestResult> partitions)
    {
        var totals = new List<TestTotals>();
        foreach (var part in partitions)
            Add(totals, part);
        return [.. totals];
    }

    /// <summary>Adds a partition's result to the totals of its test.</summary>
    internal static void Add(List<TestTotals> totals, TestResult part)
    {
        // A control has few tests, and they are listed in its order, so a search is cheaper than an index.
        var at = totals.FindIndex(t => t.Id == part.Id);
        if (at < 0)
            totals.Add(Of(part));
        else
            totals[at] = totals[at].With(part);
    }

    /// <summary>Whether both state the same, the counts of conclusions included.</summary>
    public bool Equals(TestTotals? other) =>
        other is not null && (Id, Conclusion, Population, Deviations) == (other.Id, other.Conclusion, other.Population, other.Deviations)
        && (Approved, Undetermined, Indicated, Unit, Mode) == (other.Approved, other.Undetermined, other.Indicated, other.Unit, other.Mode)
        && Conclusions.SequenceEqual(other.Conclusions);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Conclusion, Population, Deviations, Approved, Undetermined, Indicated);

    private static TestTotals Of(TestResult part) => new(
        part.Id, part.Conclusion, part.Population, part.Deviations, part.Approved, part.Undetermined, part.Indicated,
        ImmutableSortedDictionary<Conclusion, long>.Empty.Add(part.Conclusion, 1))
    {
        Unit = part.Unit,
        Mode = part.Mode,
    };

    private TestTotals With(TestResult part) => this with
    {
        Conclusion = part.Conclusion < Conclusion ? part.Conclusion : Conclusion,
        Population = Population + part.Population,
        Deviations = Deviations + part.Deviations,
        Approved = Approved + part.Approved,
        Undetermined = Undetermined + part.Undetermined,
        Indicated = Indicated + part.Indicated,
        Conclusions = Conclusions.SetItem(part.Conclusion, Conclusions.GetValueOrDefault(part.Conclusion) + 1),
    };
}
