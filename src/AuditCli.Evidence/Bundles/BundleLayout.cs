using System.Collections.Immutable;
using System.Globalization;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Names the files and folders of a bundle, as paths from its root. A folder below <c>data/</c> ends with a slash, so that whatever
/// starts with it lies in it. The files of <c>attestation/</c> are named where they are written.
/// </summary>
public static class BundleLayout
{
    public const string Payload = "data";
    public const string Attestation = "attestation";
    public const string Run = $"{Payload}/run.json";
    public const string Engagement = $"{Payload}/engagement.yaml";
    public const string Log = $"{Payload}/log.clef";
    public const string EvidenceIndex = $"{Payload}/evidence/index.jsonl";
    public const string Results = $"{ResultsFolder}results.json";
    public const string ControlsFolder = $"{Payload}/controls/";
    public const string ExchangesFolder = $"{Payload}/exchanges/";
    public const string InputsFolder = $"{Payload}/inputs/";
    public const string TablesFolder = $"{Payload}/tables/";
    public const string ResultsFolder = $"{Payload}/results/";
    public const string ReportsFolder = $"{Payload}/reports/";
    public const string PeopleFolder = $"{Payload}/people/";
    public const string PartitionsEnding = ".partitions.ndjson";

    /// <summary>The bundles of which this one is made; only in a bundle over bundles.</summary>
    public const string Shards = $"{Payload}/shards.jsonl";
    public const string ShardsFolder = $"{Payload}/shards/";

    /// <summary>The archives that lie elsewhere (RFC 8493, section 2.2.3); only in a bundle over bundles.</summary>
    public const string Fetch = "fetch.txt";
    public const string BagInfo = "bag-info.txt";
    public const string Manifest = "manifest-sha256.txt";
    public const string TagManifest = "tagmanifest-sha256.txt";
    internal const string BagIt = "bagit.txt";

    /// <summary>RFC 8493, section 2.1.1, byte for byte.</summary>
    internal const string BagItContent = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

    /// <summary>The labels of <see cref="BagInfo"/> that are written, in their order.</summary>
    public static readonly ImmutableArray<string> BagInfoLabels = ["Bag-Software-Agent", "Bagging-Date", "External-Identifier", "Payload-Oxum", "retain_until"];

    /// <summary>The files that the tag manifest covers, in its order; <see cref="Fetch"/> where the bundle has it.</summary>
    internal static readonly ImmutableArray<string> TagFiles = [BagInfo, BagIt, Fetch, Manifest];

    /// <summary>Whether a folder has any top-level entry of a bundle, even when the bundle is damaged.</summary>
    /// <param name="sealedOnly">Whether it must have a manifest, as every sealed bundle has.</param>
    public static bool MayBeBundle(string folder, bool sealedOnly = false) =>
        (sealedOnly ? [TagManifest, Manifest] : new[] { TagManifest, Manifest, BagIt, BagInfo, Payload }).Any(n => Path.Exists(Path.Combine(folder, n)));

    /// <summary>Returns the path of a sheet that a person filled in.</summary>
    /// <param name="number">Its number in the order given, from 1.</param>
    public static string Sheet(int number) => string.Create(CultureInfo.InvariantCulture, $"{PeopleFolder}{number}.csv");

    /// <summary>Returns the path of the archive of a shard.</summary>
    public static string ShardArchive(string bundleId) => $"{ShardsFolder}{bundleId}.tar";

    /// <summary>Returns the path of the copy of a control.</summary>
    public static string Control(string id) => $"{ControlsFolder}{BundlePaths.Segment(id)}.yaml";

    /// <summary>Returns the path of the copy of an input, which keeps the extension of the file that was handed in.</summary>
    public static string Input(string name, string file)
    {
        var segment = BundlePaths.Segment(name);
        return $"{InputsFolder}{segment}/{segment}{Path.GetExtension(file).ToLowerInvariant()}";
    }

    /// <summary>Returns the path of the exchanges of one service and region of a target.</summary>
    public static string Exchanges(string target, string service, string region) =>
        $"{ExchangesFolder}{BundlePaths.Segment(target)}/{BundlePaths.Segment($"{service}-{region}")}.warc.gz";

    /// <summary>Returns the path of an evidence item's table.</summary>
    public static string Table(string evidenceId) => $"{TablesFolder}{BundlePaths.Segment(evidenceId)}.ndjson.gz";

    /// <summary>Returns the path of the table of calls, for a table requested per parent row.</summary>
    public static string Calls(string evidenceId) => $"{TablesFolder}{BundlePaths.Segment(evidenceId)}.calls.ndjson.gz";

    /// <summary>Returns the name of the file with the population of a test, below <see cref="ResultsFolder"/>.</summary>
    public static string RowsName(string control, string test) => $"{control}.{test}.ndjson".ToLowerInvariant();

    /// <summary>Returns the name of the file with a control's results by partition, below <see cref="ResultsFolder"/>.</summary>
    public static string PartitionsName(string control) => $"{control}{PartitionsEnding}".ToLowerInvariant();

    /// <summary>Returns the path of the file with a control's results by partition.</summary>
    /// <exception cref="ArgumentException">The id cannot name a file.</exception>
    public static string Partitions(string control) => ResultsFolder + BundlePaths.Segment(PartitionsName(control));

    /// <summary>Returns the path of the file with the population of a test.</summary>
    /// <exception cref="ArgumentException">The ids cannot name a file.</exception>
    public static string Rows(string control, string test) => ResultsFolder + BundlePaths.Segment(RowsName(control, test));
}
