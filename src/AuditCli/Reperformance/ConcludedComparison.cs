using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Formats;

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
        if (PeopleCheck.WhyOtherSheets(outer, concluded) is { } other)
            record.Add(new("sheets", "sheet", "that of the record", null, other));
        var (said, faults) = PeopleCheck.Again(collected, outer, concluded, sources);
        foreach (var fault in faults)
            record.Add(new("sheets", "line", "counted", null, fault));
        var again = ResultsJson.Write(said);
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
        foreach (var path in Unexplained(outer, run, collected))
            record.Add(new(path, "file", "there", null, "nothing in the bundle explains it: a conclusion does not create it"));
        if (ShardsCheck.WhyNot(outer, run) is { } foreign)
            record.Add(new(BundleLayout.Shards, "shards", "the collected bundle", null, foreign));
        Compare(run, collected.Record, record);
    }

    /// <summary>Returns the bundle's own files that concluding does not create.</summary>
    private static IEnumerable<string> Unexplained(BundleFolder outer, RunRecord run, OpenedBundle collected)
    {
        string[] own =
        [
            BundleLayout.Run, BundleLayout.Engagement, BundleLayout.EvidenceIndex, BundleLayout.Log, BundleLayout.Results, BundleLayout.Shards,
            .. outer.Shards.Select(s => s.Archive), .. run.Concluded!.Sheets.Select(s => s.File),
            .. ReportFormats.All.Select(f => BundleLayout.ReportsFolder + f.FileName),
            .. collected.Files.Below(BundleLayout.ControlsFolder),
            .. collected.Results.Controls.Where(c => c.Partitions is not null).Select(c => BundleLayout.Partitions(c.Id)),
        ];
        return outer.Below($"{BundleLayout.Payload}/").Where(p => ShardPath.Split(p) is null).Except(own, StringComparer.Ordinal);
    }

    /// <summary>Compares what the record repeats of the collected bundle.</summary>
    private static void Compare(RunRecord run, RunRecord collected, DifferenceList record)
    {
        (string, string, string)[] own =
        [
            ("concluded", run.Concluded!.BundleId, collected.BundleId), ("started", run.Started, collected.Started),
            // Bundles of earlier versions have the moment of the conclusion, as 'concluded' has.
            ("finished", run.Finished == run.Concluded!.At ? collected.Finished : run.Finished, collected.Finished),
        ];
        foreach (var (what, was, now) in own.Concat(run.Repeated.Zip(collected.Repeated, (r, c) => (r.Member, r.Value, c.Value))))
        {
            if (was != now)
                record.Add(new(BundleLayout.Run, what, was, now, "the collected bundle says otherwise"));
        }
    }
}
