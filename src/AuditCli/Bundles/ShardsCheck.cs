using System.Collections.Immutable;
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
        else if (!shards.IsEmpty)
            return $"{BundleLayout.Shards} names shards, and {BundleLayout.Run} does not say why";
        return shards.Where(files.IsHere).Select(s => WhyNot(s, RunRecord.Read(files.OpenShard(s).Read(BundleLayout.Run)))).FirstOrDefault(w => w is not null);
    }

    private static string? WhyNot(Shard shard, RunRecord record) =>
        !UnitsOf(record).SequenceEqual(shard.Units) ? $"{BundleLayout.Shards} says that {shard.BundleId} read other accounts than its record says"
        : RunRecord.Instant(record.Started, "started") != shard.Started || RunRecord.Instant(record.Finished, "finished") != shard.Finished
            ? $"{BundleLayout.Shards} gives other times of {shard.BundleId} than its record"
        : null;
}
