using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// What a bundle's engagement, controls and index of evidence say was to be concluded: the controls in scope, the moment, and the partitions of
/// each control. It is made by the same functions as a run, and sends nothing.
/// </summary>
/// <param name="Engagement">The engagement of the bundle.</param>
/// <param name="Moment">The moment and the period of every test.</param>
/// <param name="Evidence">The evidence by the index; tables are not read.</param>
internal sealed record SealedScope(
    Engagement Engagement, AuditMoment Moment, CollectedEvidence Evidence, ImmutableArray<ControlInScope> Controls, ImmutableArray<ControlLeftOut> LeftOut)
{
    /// <summary>The targets that the controls of the bundle read, and that the run did not enter: <c>--target</c> left them out.</summary>
    public required ImmutableArray<string> TargetsLeftOut { get; init; }

    /// <summary>Reads the scope, and compares the record of the run with the engagement.</summary>
    /// <exception cref="InvalidDataException">The engagement is not the one that was run, or cannot be read; the message says why.</exception>
    public static SealedScope Of(OpenedBundle bundle, ImmutableArray<EvidenceSource> sources)
    {
        var record = bundle.Record;
        if (bundle.Files.DigestOf(BundleLayout.Engagement) is var digest && digest.Hex != record.EngagementSha256)
        {
            throw new InvalidDataException(
                $"{BundleLayout.Engagement} is not the file that was run: its sha256 is {digest.Hex[..16]}, and run.json says "
                + PrintableText.Of(record.EngagementSha256[..Math.Min(16, record.EngagementSha256.Length)]));
        }
        // Take only the controls whose file is the one that concluded; about the others readers say that it is not.
        var concluded = bundle.Results.Controls.ToLookup(c => c.Id, c => c.Sha256, StringComparer.Ordinal);
        ImmutableArray<LoadedControl> library =
            [.. bundle.Library(sources).Controls.Where(c => !concluded.Contains(c.Control.Id) || concluded[c.Control.Id].Contains(c.Control.Sha256))];
        var (engagement, faults) = EngagementLoader.OfBundle(
            bundle.Files.Read(BundleLayout.Engagement), bundle.Files.Has, sources, [.. library.Select(c => c.Control)]);
        if (engagement is null)
            throw new InvalidDataException($"the engagement cannot be read by this version: {faults[0]}");
        if (WhyOther(record, engagement) is { } other)
            throw new InvalidDataException($"run.json does not agree with {BundleLayout.Engagement}: {other}");
        // The folder of controls holds those that were run, whichever the engagement or the command line selected.
        var stated = engagement;
        engagement = engagement with { AsOf = record.Moment, Include = [] };
        var targets = record.TargetNames.Where(t => engagement.Targets.Any(e => e.Name == t)).ToImmutableArray();
        var plan = Planner.Plan(engagement, BundleLayout.Engagement, library, sources, new([], targets), record.Moment);
        var excluded = record.Targets.Where(t => t is { ReadThrough: null, LeftOut: not null, Account: { } account } && t.Excluded.Contains(account))
            .Select(t => LeftOutPlace.Excluded(t.Source, t.Name, t.Account!)).ToImmutableArray();
        var asked = Planner.Plan(engagement, BundleLayout.Engagement, library, sources, new([], []), record.Moment).Plan.TargetsOf(engagement.Targets);
        return new(
            stated with { AsOf = record.Moment },
            new(record.Moment, engagement.Period.StartsAt, engagement.Period.EndsBefore, engagement.AsOfTolerance) { TimeZone = engagement.Period.TimeZone },
            new CollectedEvidence("", bundle.Index),
            [.. plan.Controls.Select(c => record.IsCurrent ? c with { LeftOut = [.. c.LeftOut, .. excluded] } : c with { LeftOut = [] })],
            plan.NotApplicable)
        {
            TargetsLeftOut = [.. asked.Select(t => t.Name).Except(targets)],
        };
    }

    /// <summary>Returns the first statement of the record that is not the engagement's; null if there is none.</summary>
    private static string? WhyOther(RunRecord record, Engagement engagement)
    {
        (string Name, string Record, string Engagement)[] stated =
        [
            ("entity", record.Entity, engagement.Entity),
            ("name", record.Name, engagement.Name),
            ("preparer", record.Preparer, engagement.Preparer),
            ("reviewer", record.Reviewer, engagement.Reviewer),
            ("period start", record.Period.Start, RunRecord.Day(engagement.Period.Start)),
            ("period end", record.Period.End, RunRecord.Day(engagement.Period.End)),
            ("time zone", record.Period.TimeZone, engagement.Period.TimeZone),
            ("as_of", record.AsOf, engagement.AsOf is { } moment ? Rfc3339.Format(moment) : record.AsOf),
        ];
        return stated.FirstOrDefault(s => s.Record != s.Engagement) is { Name: { } name } wrong
            ? $"its {name} is {PrintableText.Of(wrong.Record)}, and the engagement says {PrintableText.Of(wrong.Engagement)}"
            : null;
    }
}
