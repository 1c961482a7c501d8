using System.Collections.Immutable;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Reports;

/// <summary>What a test, or a part of it, counted, in its own unit. Each number is one of listed items, so lists and counts tie.</summary>
/// <param name="Unit">What one item is, in the singular.</param>
internal sealed record ItemCount(string Unit, long Population, long Exceptions, long Approved, long Undetermined, long Indicated)
{
    private const string NoUnit = "item";

    /// <summary>Of one test in one partition.</summary>
    public static ItemCount Of(TestResult test) =>
        new(test.Unit ?? NoUnit, test.Population, test.Deviations, test.Approved, test.Undetermined, test.Indicated);

    /// <summary>Of one test over all its partitions.</summary>
    public static ItemCount Of(IEnumerable<TestResult> parts) => parts.Select(Of).Aggregate((a, b) => new(
        a.Unit, a.Population + b.Population, a.Exceptions + b.Exceptions, a.Approved + b.Approved, a.Undetermined + b.Undetermined, a.Indicated + b.Indicated));

    /// <summary>The population with its noun: <c>4 databases</c>.</summary>
    public string PopulationWords => Wording.Count(Population, Unit);

    /// <summary>All of it: <c>2 exceptions on 2 of 4 databases, 1 approved</c>.</summary>
    public string Words => On(Exceptions, Exceptions, PopulationWords) + Others;

    /// <summary>How many exceptions there are on how many of the population's items.</summary>
    public static string On(long exceptions, long items, string population) =>
        $"{Wording.Count(exceptions, "exception")} on {(exceptions > 0 ? $"{items} of " : "")}{population}";

    /// <summary>What is neither a pass nor an open exception, each with a comma before it; empty where there is nothing.</summary>
    public string Others => string.Concat(
        new[] { (Approved, "approved"), (Undetermined, "undetermined"), (Indicated, "indicated") }
            .Where(n => n.Item1 > 0).Select(n => $", {n.Item1} {n.Item2}"));
}

/// <summary>
/// The counts of a control as every report prints them: its exceptions are those that are listed, one for each item and test, and
/// populations of different units are never added.
/// </summary>
internal sealed record ControlCounts(ControlResult Control)
{
    /// <summary>Of each test, in the order in which they ran.</summary>
    public ImmutableArray<(string Test, ItemCount Count)> Tests { get; } =
        [.. Control.Tests.GroupBy(t => t.Id, StringComparer.Ordinal).Select(g => (g.Key, ItemCount.Of(g)))];

    public long Exceptions => Tests.Sum(t => t.Count.Exceptions);

    public long Approved => Tests.Sum(t => t.Count.Approved);

    public long Undetermined => Tests.Sum(t => t.Count.Undetermined);

    public long Indicated => Tests.Sum(t => t.Count.Indicated);

    /// <summary>The population with its noun, or that of each test where their units differ: <c>T1 4 regions, T2 1 event</c>.</summary>
    public string PopulationWords => Tests.IsEmpty ? "–"
        : Control.Population is { } all ? Wording.Count(all, Tests[0].Count.Unit)
        : string.Join(", ", Tests.Select(t => $"{t.Test} {t.Count.PopulationWords}"));

    /// <summary>The population where a column has room for one number with its noun; a dash where there is no such number.</summary>
    public string PopulationCell => Tests.IsEmpty || Control.Population is null ? "–" : PopulationWords;

    /// <summary>Everything in one line: <c>4 exceptions on 3 of 4 databases</c>, or that of each test where their units differ.</summary>
    public string Words => Tests.IsEmpty ? "nothing was tested"
        : Control.Population is null ? string.Join("; ", Tests.Select(t => $"{t.Test}: {t.Count.Words}"))
        : ItemCount.On(Exceptions, Control.Deviations, PopulationWords) + new ItemCount("", 0, 0, Approved, Undetermined, Indicated).Others;
}
