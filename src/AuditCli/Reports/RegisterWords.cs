using AuditCli.Controls.Evaluation;

namespace AuditCli.Reports;

/// <summary>
/// Reports the rows of management's registers that had no effect. Such a row (an approval that covers nothing, an identity that matches
/// nobody) is outdated or mistyped, and without the report a reader would think that it counts.
/// </summary>
internal static class RegisterWords
{
    /// <summary>Returns each row with a label for its kind: approvals first, then the other registers by name.</summary>
    public static IEnumerable<(string Label, string Text)> Of(ControlResult control) =>
    [
        .. control.Waivers.Expired.Concat(control.Waivers.Unmatched).Select(w => ("Approval not used", Approval(w))),
        .. (control.Registers ?? []).SelectMany(r => r.Unknown is { } unknown
            ? [($"Rows of {r.Evidence}", $"the unmatched rows are not known: {unknown}")]
            : r.Unmatched.Select(row => ($"Row of {r.Evidence}", $"{row.Row}: {row.Why}"))),
    ];

    private static string Approval(WaiverRow waiver) =>
        $"{waiver.Item ?? "no item"} by {waiver.ApprovedBy ?? "nobody"} on {waiver.ApprovedOn ?? "no date"}, until {waiver.Expires ?? "no date"}: {waiver.Why}";
}
