using System.IO.Enumeration;

namespace AuditCli.Evidence.Bundles;

/// <summary>What lies in a bundle's folder, found without following a link.</summary>
/// <param name="Files">Paths of everything that is no folder: pipes, sockets and links to files included, which nobody can open as a file.</param>
/// <param name="EmptyFolders">A bag has no place for them.</param>
/// <param name="Links">To folders.</param>
internal sealed record BundleTree(HashSet<string> Files, List<string> EmptyFolders, List<string> Links, List<(string Path, string Cause)> Unreadable, bool TooMany)
{
    /// <summary>Hidden entries too, and an entry that cannot be read is an error.</summary>
    public static EnumerationOptions Everything => new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };

    public static bool IsLink(FileSystemInfo entry) => (entry.Attributes & FileAttributes.ReparsePoint) != 0 || entry.LinkTarget is not null;

    /// <param name="limit">How many entries are looked at.</param>
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

    // What the folder itself says of its entries. Whether a file is a link would be a question to the system for each, which opening it answers.
    private static FileSystemEnumerable<Entry> Entries(string folder) => new(
        folder,
        static (ref entry) => new(entry.FileName.ToString(), entry.IsDirectory, entry.IsDirectory && (entry.Attributes & FileAttributes.ReparsePoint) != 0),
        Everything);

    private sealed record Entry(string Name, bool IsFolder, bool IsLink);
}
