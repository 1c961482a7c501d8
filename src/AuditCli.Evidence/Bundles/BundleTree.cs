using System.IO.Enumeration;

namespace AuditCli.Evidence.Bundles;

/// <summary>The entries of a bundle's folder, found without following a link.</summary>
/// <param name="Files">
/// The paths of everything that is not a folder, including pipes, sockets and links to files, which cannot be opened as files.
/// </param>
/// <param name="EmptyFolders">The paths of empty folders, which a bag cannot contain.</param>
/// <param name="Links">The paths of links to folders.</param>
internal sealed record BundleTree(
    HashSet<string> Files, List<string> EmptyFolders, List<string> Links, List<(string Path, string Cause)> Unreadable, bool TooMany)
{
    /// <summary>Includes hidden entries, and makes an entry that cannot be read an error.</summary>
    public static EnumerationOptions Everything => new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };

    public static bool IsLink(FileSystemInfo entry) => (entry.Attributes & FileAttributes.ReparsePoint) != 0 || entry.LinkTarget is not null;

    /// <param name="limit">The largest number of entries that are read.</param>
    public static BundleTree Walk(string root, int limit, CancellationToken cancellationToken)
    {
        var tree = new BundleTree(new(StringComparer.Ordinal), [], [], [], TooMany: false);
        var count = 0;
        var left = new Stack<string>([""]);
        while (left.TryPop(out var folder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var empty = true;
            try
            {
                foreach (var (name, isFolder, isLink) in Entries(Path.Combine(root, folder)))
                {
                    empty = false;
                    if (++count > limit)
                        return tree with { TooMany = true };
                    var path = folder.Length == 0 ? name : $"{folder}/{name}";
                    if (isLink)
                        tree.Links.Add(path);
                    else if (isFolder)
                        left.Push(path);
                    else
                        tree.Files.Add(path);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                tree.Unreadable.Add((folder, e.Message));
                continue;
            }
            if (empty && folder.Length > 0)
                tree.EmptyFolders.Add(folder);
        }
        return tree;
    }

    // Only folders are checked for links here. SafeFile detects links to files when it opens them, so no extra stat per file is
    // needed.
    private static FileSystemEnumerable<Entry> Entries(string folder) => new(
        folder,
        static (ref entry) => new(
            entry.FileName.ToString(), entry.IsDirectory, entry.IsDirectory && (entry.Attributes & FileAttributes.ReparsePoint) != 0),
        Everything);

    private sealed record Entry(string Name, bool IsFolder, bool IsLink);
}
