using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>A file of a bundle that lies elsewhere.</summary>
/// <param name="Url">Where it is. Nothing here ever reads it.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Path">Its path from the bundle's root.</param>
/// <param name="Digest">Its SHA-256, which is in the payload manifest.</param>
public sealed record FetchEntry(string Url, long Length, string Path, Digest Digest)
{
    /// <summary>Returns why files cannot be fetched from an address; null if they can be.</summary>
    public static string? WhyNotAt(string url) => FetchList.WhyNot(url);
}

/// <summary>
/// Writes and reads <c>fetch.txt</c> (RFC 8493, section 2.2.3), which makes a bundle a holey bag: the manifest names files that are not
/// in it. Only archives of shards may be elsewhere, so that the questions and the conclusions of a bundle are always in it.
/// </summary>
internal static class FetchList
{
    private const int MostLines = 100_000;

    public static string Write(IEnumerable<FetchEntry> entries) => string.Concat(
        entries.OrderBy(e => e.Path, StringComparer.Ordinal).Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Url} {e.Length} {e.Path}\n")));

    /// <summary>Returns the files that lie elsewhere, by path, and every fault of the text.</summary>
    public static (ImmutableDictionary<string, (string Url, long Length)> Entries, ImmutableArray<ManifestFault> Faults) Parse(ReadOnlySpan<byte> content)
    {
        var entries = ImmutableDictionary.CreateBuilder<string, (string Url, long Length)>(StringComparer.Ordinal);
        var faults = ImmutableArray.CreateBuilder<ManifestFault>();
        if (content.IsEmpty || content[^1] != '\n' || content.ContainsAnyExceptInRange((byte)'\n', (byte)'~'))
        {
            faults.Add(new(VerifyCode.ManifestMalformed, BundleLayout.Fetch, "is not lines of ASCII, each ended by a line feed"));
            return (entries.ToImmutable(), faults.ToImmutable());
        }
        var number = 0;
        foreach (var range in content[..^1].Split((byte)'\n'))
        {
            if (++number > MostLines)
            {
                faults.Add(new(VerifyCode.LimitExceeded, BundleLayout.Fetch, $"has more than {MostLines} lines"));
                break;
            }
            var line = Encoding.ASCII.GetString(content[range]);
            if (WhyNot(line, out var url, out var length, out var path) is { } why)
            {
                faults.Add(why with { Message = $"line {number}: {why.Message}" });
                continue;
            }
            if (!entries.TryAdd(path, (url, length)))
                faults.Add(new(VerifyCode.ManifestDuplicate, BundleLayout.Fetch, $"line {number} names {path}, which an earlier line names"));
        }
        return (entries.ToImmutable(), faults.ToImmutable());
    }

    /// <summary>Returns why a file cannot be fetched from an address; null if it can be.</summary>
    public static string? WhyNot(string url) =>
        url.AsSpan().ContainsAnyExceptInRange('!', '~') || !Uri.TryCreate(url, UriKind.Absolute, out var address) ? $"'{PrintableText.Of(url)}' is not a URL"
        // They may be credentials, and the address is in the bundle.
        : address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0 ? "a URL has no user information, query or fragment here"
        : address.Scheme is not ("https" or "s3" or "gs") ? $"'{PrintableText.Of(url)}' is not an address of https, s3 or gs"
        : null;

    private static ManifestFault? WhyNot(string line, out string url, out long length, out string path)
    {
        (url, length, path) = ("", 0, "");
        if (line.Split(' ') is not [var first, var second, var third] || !long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out length))
            return new(VerifyCode.ManifestMalformed, BundleLayout.Fetch, "is not a URL, a size in bytes and a path, with a space between them");
        (url, path) = (first, third);
        // A path that leads out of the bundle could make a program that fetches write anywhere.
        return BundlePaths.WhyNotPath(path) is { } why ? new(VerifyCode.ManifestUnsafePath, BundleLayout.Fetch, why)
            : !path.StartsWith(BundleLayout.ShardsFolder, StringComparison.Ordinal)
                ? new(VerifyCode.ManifestUnsafePath, BundleLayout.Fetch, $"{path} is not an archive of a shard, and nothing else may be elsewhere")
            : WhyNot(url) is { } not ? new(VerifyCode.ManifestMalformed, BundleLayout.Fetch, not)
            : null;
    }
}
