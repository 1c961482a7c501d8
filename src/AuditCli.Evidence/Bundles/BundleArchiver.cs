using System.Globalization;
using System.Security.Cryptography;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Puts a sealed bundle into one uncompressed <c>.tar</c> file, with its folder as the one entry at the top. Equal bundles give equal files.
/// </summary>
public static class BundleArchiver
{
    /// <summary>The ending of an archive that is still being written.</summary>
    public const string UnfinishedSuffix = ".tar.partial";

    /// <summary>The ending of a bundle's folder that is being deleted because its archive is there.</summary>
    public const string RemovedSuffix = ".removed";
    private const int MostEntries = 1_000_000;

    /// <summary>
    /// Writes <c>&lt;bundle-id&gt;.tar</c> beside the bundle's folder. Every file is compared with the manifest as it is written, and with the
    /// folder as the archive is read back. Only then does the archive get its name.
    /// </summary>
    /// <param name="folder">The bundle's folder, which stays as it is.</param>
    /// <returns>The archive's path.</returns>
    /// <exception cref="InvalidDataException">The folder is not a sealed bundle, or what was written is not what was read; the message names it.</exception>
    /// <exception cref="IOException">There is such a file already, or a file cannot be read or written.</exception>
    public static string Write(string folder, CancellationToken cancellationToken)
    {
        using var bundle = SealedFiles.Open(folder);
        var archive = Path.Combine(Path.GetDirectoryName(bundle.Path)!, NameOf(bundle) + ".tar");
        if (Path.Exists(archive))
            throw new IOException($"{archive} exists already");
        var unfinished = archive[..^".tar".Length] + UnfinishedSuffix;
        try
        {
            Dictionary<string, Digest> written;
            using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                written = Write(bundle, file, cancellationToken);
                file.Flush(flushToDisk: true);
            }
            ReadBack(unfinished, written, cancellationToken);
            File.Move(unfinished, archive);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
        SafeFile.Synchronise(Path.GetDirectoryName(archive)!);
        return archive;
    }

    /// <summary>
    /// Deletes a bundle's folder whose archive is there. The folder loses its name first, so that what is left of it after an interruption
    /// is not taken for a bundle.
    /// </summary>
    /// <exception cref="IOException">It cannot be deleted; the message says where it is.</exception>
    public static void RemoveFolder(string folder)
    {
        var removed = Path.TrimEndingDirectorySeparator(folder) + RemovedSuffix;
        try
        {
            Directory.Move(folder, removed);
            SafeFile.Synchronise(Path.GetDirectoryName(removed)!);
            Directory.Delete(removed, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"the folder {(Directory.Exists(removed) ? removed : folder)} cannot be deleted, although its archive is whole: {e.Message}", e);
        }
    }

    /// <summary>Writes a sealed bundle, a folder or an archive, as an archive. Every file is compared with the manifest as it is written.</summary>
    /// <param name="verified">The digest of the tag manifest that verification reported.</param>
    /// <exception cref="InvalidDataException">It is not that sealed bundle, or holds more than its files; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static void Pack(string bundle, Digest verified, Stream output, CancellationToken cancellationToken)
    {
        using var files = SealedFiles.Open(bundle, verified);
        Write(files, output, cancellationToken);
    }

    /// <summary>Writes the archive, and returns the digest of each file, by its name in the archive.</summary>
    private static Dictionary<string, Digest> Write(SealedFiles bundle, Stream output, CancellationToken cancellationToken)
    {
        var tree = bundle.Files.Tree(MostEntries, cancellationToken);
        var attested = tree.Files.Where(f => f.StartsWith(BundleLayout.Attestation + "/", StringComparison.Ordinal)).ToArray();
        // Archives of shards may be elsewhere, and then the list of them is there.
        var expected = bundle.Paths.Where(bundle.IsHere).Concat(BundleLayout.TagFiles.Where(bundle.IsHere)).Append(BundleLayout.TagManifest)
            .Concat(attested).ToHashSet(StringComparer.Ordinal);
        if (tree.TooMany || tree.Links.Concat(tree.EmptyFolders).Concat(tree.Unreadable.Select(u => u.Path)).FirstOrDefault() is not null
            || tree.Files.FirstOrDefault(f => !expected.Contains(f)) is not null)
        {
            throw new InvalidDataException($"{bundle.Path} holds more than the files of a bundle; see: auditcli verify");
        }
        var top = NameOf(bundle) + "/";
        var digests = new Dictionary<string, Digest>(StringComparer.Ordinal);
        Write(
            new TarWriter(output, SealedOn(bundle.Info)), top, expected,
            (tar, path) => digests.Add(top + path, WriteFile(bundle, path, top + path, tar)), cancellationToken);
        return digests;
    }

    /// <summary>
    /// Whether an archive is, byte for byte, the one that is written of its files. Any other may hold something in the headers of its entries,
    /// which no manifest of the bundle covers. Headers are compared; verification compares the content with the manifest.
    /// </summary>
    /// <param name="files">The paths of its files.</param>
    /// <param name="info">The members of its <c>bag-info.txt</c>.</param>
    internal static bool IsAsWritten(
        BundleArchive archive, IReadOnlyCollection<string> files, IReadOnlyDictionary<string, string> info, CancellationToken cancellationToken)
    {
        var same = archive.Compare();
        Write(
            new TarWriter(same, SealedOn(info)), archive.Name + "/", files,
            (tar, path) =>
            {
                if (archive.PlaceOf(path) is var (_, length))
                    tar.WriteFile($"{archive.Name}/{path}", length, _ => same.Skip(length));
            },
            cancellationToken);
        return same.IsWhole;
    }

    /// <summary>Writes the entries in their order: each folder, then what is in it.</summary>
    private static void Write(
        TarWriter tar, string top, IReadOnlyCollection<string> files, Action<TarWriter, string> writeFile, CancellationToken cancellationToken)
    {
        foreach (var name in Folders(files).Concat(files).Select(n => top + n).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (name.EndsWith('/'))
                tar.WriteFolder(name);
            else
                writeFile(tar, name[top.Length..]);
        }
        tar.End();
    }

    private static Digest WriteFile(SealedFiles bundle, string path, string name, TarWriter tar)
    {
        var (file, owner) = bundle.Files.Open(path, CancellationToken.None);
        using var _ = owner;
        var digest = default(Digest);
        tar.WriteFile(name, file.Length, output =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[128 * 1024];
            var at = 0L;
            for (int read; (read = file.Read(buffer, at)) > 0; at += read)
            {
                hash.AppendData(buffer, 0, read);
                output.Write(buffer, 0, read);
            }
            if (at != file.Length)
                throw new InvalidDataException($"{path} changed while it was read");
            digest = Digest.FromHash(hash.GetHashAndReset());
        });
        return bundle.Has(path) && bundle.DigestOf(path) != digest ? throw SealedFiles.Changed(path) : digest;
    }

    /// <summary>Returns the id of a bundle, which its folder has when it is sealed; a person may have renamed the folder since.</summary>
    private static string NameOf(SealedFiles bundle) =>
        bundle.Info.GetValueOrDefault("External-Identifier") is { } id && !id.Contains('/', StringComparison.Ordinal)
            && BundlePaths.WhyNotPath(BundleLayout.ShardArchive(id)) is null
            ? id
            : bundle.Files.Name;

    /// <summary>Compares the archive with the digests of what was written into it, and its names with theirs.</summary>
    private static void ReadBack(string archive, Dictionary<string, Digest> written, CancellationToken cancellationToken)
    {
        var (found, faults) = BundleArchive.Open(archive, MostEntries, cancellationToken);
        using var files = found ?? throw BundleArchive.Unsafe(archive, faults[0]);
        var tree = files.Tree(MostEntries, cancellationToken);
        foreach (var (name, digest) in written)
        {
            if (!tree.Files.Remove(name[(files.Name.Length + 1)..]) || files.Hash(name[(files.Name.Length + 1)..], cancellationToken).Digest != digest)
                throw new InvalidDataException($"{archive} does not hold what was written into it: {name} differs");
        }
        if (tree.Files.Count > 0)
            throw new InvalidDataException($"{archive} does not hold what was written into it: {tree.Files.Order(StringComparer.Ordinal).First()} was added");
    }

    /// <summary>Returns the folders of files, each with a slash at its end; the bundle's own is empty.</summary>
    private static HashSet<string> Folders(IEnumerable<string> files)
    {
        var folders = new HashSet<string>(StringComparer.Ordinal) { "" };
        foreach (var file in files)
        {
            for (var slash = file.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = file.IndexOf('/', slash + 1))
                folders.Add(file[..(slash + 1)]);
        }
        return folders;
    }

    /// <summary>Returns the day of sealing, the one time that every copy of the bundle states.</summary>
    private static DateTimeOffset SealedOn(IReadOnlyDictionary<string, string> info) =>
        DateTimeOffset.TryParseExact(
            info.GetValueOrDefault("Bagging-Date"), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day)
        && day >= DateTimeOffset.UnixEpoch
            ? day
            : DateTimeOffset.UnixEpoch;
}
