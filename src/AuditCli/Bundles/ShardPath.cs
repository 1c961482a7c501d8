using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Bundles;

/// <summary>
/// Names files of a shard by paths of the bundle around it: the path of its archive, a slash, and the path in it. Evidence of several shards
/// would otherwise have the same names.
/// </summary>
internal static class ShardPath
{
    private const string ArchiveEnd = ".tar/";

    /// <summary>Splits a path of a shard's file into the path of the archive and the path in it; null for a file of the bundle itself.</summary>
    public static (string Archive, string Path)? Split(string path)
    {
        if (!path.StartsWith(BundleLayout.ShardsFolder, StringComparison.Ordinal))
            return null;
        var end = path.IndexOf(ArchiveEnd, StringComparison.Ordinal);
        return end < 0 ? null : (path[..(end + ArchiveEnd.Length - 1)], path[(end + ArchiveEnd.Length)..]);
    }

    /// <summary>Returns what precedes the path in the innermost shard; empty for a file of the bundle itself.</summary>
    public static string Prefix(string path) =>
        Split(path) is { } inside ? $"{inside.Archive}/{Prefix(inside.Path)}" : "";

    /// <summary>Returns the path in the innermost shard; the path itself for a file of the bundle itself.</summary>
    public static string Inside(string path) => Split(path) is { } inside ? Inside(inside.Path) : path;

    /// <summary>Returns an evidence item as it is in its own shard.</summary>
    public static EvidenceItem Inside(EvidenceItem item) => item with
    {
        Table = item.Table is { } table ? Inside(table) : null,
        Calls = item.Calls is { } calls ? Inside(calls) : null,
        Exchanges = [.. item.Exchanges.Select(e => e with { File = Inside(e.File) })],
    };

    /// <summary>Returns an evidence item of a shard as one of the bundle around it.</summary>
    /// <param name="prefix">The path of the shard's archive, and a slash.</param>
    public static EvidenceItem In(string prefix, EvidenceItem item) => item with
    {
        Table = item.Table is { } table ? prefix + table : null,
        Calls = item.Calls is { } calls ? prefix + calls : null,
        Exchanges = [.. item.Exchanges.Select(e => e with { File = prefix + e.File })],
    };
}
