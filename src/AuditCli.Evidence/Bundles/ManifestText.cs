using System.Collections.Immutable;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>One line of a manifest.</summary>
internal readonly record struct ManifestEntry(string Path, Digest Digest);

/// <summary>A fault in a manifest's text: a stable code, the path or line it is about, and a sentence.</summary>
internal readonly record struct ManifestFault(string Code, string Path, string Message);

/// <summary>
/// Reads a payload manifest (RFC 8493, section 2.1.3) in the narrow form that AuditCli writes: <c>&lt;64 lower-case
/// hex&gt;&lt;two spaces&gt;data/…&lt;LF&gt;</c>, strictly ascending, ASCII. The RFC allows more, such as other orders and
/// percent-encoded paths; a bundle that two tools could read differently is not evidence.
/// </summary>
internal static class ManifestText
{
    private const int DigestLength = 64;

    /// <summary>Returns every well-formed entry, and every fault; faulty lines give no entry.</summary>
    public static (ImmutableArray<ManifestEntry> Entries, ImmutableArray<ManifestFault> Faults) Parse(ReadOnlySpan<byte> content, int maxEntries)
    {
        var entries = ImmutableArray.CreateBuilder<ManifestEntry>();
        var faults = ImmutableArray.CreateBuilder<ManifestFault>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        if (content.IsEmpty)
            faults.Add(new(VerifyCode.ManifestMalformed, BundleLayout.Manifest, "the manifest is empty"));
        var previous = "";
        for (var number = 1; !content.IsEmpty; number++)
        {
            if (number > maxEntries)
            {
                faults.Add(new(VerifyCode.LimitExceeded, BundleLayout.Manifest, $"the manifest has more than {maxEntries} lines"));
                break;
            }
            var length = content.IndexOf((byte)'\n');
            if (length < 0)
                faults.Add(new(VerifyCode.ManifestMalformed, BundleLayout.Manifest, $"line {number} is not ended by a line feed"));
            var line = length < 0 ? content : content[..length];
            content = length < 0 ? [] : content[(length + 1)..];
            if (!TrySplit(line, out var entry))
            {
                faults.Add(new(VerifyCode.ManifestMalformed, BundleLayout.Manifest,
                    $"line {number} is not 64 lower-case hexadecimal digits, two spaces and a path in ASCII"));
                continue;
            }
            var why = BundlePaths.WhyNotPath(entry.Path);
            if (why is not null || !entry.Path.StartsWith(BundleLayout.Payload + "/", StringComparison.Ordinal))
            {
                // A path that leads out of the bundle is reported with its own code, because that is worse than another spelling.
                faults.Add(WhyUnsafe(entry.Path) is { } unsafeReason
                    ? new(VerifyCode.ManifestUnsafePath, entry.Path, $"line {number}: {unsafeReason}")
                    : new(VerifyCode.ManifestMalformed, entry.Path, $"line {number}: {why}"));
                continue;
            }
            if (!seen.Add(entry.Path))
            {
                faults.Add(new(VerifyCode.ManifestDuplicate, entry.Path, $"line {number} names a file that an earlier line names"));
                continue;
            }
            if (string.CompareOrdinal(entry.Path, previous) < 0)
                faults.Add(new(VerifyCode.ManifestOrder, entry.Path, $"line {number} must come before '{previous}'"));
            previous = entry.Path;
            entries.Add(entry);
        }
        return (entries.ToImmutable(), faults.ToImmutable());
    }

    /// <summary>
    /// Reads a tag manifest, which covers exactly the tag files in their order, <c>fetch.txt</c> only in a bundle that has it; returns null for
    /// any other text.
    /// </summary>
    public static ImmutableArray<ManifestEntry>? ParseTags(ReadOnlySpan<byte> content)
    {
        var entries = ImmutableArray.CreateBuilder<ManifestEntry>(BundleLayout.TagFiles.Length);
        foreach (var expected in BundleLayout.TagFiles)
        {
            var length = content.IndexOf((byte)'\n');
            var isLine = TrySplit(content[..Math.Max(length, 0)], out var entry);
            if (expected == BundleLayout.Fetch && isLine && entry.Path != expected)
                continue;
            if (!isLine || entry.Path != expected)
                return null;
            entries.Add(entry);
            content = content[(length + 1)..];
        }
        return content.IsEmpty ? entries.ToImmutable() : null;
    }

    private static bool TrySplit(ReadOnlySpan<byte> line, out ManifestEntry entry)
    {
        entry = default;
        if (line.Length <= DigestLength + 2 || line.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            return false;
        var text = Encoding.ASCII.GetString(line);
        if (!Digest.TryParse(text.AsSpan(0, DigestLength), out var digest) || text[DigestLength] != ' ' || text[DigestLength + 1] != ' ')
            return false;
        entry = new(text[(DigestLength + 2)..], digest);
        return true;
    }

    /// <summary>
    /// Returns why a careless reader of the path would leave the payload, or reach a device; null when it would not.
    /// </summary>
    private static string? WhyUnsafe(string path)
    {
        if (path.Contains('\\', StringComparison.Ordinal))
            return "a backslash separates folders on Windows";
        if (path.StartsWith('/') || path.StartsWith('~') || (path.Length > 1 && path[1] == ':'))
            return "the path is absolute: it begins with / or ~ or with a drive";
        var segments = path.Split('/');
        if (segments.Any(s => s is "." or ".."))
            return "a segment is '.' or '..'";
        if (segments[0] != BundleLayout.Payload || segments.Length == 1)
            return $"the path is not below {BundleLayout.Payload}/";
        if (segments.Any(s => BundlePaths.IsDevice(s)))
            return "a segment is the name of a device on Windows";
        return segments.Any(s => s.EndsWith('.')) ? "a segment ends with a dot, which Windows drops" : null;
    }
}
