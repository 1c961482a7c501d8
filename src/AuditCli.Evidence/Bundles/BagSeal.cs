using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>Turns a folder with a payload into a BagIt bag (RFC 8493).</summary>
internal static class BagSeal
{
    /// <summary>
    /// Writes the tag files and flushes every file to the disk. Returns the tag manifest's digest and every folder, innermost
    /// first. Tag files left by an earlier, failed attempt are overwritten.
    /// </summary>
    public static (Digest TagManifest, ImmutableArray<string> Folders) Write(string root, string bundleId, BagInfo info, CancellationToken cancellationToken)
    {
        var (manifest, bytes, files, folders) = Manifest(root, info.Elsewhere, cancellationToken);
        var tags = new StringBuilder();
        foreach (var (name, content) in new[]
        {
            (BundleLayout.BagInfo, Describe(bundleId, info, bytes, files)),
            (BundleLayout.BagIt, BundleLayout.BagItContent),
            (BundleLayout.Fetch, FetchList.Write(info.Elsewhere)),
            (BundleLayout.Manifest, manifest),
        })
        {
            if (content.Length == 0)
                continue;
            tags.Append(WriteTagFile(root, name, content).Hex).Append("  ").Append(name).Append('\n');
        }
        return (WriteTagFile(root, BundleLayout.TagManifest, tags.ToString()), folders);
    }

    /// <summary>
    /// Writes only the manifest, by which <see cref="StoppedBundle"/> later recognises a folder that could not be sealed.
    /// </summary>
    /// <inheritdoc cref="BundleWriter.SealAsync(BagInfo, CancellationToken)" path="/exception"/>
    public static void WriteManifest(string root, CancellationToken cancellationToken) =>
        WriteTagFile(root, BundleLayout.Manifest, Manifest(root, [], cancellationToken).Lines);

    /// <summary>
    /// Builds the manifest's text for the folder's current content and the files that lie elsewhere, and flushes each file to the disk.
    /// </summary>
    internal static (string Lines, long Bytes, int Files, ImmutableArray<string> Folders) Manifest(
        string root, ImmutableArray<FetchEntry> elsewhere, CancellationToken cancellationToken)
    {
        var (files, folders) = Walk(root);
        var missing = elsewhere.ToDictionary(e => e.Path, StringComparer.Ordinal);
        var manifest = new StringBuilder();
        long bytes = 0;
        foreach (var file in files.Concat(missing.Keys).Order(StringComparer.Ordinal))
        {
            var (digest, size) = missing.TryGetValue(file, out var entry)
                ? (entry.Digest, entry.Length)
                : HashAndSynchronise(Path.Combine(root, file), cancellationToken);
            manifest.Append(digest.Hex).Append("  ").Append(file).Append('\n');
            bytes += size;
        }
        return (manifest.ToString(), bytes, files.Length + missing.Count, folders);
    }

    private static string Describe(string bundleId, BagInfo info, long bytes, int files)
    {
        if (info.SoftwareAgent.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ArgumentException("the software agent is one line of ASCII", nameof(info));
        var retain = info.RetainUntil is { } day ? $"retain_until: {Day(day)}\n" : "";
        return $"Bag-Software-Agent: {info.SoftwareAgent}\nBagging-Date: {Day(info.BaggingDate)}\nExternal-Identifier: {bundleId}\n"
            + string.Create(CultureInfo.InvariantCulture, $"Payload-Oxum: {bytes}.{files}\n{retain}");
    }

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Lists payload files in ordinal order, and folders innermost first. Throws for any other kind of entry.</summary>
    private static (ImmutableArray<string> Files, ImmutableArray<string> Folders) Walk(string root)
    {
        var files = new List<string>();
        var folders = new List<string>();
        var left = new Stack<string>([BundleLayout.Payload]);
        while (left.TryPop(out var folder))
        {
            folders.Add(Path.Combine(root, folder));
            var empty = true;
            foreach (var entry in new DirectoryInfo(Path.Combine(root, folder)).EnumerateFileSystemInfos("*", BundleTree.Everything))
            {
                empty = false;
                var path = $"{folder}/{entry.Name}";
                if (BundlePaths.WhyNotPath(path) is { } why)
                    throw new InvalidDataException($"cannot seal {root}: '{path}': {why}");
                if (BundleTree.IsLink(entry))
                    throw new InvalidDataException($"cannot seal {root}: '{path}' is a link");
                if (entry is DirectoryInfo)
                    left.Push(path);
                else
                    files.Add(path);
            }
            if (empty)
                throw new InvalidDataException($"cannot seal {root}: '{folder}' is empty");
        }
        folders.Reverse();
        files.Sort(StringComparer.Ordinal);
        return ([.. files], [.. folders, root]);
    }

    /// <summary>
    /// Hashes and flushes a file. It uses the runtime's own way to open files, which fails while a writer holds the file.
    /// </summary>
    private static (Digest Digest, long Size) HashAndSynchronise(string path, CancellationToken cancellationToken)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var hashed = SafeFile.Hash(handle, path, cancellationToken);
        RandomAccess.FlushToDisk(handle);
        return hashed;
    }

    private static Digest WriteTagFile(string root, string name, string content)
    {
        var bytes = Encoding.ASCII.GetBytes(content);
        using var file = new FileStream(Path.Combine(root, name), FileMode.Create, FileAccess.Write, FileShare.None);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
        return Digest.Of(bytes);
    }
}
