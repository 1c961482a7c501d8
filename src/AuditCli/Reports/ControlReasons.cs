using AuditCli.Collectors;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Reports;

/// <summary>Why a control concluded as it did, in words.</summary>
internal static class ControlReasons
{
    /// <summary>The conclusion with the approved exceptions that stand behind a pass.</summary>
    public static string Conclusion(ControlResult control) => control.Conclusion == Controls.Conclusion.Pass && control.Approved > 0
        ? $"PASS ({Wording.Count(control.Approved, "approved exception")})"
        : Wording.Name(control.Conclusion);

    /// <summary>Why a control could not conclude more than it did, what concerns the most first.</summary>
    public static IEnumerable<string> Of(ControlResult control) =>
    [
        .. control.NotApplicable is { } left ? [$"{left.Reason} (approved by {left.ApprovedBy} on {left.ApprovedOn:yyyy-MM-dd})"] : Array.Empty<string>(),
        .. Of(control.Tests, control.Limitations, control.Undetermined, control.Population),
    ];

    /// <summary>As <see cref="Of(ControlResult)"/>, of one test in one account.</summary>
    public static IEnumerable<string> Of(ControlResult control, TestResult test) => Of(
        [test],
        control.Limitations.Where(l => test.Partition.Account == Partition.Everywhere || l.Account.Length == 0 || (l.Target == test.Partition.Target && l.Account == test.Partition.Account)),
        test.Undetermined,
        test.Population);

    private static IEnumerable<string> Of(IEnumerable<TestResult> tests, IEnumerable<Limitation> limitations, long undetermined, long population) =>
    [
        .. tests.Where(t => t.Error is not null).Select(t => $"test {t.Id} broke in {Wording.Place(t.Partition.Target, t.Partition.Account)}: {t.Error}"),
        // A table that lacks its parent's rows is the consequence, not the cause.
        .. limitations.OrderBy(l => l.Code == PerParentCodes.ParentNotRead).Select(Limitation),
        .. tests.SelectMany(t => t.Completeness.Where(c => !c.Agree).Select(c => (t.Partition, Check: c))).DistinctBy(c => (c.Partition, c.Check.Name))
            .Select(c => $"{c.Check.Name}: {c.Check.Left ?? "unknown"} against {c.Check.Right ?? "unknown"} in {Wording.Place(c.Partition.Target, c.Partition.Account)}{(c.Check.Error is { } e ? $" ({e})" : "")}"),
        .. undetermined > 0 ? [$"{undetermined} of {population} items could not be determined"] : Array.Empty<string>(),
    ];

    /// <summary>One scope limitation as a sentence.</summary>
    public static string Limitation(Limitation l) =>
        $"{l.Operation} in {Wording.Place(l.Target, l.Account)}{(l.Region.Length > 0 ? $" {l.Region}" : "")}: {l.Code}{(l.Count > 1 ? $", {l.Count} calls" : "")}: {l.Message}";
}
