using System.Collections.Immutable;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Defines the names of files in a bundle: segments of <c>[a-z0-9][a-z0-9._-]*</c> joined by slashes, safe on every file system.
/// No segment ends with a point or has a name that Windows reserves for devices.
/// </summary>
public static class BundlePaths
{
    public const string Payload = "data";
    public const string EvidenceIndex = "data/evidence/index.jsonl";
    public const string Run = "data/run.json";
    public const string Attestation = "attestation";
    internal const string BagIt = "bagit.txt";
    internal const string BagInfo = "bag-info.txt";
    internal const string Manifest = "manifest-sha256.txt";
    internal const string TagManifest = "tagmanifest-sha256.txt";
    internal const int MaxLength = 200;

    /// <summary>RFC 8493, section 2.1.1, byte for byte.</summary>
    internal const string BagItContent = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

    /// <summary>The files that the tag manifest covers, in its order.</summary>
    internal static readonly ImmutableArray<string> TagFiles = [BagInfo, BagIt, Manifest];

    private static readonly ImmutableHashSet<string> DeviceNames =
    [
        "con", "prn", "aux", "nul", .. Enumerable.Range(0, 10).SelectMany(n => new[] { $"com{n}", $"lpt{n}" }),
    ];

    /// <summary>Whether a folder has any top-level entry of a bundle, even when the bundle is damaged.</summary>
    /// <param name="sealedOnly">Whether it must have a manifest, as every sealed bundle has.</param>
    public static bool MayBeBundle(string folder, bool sealedOnly = false) =>
        (sealedOnly ? [TagManifest, Manifest] : new[] { TagManifest, Manifest, BagIt, BagInfo, Payload }).Any(n => Path.Exists(Path.Combine(folder, n)));

    /// <summary>Turns an identifier into a path segment by lower-casing it.</summary>
    /// <exception cref="ArgumentException">It cannot be a segment; the message says why.</exception>
    public static string Segment(string id)
    {
        var segment = id.ToLowerInvariant();
        return WhyNotSegment(segment) is { } why ? throw new ArgumentException($"'{id}' cannot name a file in a bundle: {why}", nameof(id)) : segment;
    }

    /// <summary>Returns the path of an evidence item's table.</summary>
    public static string Table(string evidenceId) => $"data/tables/{Segment(evidenceId)}.ndjson.gz";

    /// <summary>Returns the path of the table of calls, for a table requested per parent row.</summary>
    public static string Calls(string evidenceId) => $"data/tables/{Segment(evidenceId)}.calls.ndjson.gz";

    /// <summary>Returns the path of the exchanges of one service and region of a target.</summary>
    public static string Exchanges(string target, string service, string region) =>
        $"data/exchanges/{Segment(target)}/{Segment($"{service}-{region}")}.warc.gz";

    /// <summary>Returns null for a path that a bundle may have below its root, else what is wrong with it.</summary>
    internal static string? WhyNotPath(string path)
    {
        if (path.Length > MaxLength)
            return $"it is longer than {MaxLength} characters";
        for (var rest = path.AsSpan(); ;)
        {
            var slash = rest.IndexOf('/');
            if (WhyNotSegment(slash < 0 ? rest : rest[..slash]) is { } why)
                return why;
            if (slash < 0)
                return null;
            rest = rest[(slash + 1)..];
        }
    }

    private static string? WhyNotSegment(ReadOnlySpan<char> segment)
    {
        if (segment.Length == 0)
            return "a segment is empty";
        if (!char.IsAsciiLetterLower(segment[0]) && !char.IsAsciiDigit(segment[0]))
            return $"'{segment}' does not begin with a lower-case letter or a digit";
        foreach (var c in segment)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('.' or '_' or '-'))
                return $"'{segment}' has other characters than a-z, 0-9, '.', '_' and '-'";
        }
        if (segment[^1] == '.')
            return $"'{segment}' ends with a point";
        return IsDevice(segment) ? $"'{segment}' is the name of a device on Windows" : null;
    }

    internal static bool IsDevice(ReadOnlySpan<char> segment)
    {
        var point = segment.IndexOf('.');
        var name = point < 0 ? segment : segment[..point];
        return name.Length is 3 or 4 && DeviceNames.Contains(name.ToString().ToLowerInvariant());
    }
}
