using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>Checks that the list of shards says of each what the shard's own record says, and that the bundle's record says why it has them.</summary>
internal static class ShardsCheck
{
    /// <summary>Returns what a run read, in the order in which a list of shards has it.</summary>
    public static ImmutableArray<ShardUnit> UnitsOf(RunRecord record) =>
    [
        .. record.Targets.Where(t => t.IsRead).Select(t => new ShardUnit(t.Name, t.Account!)).Distinct()
            .OrderBy(u => u.Target, StringComparer.Ordinal).ThenBy(u => u.Account, StringComparer.Ordinal),
    ];

    /// <summary>Returns what a list of shards says of one.</summary>
    /// <param name="files">The shard, sealed.</param>
    /// <param name="record">Its record.</param>
    /// <param name="bytes">The size of its archive.</param>
    public static Shard Describe(BundleFolder files, RunRecord record, long bytes) => new(
        record.BundleId, files.TagManifestSha256!.Value, files.Signature?.Sha256, files.Signature?.SignerKey, UnitsOf(record),
        RunRecord.Instant(record.Started, "started"), RunRecord.Instant(record.Finished, "finished"), bytes);

    /// <summary>Returns the first contradiction; null if there is none.</summary>
    /// <exception cref="InvalidDataException">A shard or its record is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A shard cannot be read.</exception>
    public static string? WhyNot(BundleFolder files, RunRecord record)
    {
        var shards = files.Shards;
        if (record.Concluded is { } concluded)
        {
            if (shards is not [var only])
                return $"{BundleLayout.Run} says that people's answers concluded one bundle, and {BundleLayout.Shards} names {shards.Length}";
            if (only.BundleId != concluded.BundleId || only.TagManifest.Hex != concluded.TagmanifestSha256)
                return $"{BundleLayout.Run} says that {PrintableText.Of(concluded.BundleId)} was concluded, and {BundleLayout.Shards} names {only.BundleId}";
        }
        else if (record.Sharded is { } sharded)
        {
            if (WhyNotCovered(shards, record, sharded) is { } uncovered)
                return uncovered;
        }
        else if (!shards.IsEmpty)
            return $"{BundleLayout.Shards} names shards, and {BundleLayout.Run} does not say why";
        return shards.Where(files.IsHere).Select(s => WhyNot(s, files.OpenShard(s), record)).FirstOrDefault(w => w is not null);
    }

    /// <summary>Compares the accounts of all shards with those that the run entered: each must be in one, and none may be too many.</summary>
    private static string? WhyNotCovered(ImmutableArray<Shard> shards, RunRecord record, RunSharded sharded)
    {
        var (entered, read) = (UnitsOf(record), shards.SelectMany(s => s.Units).ToHashSet());
        return shards.IsEmpty ? $"{BundleLayout.Run} says that the evidence is in shards, and there is no {BundleLayout.Shards}"
            : entered.FirstOrDefault(u => !read.Contains(u)) is { } missing
                ? $"{BundleLayout.Run} says that {Words(missing)} was read, and no shard of {BundleLayout.Shards} has it"
            : read.FirstOrDefault(u => !entered.Contains(u)) is { } foreign
                ? $"{BundleLayout.Shards} has {Words(foreign)}, which {BundleLayout.Run} does not say was read"
            : shards.FirstOrDefault(s => s.Units.Length > sharded.UnitsEach) is { } large
                ? $"{large.BundleId} has {large.Units.Length} accounts, and {BundleLayout.Run} says at most {sharded.UnitsEach}"
            : null;
    }

    private static string? WhyNot(Shard shard, BundleFolder files, RunRecord around)
    {
        var record = RunRecord.Read(files.Read(BundleLayout.Run));
        return !UnitsOf(record).SequenceEqual(shard.Units) ? $"{BundleLayout.Shards} says that {shard.BundleId} read other accounts than its record says"
            : RunRecord.Instant(record.Started, "started") != shard.Started || RunRecord.Instant(record.Finished, "finished") != shard.Finished
                ? $"{BundleLayout.Shards} gives other times of {shard.BundleId} than its record"
            : around.Sharded is null || around.Concluded is not null ? WhyNot(files, record)
            : WhyNotPart(shard, files, record, around);
    }

    /// <summary>Compares a shard of a run with the record of the run, of which it repeats everything but its accounts and times.</summary>
    private static string? WhyNotPart(Shard shard, BundleFolder files, RunRecord record, RunRecord run)
    {
        if (record.Sharded is not null || record.Concluded is not null || !files.Shards.IsEmpty)
            return $"{shard.BundleId} is a part of a run, and is itself made of shards";
        foreach (var (what, own, whole) in record.Repeated.Zip(run.Repeated, (s, r) => (s.Member, s.Value, r.Value))
            .Append(("tool", record.Tool.Version, run.Tool.Version)))
        {
            if (own != whole)
                return $"{shard.BundleId} has the {what} {PrintableText.Of(own)}, and the run around it has {PrintableText.Of(whole)}";
        }
        foreach (var target in record.Targets)
        {
            var entered = run.Targets.FirstOrDefault(t => t.Name == target.Name && t.Account == target.Account);
            if (entered is null || JsonDifference.Between(Json(target), Json(entered)).FirstOrDefault() is not null)
                return $"{shard.BundleId} says other things of account {target.Account} of target {target.Name} than the run around it";
        }
        using var index = files.Open(BundleLayout.EvidenceIndex);
        var units = shard.Units.ToHashSet();
        return EvidenceIndex.Items(index, BundleLayout.EvidenceIndex).FirstOrDefault(i => !units.Contains(new(i.Target, i.Account))) is { } item
            ? $"{shard.BundleId} has evidence of {Words(new(item.Target, item.Account))}, which is not one of its accounts"
            : null;
    }

    /// <summary>
    /// Returns a target as JSON, without the exchanges with which it was entered, which are the run's, and without what another process of a
    /// resumed run may have found: its identity and the regions.
    /// </summary>
    private static JsonElement Json(RunTarget target) => JsonSerializer.SerializeToElement(
        target with { Exchanges = null, Identity = null, Regions = null, RegionsNotEnabled = null });

    private static string Words(ShardUnit unit) => $"account {PrintableText.Of(unit.Account)} of target {PrintableText.Of(unit.Target)}";
}
