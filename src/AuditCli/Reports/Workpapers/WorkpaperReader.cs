using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reports.Workpapers;

/// <summary>Makes a workpaper of a bundle.</summary>
internal static class WorkpaperReader
{
    /// <summary>Reads a bundle, sealed or about to be sealed.</summary>
    /// <param name="sources">The evidence sources that controls can use, for loading their files.</param>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file of the bundle cannot be read.</exception>
    public static Workpaper Read(OpenedBundle bundle, ImmutableArray<EvidenceSource> sources)
    {
        var run = bundle.Record;
        var library = bundle.Library(sources);
        var controls = bundle.Results.Controls.Select(r => (Result: r, Definition: bundle.ControlOf(r, sources)))
            .Select(c => new WorkpaperControl(
                bundle, c.Result, c.Definition, c.Definition is null ? WhyNot(library, c.Result) : null, [.. bundle.EvidenceOf(c.Result.Id)]));
        var (engagement, _) = EngagementLoader.OfBundle(
            bundle.Files.Read(BundleLayout.Engagement), bundle.Files.Has, sources, [.. library.Controls.Select(c => c.Control)]);
        return new(bundle, run, [.. controls], ScopeNotes.Of(run, bundle.Results)) { Engagement = engagement };
    }

    private static string WhyNot(ControlLibrary library, ControlResult result) =>
        library.Controls.Any(c => c.Control.Id == result.Id) ? "the control's file in the bundle is not the one that was evaluated"
        : library.Faults.FirstOrDefault(f =>
            string.Equals(Path.GetFileNameWithoutExtension(f.File), result.Id, StringComparison.OrdinalIgnoreCase)) is { } fault
            ? $"the control's file cannot be read: {fault.Message} (line {fault.Line})"
            : "the bundle does not contain the control's file";
}
