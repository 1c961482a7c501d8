using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Reports.Workpapers;

/// <summary>A fact that a reader must know before reading any conclusion.</summary>
/// <param name="Kind">A stable word: target, control, parameter, not-tested, endpoint and others.</param>
/// <param name="Narrows">Whether it narrows or changes the scope. The identity that read a target does not.</param>
internal sealed record ScopeNote(string Kind, string Text, bool Narrows = true);

/// <summary>Collects everything that narrows the scope or differs from the shipped library, so that a weakened run is visible.</summary>
internal static class ScopeNotes
{
    private const int AccountsNamed = 5;

    public static ImmutableArray<ScopeNote> Of(RunRecord run, EvaluationResults results)
    {
        var reached = run.Targets.Where(t => t.IsRead).ToImmutableArray();
        // A target of thousands of projects gets one line.
        var many = reached.GroupBy(t => t.Name, StringComparer.Ordinal).Where(g => g.Count() > AccountsNamed)
            .ToImmutableSortedDictionary(g => g.Key, g => g.ToImmutableArray(), StringComparer.Ordinal);
        return
        [
            .. Times(results.Parameters),
            .. new[] { ("preparer", run.Preparer), ("reviewer", run.Reviewer) }.Where(p => Engagement.IsNobody(p.Item2))
                .Select(p => new ScopeNote("people", $"no {p.Item1} was named: it says '{p.Item2}'")),
            .. run.Targets.Where(t => t.Failure is not null).Select(t => new ScopeNote("target", NotEntered(t, reached))),
            .. many.Select(g => Target(
                g.Value[0],
                $"target {g.Key} is {g.Value.Length} accounts ({string.Join(", ", g.Value.Take(AccountsNamed).Select(t => t.Account))} "
                + $"and others, all in run.json), {g.Value[0].ReadAs}")),
            .. reached.Where(t => !many.ContainsKey(t.Name))
                .Select(t => Target(t, $"target {t.Name} is account {t.Account}, {t.ReadAs}{In(t)}")),
            // Group by regions: most accounts of an organization have the same regions disabled.
            .. reached.Where(t => t.RegionsNotEnabled is { IsEmpty: false })
                .GroupBy(t => (t.Name, Regions: string.Join(", ", t.RegionsNotEnabled!.Value)))
                .Select(g => new ScopeNote(
                    "region",
                    $"target {g.Key.Name}: not enabled in "
                    + $"{(g.Count() > AccountsNamed ? $"{g.Count()} accounts" : string.Join(", ", g.Select(t => t.Account)))}, "
                    + $"and not read: {g.Key.Regions}")),
            .. run.Targets.SelectMany(t => t.Excluded.Select(e => (t.Name, Excluded: e))).Distinct()
                .Select(e => new ScopeNote("excluded", $"target {e.Name} excludes {e.Excluded}")),
            .. results.Controls.Where(c => c.Origin != ControlOrigin.Shipped).Select(c => new ScopeNote(
                "control",
                $"{c.Id} is {(c.Origin == ControlOrigin.Local ? "a control of your own library" : "not the shipped control: modified")}, "
                + $"sha256 {c.Sha256.Hex[..16]}")),
            .. results.Controls.SelectMany(c => c.Parameters.Where(p => p.By is not null)
                .Select(p => new ScopeNote("parameter", $"{c.Id}: {p.Name} is {p.Value.GetRawText()}, set by {p.By}: {p.Why}"))),
            .. results.Controls.Where(c => c.NotApplicable is not null).Select(c => new ScopeNote(
                "not-applicable",
                $"not applicable: {c.Id}: {c.NotApplicable!.Reason} "
                + $"(approved by {c.NotApplicable.ApprovedBy} on {c.NotApplicable.ApprovedOn:yyyy-MM-dd})")),
            .. results.Controls.Where(c => c.RefusedDecision is not null)
                .Select(c => new ScopeNote("not-applicable", $"{c.Id}: {Wording.Refused(c.RefusedDecision!)}")),
            .. results.NotTested.Select(n => new ScopeNote("not-tested", $"not tested: {n.Id}: {n.Reason}")),
            .. Attached([.. run.Inputs.Where(i => i.Tested == false)]),
            .. Resumed(run.Concluded?.BundleId ?? run.BundleId, run.Resumed),
            .. PeopleNotes.Of(run.Concluded, results).Select(n => new ScopeNote("person", n)),
            .. run.UnusualEndpoints.Select(e => new ScopeNote(
                "endpoint",
                $"endpoint that is not the provider's own: {e}"
                + $"{(e.StartsWith("http:", StringComparison.OrdinalIgnoreCase) ? " (not encrypted)" : "")}")),
            .. run.SecretsAllowed.Where(f => !f.StartsWith(BundleLayout.ReportsFolder, StringComparison.Ordinal))
                .Select(f => new ScopeNote("credential", $"sealed although it holds what looks like a credential: {f}")),
            .. Wording.Unused([.. run.UnusedRecordings.Select(u => (u.File, u.Count))]).Select(u => new ScopeNote("recording", u)),
        ];
    }

    private static IEnumerable<ScopeNote> Resumed(string bundleId, RunResumed? resumed) => resumed is null
        ? []
        :
        [
            new("resumed", resumed.BundleId == bundleId
                ? $"the run was interrupted; gone on with at {RunRecord.Second(resumed.At)} by {resumed.User} on {resumed.Machine}, "
                    + "with what had been read completely before"
                : $"collected by a run that could not be sealed ({resumed.BundleId}); "
                    + $"evaluated and sealed at {RunRecord.Second(resumed.At)} by {resumed.User} on {resumed.Machine}"),
        ];

    /// <summary>
    /// Returns notes about uncertain times and uncovered parts of the period. Results under older rules of evaluation do not have clock
    /// data.
    /// </summary>
    private static IEnumerable<ScopeNote> Times(MomentParameters moment)
    {
        if (moment.ClockLimitSeconds is { } limit && moment.ReadFrom is not null)
        {
            if (moment.ClockOffsetSeconds is not { } offset)
                yield return new("clock", ClockWords.NotCompared);
            else if (Math.Abs(offset) > limit)
            {
                yield return new(
                    "clock", $"{ClockWords.Difference(TimeSpan.FromSeconds(offset))}; the limit is {ClockWords.Duration(TimeSpan.FromSeconds(limit))}");
            }
        }
        var limited = TimeSpan.FromSeconds(moment.ClockLimitSeconds ?? 0);
        var age = moment.AnswerAgeSeconds is { } seconds && TimeSpan.FromSeconds(seconds) > limited
            ? TimeSpan.FromSeconds(seconds)
            : (TimeSpan?)null;
        if (age is not null || moment.StaleAnswers > 0)
            yield return new("clock", ClockWords.Old(age, moment.StaleAnswers ?? 0, limited));
        if (moment.PeriodEnd > moment.AsOf)
        {
            yield return new(
                "period",
                $"the period ends at {Rfc3339.Format(moment.PeriodEnd)}, after {Rfc3339.Format(moment.AsOf)}, the time as of which states are tested");
        }
        if (moment.ReadFrom < moment.PeriodEnd)
        {
            yield return new(
                "period",
                $"the period ends at {Rfc3339.Format(moment.PeriodEnd)}, "
                + $"and its evidence was read from {Rfc3339.Format(moment.ReadFrom.Value)} on, before it was over");
        }
        if (moment.ReadUntil is { } until && moment.AsOf > until.AddSeconds(moment.ClockLimitSeconds ?? 0))
        {
            yield return new(
                "as-of",
                $"as_of is {Rfc3339.Format(moment.AsOf)}, but the last evidence was read at {Rfc3339.Format(until)}, so as_of was in the future");
        }
    }

    private static string NotEntered(RunTarget target, IEnumerable<RunTarget> read) =>
        target.Account is { } account ? $"could not connect to account {account} of target {target.Name}: {target.Failure!.Code}"
        // Some accounts of the target were read, so the failure's own message says which part is missing.
        : read.Any(r => r.Name == target.Name) ? $"target {target.Name}: {target.Failure!.Message}"
        : $"could not connect to target {target.Name}: {target.Failure!.Code}";

    /// <summary>Returns one note for all inputs that no control reads, because a run may have many of them.</summary>
    private static IEnumerable<ScopeNote> Attached(ImmutableArray<RunInput> inputs)
    {
        if (inputs.IsEmpty)
            return [];
        var names = string.Join(", ", inputs.Select(i => $"{i.Name} (sha256 {i.Sha256?[..16]})"));
        return [new("input", $"attached, not tested: no control of this run reads {names}", Narrows: false)];
    }

    private static ScopeNote Target(RunTarget target, string text) =>
        new("target", target.IsNarrowed ? $"{text} (narrowed by the engagement)" : text, Narrows: target.IsNarrowed);

    /// <summary>Returns the regions, unless the only one is the provider's global pseudo-region.</summary>
    private static string In(RunTarget target) =>
        target.Regions is { IsEmpty: false } regions && !regions.All(r => r.EndsWith("-global", StringComparison.Ordinal))
            ? $" in {string.Join(", ", regions)}"
            : "";
}
