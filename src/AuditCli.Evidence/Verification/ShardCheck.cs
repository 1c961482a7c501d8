using System.Collections.Immutable;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Verification;

/// <summary>
/// Verifies the bundles of which a bundle is made, one after another, so that memory holds one at a time. Each must be whole by itself, the
/// one that <c>data/shards.jsonl</c> names, and made of the same engagement and controls.
/// </summary>
/// <param name="tree">The files that are in the bundle around them.</param>
/// <param name="manifest">Its manifest.</param>
/// <param name="elsewhere">The files that <c>fetch.txt</c> names. They are never fetched.</param>
/// <param name="depth">The number of bundles around this one.</param>
internal sealed class ShardCheck(
    BundleFiles files, BundleTree tree, ImmutableArray<ManifestEntry> manifest, ImmutableDictionary<string, (string Url, long Length)> elsewhere,
    VerifyOptions options, int depth, VerifyFindings found)
{
    /// <summary>
    /// How deep bundles may lie in bundles: the shards of the bundle that a person's answers concluded. Without a limit a small archive
    /// could hold work without an end.
    /// </summary>
    public const int MostDepth = 2;

    private const string Question = VerifyQuestion.Shards;
    private readonly Dictionary<string, Digest> _inputs = new(StringComparer.Ordinal);
    private readonly ImmutableDictionary<string, Digest> _digests = manifest.ToImmutableDictionary(e => e.Path, e => e.Digest, StringComparer.Ordinal);

    /// <summary>Verifies the shards.</summary>
    /// <returns>How many are here; null for a bundle without shards.</returns>
    public ShardCount? Run(CancellationToken cancellationToken)
    {
        var archives = manifest.Select(e => e.Path).Where(p => p.StartsWith(BundleLayout.ShardsFolder, StringComparison.Ordinal)).ToArray();
        if (!_digests.ContainsKey(BundleLayout.Shards))
        {
            foreach (var path in archives)
                found.Fail(Question, VerifyCode.ShardUnlisted, path, $"is a shard, but the bundle has no {BundleLayout.Shards}");
            return archives.Length == 0 ? null : new(0, 0);
        }
        if (depth >= MostDepth)
        {
            found.Fail(
                Question, VerifyCode.LimitExceeded, BundleLayout.Shards, $"is {MostDepth} bundles deep in another one, and a shard that deep has no shards");
            return new(0, 0);
        }
        if (Listed() is not { } shards)
            return new(0, 0);
        foreach (var path in archives.Except(shards.Select(s => s.Archive)))
            found.Fail(Question, VerifyCode.ShardUnlisted, path, $"is not in {BundleLayout.Shards}");
        var away = shards.Count(s => IsElsewhere(s) is not null);
        if (away > 0)
            found.Undecided(Question, VerifyCode.ShardNotHere, BundleLayout.Shards, $"{shards.Length - away} of {shards.Length} shards are here");
        var here = 0;
        foreach (var shard in shards)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_digests.ContainsKey(shard.Archive))
                found.Fail(Question, VerifyCode.MissingFile, shard.Archive, $"is in {BundleLayout.Shards} but not in the manifest");
            else if (IsElsewhere(shard) is { } url)
                found.Undecided(Question, VerifyCode.ShardNotHere, shard.Archive, $"is not here; it was at {url}: put it there and verify again");
            else if (Check(shard, cancellationToken))
                here++;
        }
        return new(here, shards.Length);
    }

    private ImmutableArray<Shard>? Listed()
    {
        try
        {
            var content = found.Guarded<byte[]>(Question, BundleLayout.Shards, () => files.Read(BundleLayout.Shards, options.MaxManifestBytes));
            if (content is not null)
                return ShardList.Read(content);
            found.Fail(Question, VerifyCode.LimitExceeded, BundleLayout.Shards, "cannot be read, or is too large");
        }
        catch (InvalidDataException e)
        {
            found.Fail(Question, VerifyCode.JsonMalformed, BundleLayout.Shards, e.Message);
        }
        return null;
    }

    /// <summary>Returns the address of an archive that is not in the bundle; null if it is.</summary>
    private string? IsElsewhere(Shard shard) =>
        elsewhere.TryGetValue(shard.Archive, out var there) && !tree.Files.Contains(shard.Archive) ? there.Url : null;

    /// <summary>Verifies one shard; returns whether it is here.</summary>
    private bool Check(Shard shard, CancellationToken cancellationToken)
    {
        var (opened, problem) = BundleFiles.Try<(BundleArchive? Archive, IReadOnlyList<ManifestFault> Faults)?>(
            Question, shard.Archive, () => files.OpenArchive(shard.Archive, options.MaxEntries, cancellationToken));
        if (problem is not null)
            found.Add(problem);
        foreach (var fault in opened?.Faults ?? [])
            found.Fail(Question, fault.Code, In(shard, fault.Path), fault.Message);
        if (opened?.Archive is not { } archive)
            return false;
        using (archive)
        {
            if (archive.Length != shard.Bytes)
                found.Fail(Question, VerifyCode.ShardOther, shard.Archive, $"has {archive.Length} bytes, and {BundleLayout.Shards} says {shard.Bytes}");
            var own = options with { ExpectHead = null, Challenge = null, Previous = null, Locker = null };
            var (report, entries, signed) = BundleVerifier.VerifyShard(archive, own, depth + 1, cancellationToken);
            foreach (var inside in report.Problems)
                found.Add(inside with { Question = Question, Path = In(shard, inside.Path), Message = $"{inside.Question}: {inside.Message}" });
            if (report.ProblemCount > report.Problems.Length)
                found.Fail(Question, VerifyCode.LimitExceeded, shard.Archive, $"has {report.ProblemCount - report.Problems.Length} more problems");
            if (WhyOther(shard, archive.Name, report, signed) is { } other)
                found.Fail(Question, VerifyCode.ShardOther, shard.Archive, $"is not the bundle that {BundleLayout.Shards} names: {other}");
            foreach (var path in Foreign(entries))
                found.Fail(Question, VerifyCode.ShardForeign, In(shard, path), "is not the file of the bundle around it, so it answers another question");
        }
        return true;
    }

    private static string? WhyOther(Shard shard, string folder, VerifyReport report, AttestationFindings? signed) =>
        report.TagManifestSha256 != shard.TagManifest ? $"its tag manifest has the SHA-256 {report.TagManifestSha256?.Hex ?? "of nothing"}"
        : report.BundleId != shard.BundleId || folder != shard.BundleId ? $"it is {report.BundleId} in the folder {folder}"
        : signed?.Head != shard.Statement ? "it has another signed statement"
        : signed?.Statement?.SignerKey != shard.Signer ? "another key signed it"
        : null;

    /// <summary>
    /// Returns the questions of a shard that are not those of the bundle around it: its engagement and its controls; and the inputs that are
    /// not those of the first shard that has them.
    /// </summary>
    private IEnumerable<string> Foreign(ImmutableArray<ManifestEntry> shard) => shard
        .Where(e => e.Path.StartsWith(BundleLayout.InputsFolder, StringComparison.Ordinal)
            ? (_inputs.TryAdd(e.Path, e.Digest) ? e.Digest : _inputs[e.Path]) != e.Digest
            : IsQuestion(e.Path) && _digests.GetValueOrDefault(e.Path) != e.Digest)
        .Select(e => e.Path);

    private static bool IsQuestion(string path) => path == BundleLayout.Engagement || path.StartsWith(BundleLayout.ControlsFolder, StringComparison.Ordinal);

    private static string In(Shard shard, string path) => path == "." ? shard.Archive : $"{shard.Archive}/{path}";
}

/// <summary>How many of the shards of a bundle are in it.</summary>
internal readonly record struct ShardCount(int Here, int All);
