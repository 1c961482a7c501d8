using AuditCli.Evidence.Bundles;

namespace AuditCli.Bundles;

/// <summary>
/// Checks that a bundle which says that it was evaluated under other rules has the form of bundles of those rules. Some of its results cannot be
/// derived by today's rules, so a bundle of today that claimed others would be checked less.
/// </summary>
internal static class ClaimedRules
{
    /// <summary>Returns the first contradiction; null if there is none.</summary>
    public static string? WhyNot(OpenedBundle bundle)
    {
        return bundle.Record.IsCurrent ? null : Later(bundle).FirstOrDefault(l => l.IsThere).What is { } what
            ? $"run.json states no evaluation, as those of evaluation 1, but {what}, which only bundles of evaluation 2 have"
            : null;
    }

    /// <summary>
    /// Lists what evaluation 1 does not have (section 8 of the specification), and whether the bundle has it. The results over a collected bundle
    /// are in today's form.
    /// </summary>
    private static IEnumerable<(bool IsThere, string What)> Later(OpenedBundle bundle)
    {
        var (record, results, parameters) = (bundle.Record, bundle.Results, bundle.Results.Parameters);
        yield return (results.Schema > 1 && record.Concluded is null, $"{BundleLayout.Results} has schema {results.Schema}");
        yield return (record.Limits is { RequestsAtOncePerAccountAndRegion: not null } or { Connections: not null }, "it has limits of later runs");
        yield return (record.Targets.Any(t => t.Place is not null), "a target of it has a place");
        yield return (record.Inputs.Any(i => i.File is not null || i.Sha256 is not null || i.Tested is not null), "an input of it names its file");
        yield return (
            parameters is not
            {
                ClockLimitSeconds: null, ClockOffsetSeconds: null, ReadFrom: null, ReadUntil: null, AnswerAgeSeconds: null, StaleAnswers: null,
            },
            $"the parameters of {BundleLayout.Results} say by which clocks evidence was read");
        yield return (
            results.Controls.Any(c => c.Registers is not null || c.RefusedDecision is not null), "a control of it lists registers or a refused decision");
        yield return (
            results.Controls.Any(c => bundle.Partitions(c).Any(t => t is not { Unit: null, Mode: null, ReadFrom: null, ReadUntil: null })),
            "a test of it states its unit, mode or the time of reading");
        yield return (
            bundle.Index.Any(i => i is not
            {
                ReadFrom: null, ReadUntil: null, ClockOffsetSeconds: null, AnswerAgeSeconds: null, StaleAnswers: null, Redacted: null, Read: null, Kept: null,
                TakenAsNone.IsEmpty: true,
            }),
            $"{BundleLayout.EvidenceIndex} says when or how much was read");
    }
}
