using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tests.Warc;
using AuditCli.Evidence.Verification;
using AuditCli.Evidence.Warc;

namespace AuditCli.Evidence.Tests.Bundles;

/// <summary>A small bundle with payload of every kind.</summary>
internal static class Samples
{
    public static readonly BagInfo Info = new("AuditCli 0.1.0", new(2026, 10, 1), new(2033, 10, 1));

    public static EvidenceItem Item(string target, string evidenceId) => new()
    {
        EvidenceId = evidenceId,
        Names = [new("APD-AWS-002", "users")],
        Target = target,
        Account = "111122223333",
        Region = "aws-global",
        Source = "aws",
        Operation = "iam:ListUsers",
        Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("PathPrefix", JsonElement.Parse("\"/\"")),
        Outcome = CollectionOutcome.Complete,
        Pages = 1,
        Items = 1,
        Table = BundleLayout.Table(evidenceId),
        TableSha256 = Digest.Of([]),
        Columns = [new("_target", ColumnType.Text), new("Arn", ColumnType.Text)],
        Exchanges = [new("data/exchanges/prod/iam-aws-global.warc.gz", "urn:uuid:1", "req-1", 200, Exchanges.Date)],
        Identity = "arn:aws:sts::111122223333:assumed-role/audit",
        Started = Exchanges.Date,
        Finished = Exchanges.Date.AddSeconds(1),
    };

    public static async Task<SealedBundle> SealAsync(string outFolder, string id = "acme-2026", params IEnumerable<EvidenceItem> items)
    {
        await using var bundle = BundleWriter.Create(outFolder, id);
        await bundle.WriteFileAsync("data/run.json", "{\"mode\":\"replay\"}"u8.ToArray(), default);
        await bundle.WriteFileAsync("data/inputs/hr/hr.csv", "id\n1\n"u8.ToArray(), default);
        await bundle.WriteFileAsync("data/inputs/hr2/hr.csv", "id\n2\n"u8.ToArray(), default);
        await using (var log = new ExchangeLog(bundle.PathOf(BundleLayout.Exchanges("prod", "iam", "aws-global")), id, "test"))
            await log.AppendAsync(Exchanges.Answered(1, Encoding.UTF8.GetBytes("{}")), default);
        using (var table = bundle.OpenTable("aws-iam-listusers-0123456789ab", EvidenceColumns.Added(false, []), [new("Arn", ColumnType.Text)]))
        {
            table.Append(["prod", "111122223333", "aws-global", "urn:uuid:1#/Users/0"], JsonElement.Parse("""{"Arn":"arn:aws:iam::111122223333:user/a"}"""));
            table.Complete();
        }
        foreach (var item in items.DefaultIfEmpty(Item("prod", "aws-iam-listusers-0123456789ab")))
            await bundle.AppendEvidenceAsync(item, default);
        return await bundle.SealAsync(Info, default);
    }

    public static Task<VerifyReport> VerifyAsync(string path) => BundleVerifier.VerifyAsync(path, new(AllowUnsigned: true), default);

    /// <summary>Recomputes both manifests from the content of the folder, as somebody without a key can.</summary>
    public static void Reseal(string bundle, string? manifest = null)
    {
        var files = Directory.GetFiles(Path.Combine(bundle, "data"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(bundle, f)).Order(StringComparer.Ordinal);
        manifest ??= string.Concat(files.Select(f => Line(bundle, f)));
        WriteManifest(bundle, Encoding.Latin1.GetBytes(manifest));
    }

    public static void WriteManifest(string bundle, byte[] manifest)
    {
        File.WriteAllBytes(Path.Combine(bundle, "manifest-sha256.txt"), manifest);
        File.WriteAllText(Path.Combine(bundle, "tagmanifest-sha256.txt"),
            string.Concat(new[] { "bag-info.txt", "bagit.txt", "manifest-sha256.txt" }.Select(f => Line(bundle, f))));
    }

    public static string Line(string bundle, string file) => $"{Digest.Of(File.ReadAllBytes(Path.Combine(bundle, file)))}  {file}\n";

    public static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
