using AuditCli.Controls.Evaluation;

namespace AuditCli.Reports;

/// <summary>
/// Says which rows of management's registers had no effect. An approval that covers nothing, or an identity map's line that names nobody, is
/// old or mistyped, and a reader who does not see it takes the register for what it is not.
/// </summary>
internal static class RegisterWords
{
    /// <summary>Each row on its own, with a label for what it is: approvals first, then the other registers by name.</summary>
    public static IEnumerable<(string Label, string Text)> Of(ControlResult control) =>
    [
        .. control.Waivers.Expired.Concat(control.Waivers.Unmatched).Select(w => ("Approval not used", Approval(w))),
        .. (control.Registers ?? []).SelectMany(r => r.Unknown is { } unknown
            ? [($"Rows of {r.Evidence}", $"which of them match nothing is not known: {unknown}")]
            : r.Unmatched.Select(row => ($"Row of {r.Evidence}", $"{row.Row}: {row.Why}"))),
    ];

    private static string Approval(WaiverRow waiver) =>
        $"{waiver.Item ?? "no item"} by {waiver.ApprovedBy ?? "nobody"} on {waiver.ApprovedOn ?? "no date"}, until {waiver.Expires ?? "no date"}: {waiver.Why}";
}
