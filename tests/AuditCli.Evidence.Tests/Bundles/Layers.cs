using System.Collections.Immutable;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Attestation;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>Makes bundles over bundles.</summary>
internal static class Layers
{
    public static readonly DateTimeOffset Started = new(2026, 11, 20, 10, 0, 0, TimeSpan.Zero);

    /// <summary>Archives a bundle with its folder as the program does, but as it is: it may have been tampered with.</summary>
    public static string Archive(string bundle, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        var info = Path.Combine(bundle, "bag-info.txt");
        var day = File.Exists(info) ? File.ReadLines(info).FirstOrDefault(l => l.StartsWith("Bagging-Date: ", StringComparison.Ordinal)) : null;
        using var file = File.Create(to);
        var tar = new TarWriter(file, Rfc3339.TryParse($"{day?["Bagging-Date: ".Length..]}T00:00:00Z", out var at) ? at : DateTimeOffset.UnixEpoch);
        var parent = Path.GetDirectoryName(bundle)!;
        foreach (var path in Directory.GetDirectories(bundle, "*", SearchOption.AllDirectories).Append(bundle).Select(d => d + "/")
            .Concat(Directory.GetFiles(bundle, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal))
        {
            if (path.EndsWith('/'))
                tar.WriteFolder(Path.GetRelativePath(parent, path.TrimEnd('/')) + "/");
            else
                tar.WriteFile(Path.GetRelativePath(parent, path), new FileInfo(path).Length, output => output.Write(File.ReadAllBytes(path)));
        }
        tar.End();
        return to;
    }

    /// <summary>Describes a sealed bundle as a line of <c>shards.jsonl</c>.</summary>
    public static Shard Describe(string bundle, string archive, params ImmutableArray<ShardUnit> units)
    {
        var statement = Path.Combine(bundle, "attestation", "statement.json");
        var signed = File.Exists(statement) ? BundleStatement.Read(File.ReadAllBytes(statement)) : null;
        return new(
            Path.GetFileName(bundle), Digest.Of(File.ReadAllBytes(Path.Combine(bundle, "tagmanifest-sha256.txt"))),
            signed is null ? null : Digest.Of(File.ReadAllBytes(statement)), signed?.SignerKey, units, Started, Started.AddMinutes(1),
            new FileInfo(archive).Length);
    }

    /// <summary>Seals a bundle over the given ones, which it holds as archives unless they lie elsewhere.</summary>
    /// <param name="list">Changes the lines of <c>shards.jsonl</c>.</param>
    /// <param name="elsewhere">The address below which the archives are; null puts them into the bundle.</param>
    public static async Task<string> SealAsync(
        string folder, string id, IEnumerable<string> bundles, Func<ImmutableArray<Shard>, IEnumerable<Shard>>? list = null, string? elsewhere = null,
        SigningRequest? request = null)
    {
        await using var outer = BundleWriter.Create(folder, id);
        await outer.WriteFileAsync(
            "data/run.json",
            System.Text.Encoding.UTF8.GetBytes(
                $$$"""{"bundle_id":"{{{id}}}","mode":"live","started":"2026-11-20T10:00:00Z","finished":"2026-11-20T10:05:00Z","period":{"start":"2026-09-01","end":"2026-11-15"},"tool":{"name":"AuditCli","version":"0.1.0"}}"""),
            default);
        await outer.WriteFileAsync("data/results/results.json", """{"controls":[{"conclusion":"PASS"}]}"""u8.ToArray(), default);
        await outer.WriteFileAsync("data/controls/apd-aws-002.yaml", "id: APD-AWS-002\n"u8.ToArray(), default);
        foreach (var hr in new[] { "hr", "hr2" })
            await outer.WriteFileAsync($"data/inputs/{hr}/hr.csv", System.Text.Encoding.UTF8.GetBytes($"id\n{hr.Length}\n"), default);
        var (shards, away) = (ImmutableArray.CreateBuilder<Shard>(), ImmutableArray.CreateBuilder<FetchEntry>());
        foreach (var bundle in bundles)
        {
            var path = BundleLayout.ShardArchive(Path.GetFileName(bundle));
            var archive = Archive(bundle, elsewhere is null ? outer.PathOf(path) : Path.Combine(folder, "archives", Path.GetFileName(path)));
            shards.Add(Describe(bundle, archive, new ShardUnit("prod", Path.GetFileName(bundle))));
            if (elsewhere is not null)
                away.Add(new($"{elsewhere}/{Path.GetFileName(path)}", shards[^1].Bytes, path, Digest.Of(File.ReadAllBytes(archive))));
        }
        var lines = list?.Invoke(shards.ToImmutable()) ?? shards;
        await outer.WriteFileAsync(BundleLayout.Shards, ShardList.Write(lines), default);
        var sealedBundle = await outer.SealAsync(
            Samples.Info with { Elsewhere = away.ToImmutable() },
            request is null ? null : async partial => await BundleSigner.SignAsync(partial, request, default), default);
        return sealedBundle.Path;
    }

    /// <summary>Replaces the archive of a shard in a sealed bundle, its line and the manifests, as somebody without a key can.</summary>
    public static void Replace(string bundle, string shard)
    {
        var archive = Archive(shard, Path.Combine(bundle, BundleLayout.ShardArchive(Path.GetFileName(shard))));
        var list = Path.Combine(bundle, BundleLayout.Shards);
        var shards = ShardList.Read(File.ReadAllBytes(list));
        File.WriteAllBytes(list, ShardList.Write(shards.Select(s =>
            s.BundleId == Path.GetFileName(shard) ? Describe(shard, archive, s.Units) : s)));
        Samples.Reseal(bundle);
    }

    /// <summary>Seals a bundle that may be a shard: it has the control of <see cref="SealAsync"/>.</summary>
    public static Task<string> ShardAsync(string folder, string id, SigningRequest? request = null) => SignedRow.SealAsync(folder, id, request);

    public static Task<VerifyReport> VerifyAsync(string path) => Samples.VerifyAsync(path);
}
