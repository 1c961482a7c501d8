using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reperformance;

/// <summary>What a bundle was asked, ready to be asked again of its own exchanges.</summary>
/// <param name="Record">Of the run that made the bundle.</param>
/// <param name="Index">The bundle's evidence items.</param>
/// <param name="LibraryFaults">Of controls in the bundle that cannot be loaded, and so are not evaluated.</param>
internal sealed record BundleQuestions(
    PreparedRun Prepared, RecordedRun Record, ImmutableArray<EvidenceItem> Index, ImmutableArray<Diagnostic> LibraryFaults)
{
    private const string Exchanges = "data/exchanges";

    /// <summary>
    /// Loads a bundle's engagement, its inputs, and its own controls or those of a folder. Nothing outside the bundle and that folder is
    /// looked at.
    /// </summary>
    /// <param name="bundle">Full path of a folder that verification found to hold nothing but regular files.</param>
    /// <param name="otherControls">As given on the command line; null for the bundle's own.</param>
    /// <param name="work">An empty folder.</param>
    /// <returns>Null with the faults of the engagement, of the other controls, or of both together.</returns>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file of the bundle cannot be read.</exception>
    public static async Task<(BundleQuestions? Questions, ImmutableArray<Diagnostic> Faults)> LoadAsync(
        string bundle, string? otherControls, string work, AuditHost host, EvaluationProcess evaluation, CancellationToken cancellationToken)
    {
        var record = RunRecord.Read(BundleFile.Read(bundle, BundlePaths.Run));
        var index = EvidenceIndex.Read(bundle);
        var library = otherControls is null
            ? ControlLibrary.OfBundle(Path.Combine(bundle, "data", "controls"), host.Sources, ShippedLibrary.Digests(ShippedLibrary.Files()))
            : Libraries.Load(otherControls, host);
        if (otherControls is not null && !library.Faults.IsEmpty)
            return (null, library.Faults);

        var recorded = Path.Combine(bundle, Exchanges);
        // A run that got no answer at all has no such folder.
        if (!Directory.Exists(recorded))
            recorded = Directory.CreateDirectory(Path.Combine(work, "none")).FullName;
        var (engagement, faults) = EngagementLoader.OfBundle(bundle, recorded, host.Sources, [.. library.Controls.Select(c => c.Control)]);
        if (engagement is null)
            return (null, faults);
        engagement = engagement with { AsOf = record.AsOf, Include = otherControls is null ? [] : engagement.Include };
        var targets = record.Targets.Where(t => engagement.Targets.Any(e => e.Name == t)).ToImmutableArray();
        var plan = Planner.Plan(engagement, Path.Combine(bundle, "data", "engagement.yaml"), library.Controls, host.Sources, new([], targets), record.AsOf);
        faults = plan.Faults;
        if (otherControls is not null)
        {
            var running = plan.Controls.Select(c => c.Control.Id).ToImmutableHashSet(StringComparer.Ordinal);
            foreach (var control in library.Controls.Where(c => running.Contains(c.Control.Id)))
                faults = [.. faults, .. await Libraries.CheckSqlAsync(control, evaluation, forAuthors: false, cancellationToken)];
        }
        return faults.IsEmpty
            ? (new(new(engagement, plan, RedactionKey: null) { Unrecorded = UnrecordedEvidence.Of(index) }, record, index, library.Faults), [])
            : (null, faults);
    }
}
