using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reports.Workpapers;

/// <summary>Makes a workpaper of a bundle's folder.</summary>
internal static class WorkpaperReader
{
    private const string ResultsFile = "data/results/results.json";

    /// <summary>Of a sealed bundle.</summary>
    /// <param name="bundle">Full path of a folder that verification found to hold nothing but regular files.</param>
    /// <inheritdoc cref="Read(string, RunDocument, ImmutableArray{EvidenceSource})" path="/exception"/>
    public static Workpaper Read(string bundle, ImmutableArray<EvidenceSource> sources) =>
        Read(bundle, RunDocument.Read(BundleFile.Read(bundle, BundlePaths.Run)), sources);

    /// <summary>Of a bundle about to be sealed, whose record of the run is written last.</summary>
    /// <param name="sources">What controls may ask, to read their files.</param>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file of the bundle cannot be read.</exception>
    public static Workpaper Read(string bundle, RunDocument run, ImmutableArray<EvidenceSource> sources)
    {
        var content = BundleFile.Read(bundle, ResultsFile);
        var results = Results(content);
        var index = BundleFile.Hash(bundle, BundlePaths.EvidenceIndex);
        var evidence = EvidenceIndex.Read(bundle);
        var library = ControlLibrary.OfBundle(Path.Combine(bundle, "data", "controls"), sources, ImmutableDictionary<string, Digest>.Empty);
        var named = evidence.SelectMany(i => i.Names.Select(n => (n.Control, n.Name, Item: i))).ToLookup(n => n.Control, n => (n.Name, n.Item), StringComparer.Ordinal);
        var controls = results.Controls.Select(r => new WorkpaperControl(
            r, Definition(library, r), Definition(library, r) is null ? WhyNot(library, r) : null, [.. named[r.Id].OrderBy(n => n.Name, StringComparer.Ordinal)]));
        return new(bundle, run, results, [.. controls], evidence, ScopeNotes.Of(run, results), Digest.Of(content), index);
    }

    /// <summary>The control's file, if it is the one that concluded.</summary>
    private static Control? Definition(ControlLibrary library, ControlResult result) =>
        library.Controls.FirstOrDefault(c => c.Control.Id == result.Id && c.Control.Sha256 == result.Sha256)?.Control;

    private static string WhyNot(ControlLibrary library, ControlResult result) =>
        library.Controls.Any(c => c.Control.Id == result.Id) ? "the control's file in the bundle is not the one that concluded"
        : library.Faults.FirstOrDefault(f => string.Equals(Path.GetFileNameWithoutExtension(f.File), result.Id, StringComparison.OrdinalIgnoreCase)) is { } fault
            ? $"the control's file cannot be read: {fault.Message} (line {fault.Line})"
            : "the bundle does not hold the control's file";

    private static EvaluationResults Results(ReadOnlySpan<byte> content)
    {
        try
        {
            return ResultsJson.Read(content);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{ResultsFile} cannot be read: {e.Message}", e);
        }
    }
}
