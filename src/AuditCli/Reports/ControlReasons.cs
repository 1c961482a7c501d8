using System.Collections.Immutable;
using AuditCli.Collectors;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reports;

/// <summary>Explains as text why a control has its conclusion.</summary>
internal static class ControlReasons
{
    private const int RemarksGiven = 100;

    /// <summary>Returns the conclusion; for a pass with the number of approved exceptions.</summary>
    public static string Conclusion(ControlResult control) => control.Conclusion == Controls.Conclusion.Pass && control.Approved > 0
        ? $"PASS ({Wording.Count(new ControlCounts(control).Approved, "approved exception")})"
        : Wording.Name(control.Conclusion);

    /// <summary>
    /// Returns what the conclusion means for this control. If the population is not proven complete, the number of exceptions is a lower
    /// bound.
    /// </summary>
    /// <param name="partitions">The control's results by partition.</param>
    public static string Meaning(ControlResult control, IEnumerable<TestResult> partitions) =>
        control.Conclusion != Controls.Conclusion.Fail ? Wording.Meaning(control.Conclusion)
        : control.Collected is { } before && before != Controls.Conclusion.Fail
            ? $"a person answered 'no' or 'not found'; {Wording.Name(before)} by the evidence alone"
        : IsComplete(control, partitions) ? $"{Wording.Meaning(control.Conclusion)}, seen in complete evidence"
        : $"the population is not proven complete: at least {Wording.Count(new ControlCounts(control).Exceptions, "exception")}";

    private static bool IsComplete(ControlResult control, IEnumerable<TestResult> partitions) =>
        control.Limitations.IsEmpty && control.Tests.All(t => t.Indicated == 0) && !partitions.Any(IsFaulty);

    /// <summary>Whether a test failed to run in a partition, or two counts of its evidence do not agree there.</summary>
    private static bool IsFaulty(TestResult part) => part.Error is not null || part.Completeness.Any(c => !c.Agree);

    /// <summary>Returns why a control could not conclude more, the widest reason first.</summary>
    /// <param name="partitions">The control's results by partition.</param>
    public static IEnumerable<string> Of(ControlResult control, IEnumerable<TestResult> partitions) =>
    [
        .. control.NotApplicable is { } left ? [$"{left.Reason} (approved by {left.ApprovedBy} on {left.ApprovedOn:yyyy-MM-dd})"] : Array.Empty<string>(),
        .. Of([.. partitions.Where(IsFaulty)], control.Limitations),
        .. new ControlCounts(control).Tests.Where(t => t.Count.Undetermined > 0).Select(t => $"test {t.Test}: {Undetermined(t.Count)}"),
    ];

    /// <summary>
    /// Returns remarks in addition to the conclusion and its reasons: error codes that count as "none exist", approvals that were not used,
    /// and rows of registers without effect. Returns at most 100, then the number of the rest.
    /// </summary>
    public static IEnumerable<string> Remarks(ControlResult control)
    {
        string[] all = [.. control.Notes, .. RegisterWords.Of(control).Select(r => $"{r.Label}: {r.Text}")];
        return all.Length <= RemarksGiven
            ? all
            : [.. all.Take(RemarksGiven), $"{all.Length - RemarksGiven} more remarks of these kinds are in {BundleLayout.Results}"];
    }

    /// <summary>Returns the same reasons as <see cref="Of(ControlResult, IEnumerable{TestResult})"/>, for one test in one account.</summary>
    public static IEnumerable<string> Of(ControlResult control, TestResult test) =>
    [
        .. Of([test], control.Limitations.Where(l => test.Partition.Account == Partition.Everywhere || l.Account.Length == 0
            || (l.Target == test.Partition.Target && l.Account == test.Partition.Account))),
        .. test.Undetermined > 0 ? [Undetermined(ItemCount.Of(test))] : Array.Empty<string>(),
    ];

    private static string Undetermined(ItemCount count) => $"{count.Undetermined} of {count.PopulationWords} could not be determined";

    private static IEnumerable<string> Of(ImmutableArray<TestResult> tests, IEnumerable<Limitation> limitations) =>
    [
        .. tests.Where(t => t.Error is not null)
            .Select(t => $"test {t.Id} failed to run in {Wording.Place(t.Partition.Target, t.Partition.Account)}: {t.Error}"),
        // List a table that lacks its parent's rows last: it is the consequence of another limitation.
        .. limitations.OrderBy(l => l.Code == Codes.ParentNotRead).Select(Limitation),
        .. tests.SelectMany(t => t.Completeness.Where(c => !c.Agree).Select(c => (t.Partition, Check: c)))
            .DistinctBy(c => (c.Partition, c.Check.Name))
            .Select(c => $"{c.Check.Name}: {c.Check.Left ?? "unknown"} against {c.Check.Right ?? "unknown"} in "
                + $"{Wording.Place(c.Partition.Target, c.Partition.Account)}{(c.Check.Error is { } e ? $" ({e})" : "")}"),
    ];

    /// <summary>Returns a scope limitation as a sentence.</summary>
    public static string Limitation(Limitation l) =>
        $"{l.Operation} in {Wording.Place(l.Target, l.Account)}{(l.Region.Length > 0 ? $" {l.Region}" : "")}: "
        + $"{l.Code}{(l.Count > 1 ? $", {l.Count} calls" : "")}: {l.Message}";
}
