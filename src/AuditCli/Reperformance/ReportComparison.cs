using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Formats;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reperformance;

/// <summary>Checks a bundle's reports: each is made again from the rest of the bundle, and must have the same bytes.</summary>
/// <param name="Compared">The number of reports that could be compared: all but those in <paramref name="Notes"/>.</param>
/// <param name="Notes">
/// Why others could not: they are missing, or another version or runtime made them, so that a difference need not be an edit.
/// </param>
internal sealed record ReportComparison(int Compared, ImmutableArray<string> Notes)
{
    /// <summary>Compares the reports, and adds what differs to <paramref name="differences"/>.</summary>
    /// <param name="evaluation">The number of the rules of evaluation that the bundle was made under; other rules word reports differently.</param>
    /// <param name="work">A folder for the reports that are made again.</param>
    /// <exception cref="InvalidDataException">A file that reports are made from is not what it should be.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static ReportComparison Of(
        BundleFolder bundle, string work, ImmutableArray<EvidenceSource> sources, int evaluation,
        DifferenceList differences, CancellationToken cancellationToken)
    {
        if (bundle.Below(BundleLayout.ReportsFolder).IsEmpty)
            return new(0, ["the bundle has no reports"]);
        var opened = OpenedBundle.Open(bundle, bundle.Read(BundleLayout.Run));
        var workpaper = WorkpaperReader.Read(opened, sources);
        var made = workpaper.Run.Tool;
        var sameProgram = evaluation == EvaluationRules.Current && made.Version == Tool.Version
            && made.Runtime == System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription
            && made.System == System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier;
        var notes = ImmutableArray.CreateBuilder<string>();
        foreach (var format in ReportFormats.All)
        {
            var (before, after) = (BundleLayout.ReportsFolder + format.FileName, Path.Combine(work, format.FileName));
            if (!bundle.Has(before))
            {
                differences.Add(new(
                    BundleLayout.ReportsFolder + format.FileName, "report", null, "there", "this version creates it, but the bundle does not have it"));
                continue;
            }
            try
            {
                using var file = new FileStream(after, FileMode.Create, FileAccess.ReadWrite);
                format.Write(workpaper, file, cancellationToken);
            }
            catch (InvalidDataException e)
            {
                // A table that was changed is reported with the tables; the comparison continues.
                differences.Add(new(BundleLayout.ReportsFolder + format.FileName, "report", "there", null, $"it cannot be recreated: {e.Message}"));
                continue;
            }
            var (was, now) = (bundle.DigestOf(before).Hex, BundleFile.Hash(work, format.FileName).Hex);
            if (was == now)
                continue;
            // Another runtime may compress differently, and another version may use other wording.
            if (sameProgram)
            {
                differences.Add(new(
                    BundleLayout.ReportsFolder + format.FileName, "sha256", was, now,
                    "the report does not match the bundle: one of them was changed afterwards"));
            }
            else if (MadeHere(format, opened, work, sources, was, cancellationToken))
            {
                differences.Add(new(
                    BundleLayout.Run, "tool", $"{made.Name} {made.Version}, {made.Runtime}, {made.System}", JsonSerializer.Serialize(RunTool.OfThisProgram),
                    $"{before} is byte for byte what this program writes, but run.json names a different program"));
            }
            else
                notes.Add($"{format.FileName} differs when recreated: it was created by {made.Name} {made.Version} under {made.Runtime} on {made.System}");
        }
        return new(ReportFormats.All.Length - notes.Count, notes.ToImmutable());
    }

    /// <summary>Whether this program under this runtime makes the same report, although the record names another.</summary>
    private static bool MadeHere(
        IReportFormat format, OpenedBundle opened, string work, ImmutableArray<EvidenceSource> sources, string sha256, CancellationToken cancellationToken)
    {
        var name = $"here-{format.FileName}";
        using (var file = new FileStream(Path.Combine(work, name), FileMode.Create, FileAccess.ReadWrite))
            format.Write(WorkpaperReader.Read(opened.With(opened.Record with { Tool = RunTool.OfThisProgram }), sources), file, cancellationToken);
        return BundleFile.Hash(work, name).Hex == sha256;
    }
}
