using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Reports;

/// <summary>The counts of a test or a part of it, in the test's unit. Each counts listed items, so that counts match the lists.</summary>
/// <param name="Unit">The noun for one item, in the singular.</param>
internal sealed record ItemCount(string Unit, long Population, long Exceptions, long Approved, long Undetermined, long Indicated)
{
    private const string NoUnit = "item";

    /// <summary>Returns the counts of one test in one partition.</summary>
    public static ItemCount Of(TestResult test) =>
        new(test.Unit ?? NoUnit, test.Population, test.Deviations, test.Approved, test.Undetermined, test.Indicated);

    /// <summary>Returns the counts of one test over all its partitions.</summary>
    public static ItemCount Of(TestTotals test) =>
        new(test.Unit ?? NoUnit, test.Population, test.Deviations, test.Approved, test.Undetermined, test.Indicated);

    /// <summary>The population with its noun, for example <c>4 databases</c>.</summary>
    public string PopulationWords => Wording.Count(Population, Unit);

    /// <summary>All counts as text, for example <c>2 exceptions on 2 of 4 databases, 1 approved</c>.</summary>
    public string Words => On(Exceptions, Exceptions, PopulationWords) + Others;

    /// <summary>Returns as text how many exceptions there are on how many items of the population.</summary>
    public static string On(long exceptions, long items, string population) =>
        $"{Wording.Count(exceptions, "exception")} on {(exceptions > 0 ? $"{items} of " : "")}{population}";

    /// <summary>The counts of items that are neither a pass nor an open exception, each after a comma; empty if there are none.</summary>
    public string Others => string.Concat(
        new[] { (Approved, "approved"), (Undetermined, "undetermined"), (Indicated, "indicated") }
            .Where(n => n.Item1 > 0).Select(n => $", {n.Item1} {n.Item2}"));
}

/// <summary>
/// The counts of a control as every report prints them. Exceptions are the listed ones, one per item and test; populations with different
/// units are not added.
/// </summary>
internal sealed record ControlCounts(ControlResult Control)
{
    /// <summary>The counts of each test, in the order in which the tests ran.</summary>
    public ImmutableArray<(string Test, ItemCount Count)> Tests { get; } = [.. Control.Tests.Select(t => (t.Id, ItemCount.Of(t)))];

    public long Exceptions => Tests.Sum(t => t.Count.Exceptions);

    public long Approved => Tests.Sum(t => t.Count.Approved);

    public long Undetermined => Tests.Sum(t => t.Count.Undetermined);

    public long Indicated => Tests.Sum(t => t.Count.Indicated);

    /// <summary>
    /// The population with its noun; if the units of the tests differ, that of each test, for example <c>T1 4 regions, T2 1 event</c>.
    /// </summary>
    public string PopulationWords => Tests.IsEmpty ? "–"
        : Control.Population is { } all ? Wording.Count(all, Tests[0].Count.Unit)
        : string.Join(", ", Tests.Select(t => $"{t.Test} {t.Count.PopulationWords}"));

    /// <summary>The population for a column with room for one number and noun; a dash if there is no single number.</summary>
    public string PopulationCell => Tests.IsEmpty || Control.Population is null ? "–" : PopulationWords;

    /// <summary>
    /// All counts in one line, for example <c>4 exceptions on 3 of 4 databases</c>; if the units of the tests differ, those of each test.
    /// </summary>
    public string Words => Tests.IsEmpty ? "nothing was tested"
        : Control.Population is null ? string.Join("; ", Tests.Select(t => $"{t.Test}: {t.Count.Words}"))
        : ItemCount.On(Exceptions, Control.Deviations, PopulationWords) + new ItemCount("", 0, 0, Approved, Undetermined, Indicated).Others;

    /// <summary>Returns the counts of each test in the test's unit, as JSON.</summary>
    public JsonArray TestsJson() => new([.. Tests.Select(t => (JsonNode)new JsonObject
    {
        ["id"] = t.Test,
        ["unit"] = t.Count.Unit,
        ["population"] = t.Count.Population,
        ["exceptions"] = t.Count.Exceptions,
        ["approved"] = t.Count.Approved,
        ["undetermined"] = t.Count.Undetermined,
        ["indicated"] = t.Count.Indicated,
    })]);
}
