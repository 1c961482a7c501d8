using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Concluding;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reperformance;

/// <summary>
/// Repeats the conclusion of a bundle that was sealed over a collected one: reads its sheets again, concludes with them, and compares the
/// results with those of the bundle.
/// </summary>
internal static class ConcludedComparison
{
    /// <summary>Compares, and adds what differs to the lists.</summary>
    /// <param name="outer">The concluded bundle.</param>
    /// <param name="shard">The collected bundle in it.</param>
    /// <exception cref="InvalidDataException">A file is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static void Of(
        BundleFolder outer, BundleFolder shard, ImmutableArray<EvidenceSource> sources, DifferenceList results, DifferenceList record)
    {
        var run = RunRecord.Read(outer.Read(BundleLayout.Run));
        if (run.Concluded is not { } concluded)
        {
            record.Add(new(BundleLayout.Run, "concluded", null, "there", "the bundle has a shard, but does not say that people's answers concluded it"));
            return;
        }
        var collected = OpenedBundle.Open(shard, shard.Read(BundleLayout.Run));
        var controls = collected.Results.Controls.Select(c => collected.ControlOf(c, sources)).OfType<Control>().ToImmutableArray();
        var reader = new SheetReader(collected, collected.Scope(sources).Engagement, controls, RunRecord.Instant(concluded.At, "at"));
        foreach (var sheet in concluded.Sheets)
        {
            if (outer.DigestOf(sheet.File).Hex is var found && found != sheet.Sha256)
                record.Add(new(sheet.File, "sha256", sheet.Sha256, found, "the sheet is not the one that run.json names"));
            reader.Read(new MemoryStream(outer.Read(sheet.File)), sheet.Name);
        }
        foreach (var fault in reader.Faults)
            record.Add(new("sheets", "line", "counted", null, fault));
        var again = ResultsJson.Write(ConcludedBundle.Conclude(collected.Results, controls, reader.Said));
        foreach (var difference in JsonDifference.Between(JsonElement.Parse(outer.Read(BundleLayout.Results)), JsonElement.Parse(again)))
        {
            results.Add(new(
                BundleLayout.Results, difference.Path, difference.Before, difference.After, "the sheets and the collected bundle do not conclude this"));
        }
        foreach (var path in collected.Results.Controls.Where(c => c.Partitions is not null).Select(c => BundleLayout.Partitions(c.Id)))
        {
            var (was, now) = (outer.Has(path) ? outer.DigestOf(path).Hex : null, shard.DigestOf(path).Hex);
            if (was != now)
                results.Add(new(path, "sha256", was, now, "the file is not that of the collected bundle"));
        }
        Compare(run, collected.Record, record);
    }

    /// <summary>Compares what the record repeats of the collected bundle.</summary>
    private static void Compare(RunRecord run, RunRecord collected, DifferenceList record)
    {
        foreach (var (what, was, now) in new[]
        {
            ("concluded", run.Concluded!.BundleId, collected.BundleId), ("mode", run.Mode, collected.Mode), ("entity", run.Entity, collected.Entity),
            ("name", run.Name, collected.Name), ("preparer", run.Preparer, collected.Preparer), ("reviewer", run.Reviewer, collected.Reviewer),
            ("engagement_sha256", run.EngagementSha256, collected.EngagementSha256), ("period", run.PeriodWords, collected.PeriodWords),
            ("as_of", run.AsOf, collected.AsOf), ("started", run.Started, collected.Started),
            // Bundles of earlier versions have the moment of the conclusion, as 'concluded' has.
            ("finished", run.Finished == run.Concluded!.At ? collected.Finished : run.Finished, collected.Finished),
            ("evaluation", $"{run.Rules}", $"{collected.Rules}"),
        })
        {
            if (was != now)
                record.Add(new(BundleLayout.Run, what, was, now, "the collected bundle says otherwise"));
        }
    }
}
