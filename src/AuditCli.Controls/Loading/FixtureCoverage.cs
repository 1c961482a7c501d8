using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls.Loading;

/// <summary>Reports which of the four cases that every control must prove are missing from its fixtures.</summary>
public static class FixtureCoverage
{
    /// <summary>
    /// Returns a fault, at the beginning of the file, for each missing case: one that passes, one that fails, one with an empty
    /// population (NO_OCCURRENCE, or a case whose name begins with <c>empty</c> where every account has the item), and one that
    /// was denied (evidence that failed, and INCONCLUSIVE). A control without evidence of a source has nothing that can be
    /// denied.
    /// </summary>
    public static ImmutableArray<Diagnostic> Check(FixtureFile fixtures, Control control)
    {
        var faults = new FaultList();
        var top = new YamlPosition(fixtures.File, 1, 1);
        var cases = fixtures.Cases;
        if (cases.All(c => c.Expect.Conclusion != Conclusion.Pass))
            faults.Meaning(top, $"no case proves that {control.Id} can conclude PASS");
        if (cases.All(c => c.Expect.Conclusion != Conclusion.Fail))
            faults.Meaning(top, $"no case proves that {control.Id} can conclude FAIL");
        if (cases.All(c => c.Expect.Conclusion != Conclusion.NoOccurrence && !c.Name.StartsWith("empty", StringComparison.OrdinalIgnoreCase)))
        {
            faults.Meaning(
                top,
                $"no case has an empty population: add one from which {control.Id} concludes NO_OCCURRENCE, "
                + "or one whose name begins with 'empty' and says why there is always an item");
        }
        if (control.Evidence.Any(e => !e.IsFile) && !cases.Any(Denied))
            faults.Meaning(top, $"no case has a denied request: add one with 'outcome: failed' from which {control.Id} concludes INCONCLUSIVE");
        return faults.InOrder();
    }

    private static bool Denied(FixtureCase fixture) => fixture.Expect.Conclusion == Conclusion.Inconclusive
        && fixture.Partitions.Any(p => p.Evidence.Values.Any(t => t.Outcome == CollectionOutcome.Failed));
}
