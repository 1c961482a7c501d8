using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Running;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Running;

/// <summary>Makes the record of a run from what was loaded and what happened.</summary>
internal static class RunRecording
{
    public static RunRecord Of(string bundleId, PreparedRun prepared, RunFacts facts)
    {
        var engagement = prepared.Engagement;
        return new()
        {
            Schema = RunRecord.CurrentSchema,
            BundleId = bundleId,
            Mode = facts.Mode,
            Evaluation = EvaluationRules.Current,
            Tool = RunTool.OfThisProgram,
            RunBy = new(facts.User, facts.Machine),
            Entity = engagement.Entity,
            Name = engagement.Name,
            Preparer = engagement.Preparer,
            Reviewer = engagement.Reviewer,
            EngagementSha256 = Digest.Of(engagement.Source.Span).Hex,
            Period = new(RunRecord.Day(engagement.Period.Start), RunRecord.Day(engagement.Period.End), engagement.Period.TimeZone),
            AsOf = Rfc3339.Format(facts.AsOf),
            Started = Rfc3339.Format(facts.Started),
            Finished = Rfc3339.Format(facts.Finished),
            Recorded = facts.Recorded is { } dates ? new(Rfc3339.Format(dates.First), Rfc3339.Format(dates.Last)) : null,
            Targets = [.. facts.Reached.Select(TargetOf)],
            UnusualEndpoints = facts.UnusualEndpoints,
            Inputs = [.. engagement.Inputs.Select(i => InputOf(i, facts.Inputs.FirstOrDefault(b => b.Name == i.Name)))],
            ClockOffsetSeconds = facts.ClockOffsets.ToImmutableSortedDictionary(
                o => o.Key, o => Math.Round(o.Value.TotalSeconds, 3), facts.ClockOffsets.KeyComparer),
            Limits = new(facts.Limits.AtOnce, facts.Limits.PerAccountAndRegion, facts.Limits.PerService, facts.Limits.Connections),
            SecretsAllowed = [.. facts.Leaks.Select(l => l.File)],
            UnusedRecordings = [.. facts.Unused.Select(u => new RunUnused(u.File, u.Count))],
            Sharded = facts.UnitsEach is { } each ? new(each) : null,
            Resumed = facts.Resumed is { } resumed
                ? new(resumed.BundleId, Rfc3339.Format(resumed.At), resumed.User, resumed.Machine)
                : null,
        };
    }

    private static RunInput InputOf(EngagementInput input, BundledInput? bundled) => new(
        input.Name,
        input.ObtainedFrom,
        RunRecord.Day(input.ObtainedOn),
        input.How,
        input.StatedRows,
        input.ReportParameters,
        bundled?.File,
        bundled?.Sha256.Hex,
        bundled?.IsRead)
    {
        OriginalSha256 = bundled?.Original?.Hex,
        Personal = bundled is { Personal: { IsEmpty: false } personal } ? [.. personal] : null,
    };

    private static RunTarget TargetOf(ReachedTarget target)
    {
        var entered = target.IsEntered ? target.Connection : null;
        return new()
        {
            Name = target.Target.Name,
            Source = target.Target.Source,
            Settings = target.Target.Settings,
            Account = target.Account.Length > 0 ? target.Account : null,
            Identity = entered is { Identity.Length: > 0 } ? entered.Identity : null,
            Place = entered is { Place.IsEmpty: false } ? entered.Place.ToImmutableSortedDictionary(StringComparer.Ordinal) : null,
            Regions = entered?.Regions,
            RegionsNotEnabled = entered?.NotEnabled,
            ReadThrough = target.ReadThrough,
            LeftOut = target.Connection?.LeftOut,
            Failure = target.Failure is { } failure ? new(failure.Code, failure.Message) : null,
            Exchanges = [.. target.Exchanges.Select(e => new RunExchange(e.File, e.RecordId, e.Status, Rfc3339.Format(e.Date)))],
        };
    }
}
