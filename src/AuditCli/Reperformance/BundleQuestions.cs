using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Planning;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Libraries;
using AuditCli.Running;

namespace AuditCli.Reperformance;

/// <summary>The engagement, controls and plan of a bundle, ready to run again on the bundle's own exchanges.</summary>
/// <param name="Record">The record of the run that made the bundle.</param>
/// <param name="Index">The bundle's evidence items.</param>
/// <param name="LibraryFaults">Faults of controls in the bundle that cannot be loaded and so are not evaluated.</param>
internal sealed record BundleQuestions(
    PreparedRun Prepared, RunRecord Record, ImmutableArray<EvidenceItem> Index, ImmutableArray<Diagnostic> LibraryFaults)
{
    private const string CopyName = "sealed";

    /// <summary>The as-of time that the engagement states; null if it follows from the run.</summary>
    public DateTimeOffset? StatedAsOf { get; init; }

    /// <summary>The mode that follows from the engagement: it says whether recorded exchanges were replayed.</summary>
    public string StatedMode => Prepared.Engagement.StatesReplay ? RunRecord.Replay : RunRecord.Live;

    /// <summary>
    /// Loads a bundle's engagement, its inputs, and its own controls or those of a folder. Reads nothing outside the bundle and that
    /// folder. Files of the bundle are copied first and compared with the manifest, so that a later change cannot affect the run.
    /// </summary>
    /// <param name="bundle">A bundle in which verification found only regular files.</param>
    /// <param name="otherControls">A folder as given on the command line; null for the bundle's own controls.</param>
    /// <param name="work">An empty folder.</param>
    /// <returns>On failure null and the faults of the engagement, of the other controls, or of both together.</returns>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file of the bundle cannot be read.</exception>
    public static async Task<(BundleQuestions? Questions, ImmutableArray<Diagnostic> Faults)> LoadAsync(
        BundleFolder bundle, string? otherControls, string work, AuditHost host, EvaluationProcess evaluation, CancellationToken cancellationToken)
    {
        var record = RunRecord.Read(bundle.Read(BundleLayout.Run));
        ImmutableArray<EvidenceItem> index = [.. OpenedBundle.ItemsOf(bundle)];
        var library = otherControls is null
            ? ControlLibrary.OfBundle(
                bundle.Below(BundleLayout.ControlsFolder).Select(p => new LibraryFile(p[BundleLayout.ControlsFolder.Length..], bundle.Read(p), p)),
                host.Sources,
                ShippedLibrary.Digests(ShippedLibrary.Files()))
            : ChosenLibrary.Load(otherControls, host);
        if (otherControls is not null && !library.Faults.IsEmpty)
            return (null, library.Faults);

        var copy = Path.Combine(work, CopyName);
        // A run without any response has no such folder.
        var recorded = Directory.CreateDirectory(Path.Combine(copy, BundleLayout.ExchangesFolder)).FullName;
        foreach (var path in new[] { BundleLayout.Engagement }.Where(bundle.Has)
            .Concat(bundle.Below(BundleLayout.InputsFolder)).Concat(bundle.Below(BundleLayout.ExchangesFolder)))
            await CopyAsync(bundle, path, copy, cancellationToken);
        var (engagement, faults) = EngagementLoader.OfBundle(copy, recorded, host.Sources, [.. library.Controls.Select(c => c.Control)]);
        if (engagement is null)
            return (null, faults);
        var statedAsOf = engagement.AsOf;
        engagement = engagement with { AsOf = record.Moment, Include = otherControls is null ? [] : engagement.Include };
        var targets = record.TargetNames.Where(t => engagement.Targets.Any(e => e.Name == t)).ToImmutableArray();
        var plan = Planner.Plan(engagement, BundleLayout.Engagement, library.Controls, host.Sources, new([], targets), record.Moment);
        faults = plan.Faults;
        if (otherControls is not null)
        {
            var running = plan.Controls.Select(c => c.Control.Id).ToImmutableHashSet(StringComparer.Ordinal);
            foreach (var control in library.Controls.Where(c => running.Contains(c.Control.Id)))
                faults = [.. faults, .. await ChosenLibrary.CheckSqlAsync(control, evaluation, forAuthors: false, cancellationToken)];
        }
        if (!faults.IsEmpty)
            return (null, faults);
        var prepared = new PreparedRun(engagement, plan, RedactionKey: null) { Unrecorded = UnrecordedEvidence.Of(index) };
        return (new(prepared, record, index, library.Faults) { StatedAsOf = statedAsOf }, []);
    }

    /// <summary>Returns the folder of the temporary copy of the engagement, from which its relative paths are resolved.</summary>
    public static string EngagementFolder(string work) => Path.GetDirectoryName(Path.Combine(work, CopyName, BundleLayout.Engagement))!;

    /// <summary>Replaces the paths of the temporary copies in a message by paths within the bundle.</summary>
    public static string OfTheBundle(string message, string work) =>
        message.Replace(Path.Combine(work, CopyName) + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);

    /// <summary>
    /// Copies a file. Exchanges of one target are in several shards under the same name: as files of WARC members they can be put together.
    /// </summary>
    private static async Task CopyAsync(BundleFolder bundle, string path, string folder, CancellationToken cancellationToken)
    {
        var target = Path.Combine(folder, ShardPath.Inside(path));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        await using var from = bundle.Open(path, cancellationToken);
        await using var to = new FileStream(target, FileMode.Append, FileAccess.Write);
        await from.CopyToAsync(to, cancellationToken);
    }
}
