using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Reads files of a bundle and compares each with the manifest before any of its content is used, so that reading one item does
/// not require reading the whole bundle. <c>BundleVerifier</c> checks whether the bundle is complete, and who signed it.
/// </summary>
public sealed class SealedFiles : IDisposable
{
    private const int SmallFileLimit = 1024 * 1024;
    private const int MaxEntries = 1_000_000;
    private readonly FrozenDictionary<string, Digest> _manifest;
    private readonly ConcurrentDictionary<string, SealedBlocks> _blocks = new(StringComparer.Ordinal);

    private readonly BundleFiles _files;

    /// <summary>The files as they are, without a comparison.</summary>
    internal BundleFiles Files => _files;

    private SealedFiles(string path, BundleFiles files, Digest tagManifest, IEnumerable<ManifestEntry> manifest)
    {
        (Path, _files, TagManifestSha256) = (path, files, tagManifest);
        _manifest = manifest.ToFrozenDictionary(e => e.Path, e => e.Digest, StringComparer.Ordinal);
    }

    /// <summary>The full path of the bundle's folder or archive; for a shard, with the path of its archive in the bundle around it.</summary>
    public string Path { get; }

    /// <summary>The digest that identifies the whole bundle.</summary>
    public Digest TagManifestSha256 { get; }

    /// <summary>The members of <c>bag-info.txt</c>, the first of each label.</summary>
    public required IReadOnlyDictionary<string, string> Info { get; init; }

    /// <summary>Whether there is a signature. It is not checked here.</summary>
    public bool IsSigned => _files.Has(BundleLayout.Attestation);

    /// <summary>Reads a file that no manifest covers, as those of the attestation; null if there is none.</summary>
    /// <exception cref="InvalidDataException">It is too large, or not a regular file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public byte[]? ReadUncovered(string path) => _files.Has(path) ? Read(_files, path, SmallFileLimit) : null;

    /// <summary>Paths of every payload file from the bundle's root, in order.</summary>
    public IEnumerable<string> Paths => _manifest.Keys.Order(StringComparer.Ordinal);

    /// <summary>Reads the manifests of a bundle and compares them with each other.</summary>
    /// <param name="verified">
    /// The digest of the tag manifest that verification reported on; null when the bundle was not verified.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// It is not a sealed bundle, not the one that was verified, or its manifests do not agree; the message says how.
    /// </exception>
    /// <exception cref="IOException">A manifest cannot be read.</exception>
    public static SealedFiles Open(string bundle, Digest? verified = null)
    {
        var path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(bundle));
        // A missing file's attributes have every bit set, including that of links, so existence is checked first.
        var there = new DirectoryInfo(path);
        if ((there.Exists || there.LinkTarget is not null) && BundleTree.IsLink(there))
            throw new InvalidDataException($"{path} is a link; name the folder itself");
        if (there.Exists)
            return Open(path, new BundleFolder(path), verified);
        return File.Exists(path)
            ? Open(path, Archive(path, BundleArchive.Open(path, MaxEntries, CancellationToken.None)), verified)
            : throw new DirectoryNotFoundException($"there is no bundle {path}");
    }

    /// <summary>Opens a shard of this bundle: an archive that <see cref="ShardList"/> names.</summary>
    /// <inheritdoc cref="Open(string, Digest?)"/>
    public SealedFiles OpenShard(Shard shard)
    {
        var archive = BundleFile.Named(shard.Archive, () => _files.OpenArchive(shard.Archive, MaxEntries, CancellationToken.None));
        return Open($"{Path}/{shard.Archive}", Archive(shard.Archive, archive), shard.TagManifest);
    }

    /// <summary>Returns where a file of a tar lies in it, so that another process can read it there.</summary>
    /// <exception cref="FileNotFoundException">The archive has no such file.</exception>
    /// <exception cref="InvalidOperationException">The bundle is not in an archive that holds its files uncompressed.</exception>
    public (long Offset, long Length) PlaceOf(string path) =>
        (_files as BundleArchive)?.PlaceOf(path) ?? throw new InvalidOperationException($"{Path} is not a tar");

    /// <summary>Whether a file that the manifest names is in the bundle. Only archives of shards may be elsewhere.</summary>
    public bool IsHere(string path) => _files.Has(path);

    private static SealedFiles Open(string path, BundleFiles files, Digest? verified)
    {
        if (files.Name.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal))
            throw new InvalidDataException($"{path} was never sealed");
        var tags = Read(files, BundleLayout.TagManifest, SmallFileLimit);
        if (verified is { } expected && Digest.Of(tags) != expected)
            throw new InvalidDataException($"{BundleLayout.TagManifest} is not the one that was verified: the bundle was replaced in the meantime");
        if (ManifestText.ParseTags(tags) is not { } covered)
            throw new InvalidDataException($"{BundleLayout.TagManifest} is not the tag manifest of a bundle");
        var (manifest, info) = (ReadOnlyMemory<byte>.Empty, ReadOnlyMemory<byte>.Empty);
        foreach (var (tag, digest) in covered)
        {
            var content = Read(files, tag, BundleFile.DefaultLimit);
            if (Digest.Of(content) != digest)
                throw Changed(tag);
            if (tag == BundleLayout.Manifest)
                manifest = content;
            if (tag == BundleLayout.BagInfo)
                info = content;
        }
        var (entries, faults) = ManifestText.Parse(manifest.Span, MaxEntries);
        return faults is [var fault, ..]
            ? throw new InvalidDataException($"{fault.Path}: {fault.Message}")
            : new(path, files, Digest.Of(tags), entries) { Info = Members(info.Span) };
    }

    private static BundleArchive Archive(string path, (BundleArchive? Archive, IReadOnlyList<ManifestFault> Faults) opened) =>
        opened.Archive ?? throw BundleArchive.Unsafe(path, opened.Faults[0]);

    /// <summary>Whether the manifest names the file.</summary>
    public bool Has(string path) => _manifest.ContainsKey(path);

    /// <summary>Returns the file's digest according to the manifest.</summary>
    /// <exception cref="InvalidDataException">The manifest does not name it.</exception>
    public Digest DigestOf(string path) => _manifest.TryGetValue(path, out var digest)
        ? digest
        : throw new InvalidDataException($"{path} is in no manifest of the bundle");

    /// <summary>Reads the content of a file and compares it with its digest in the manifest.</summary>
    /// <param name="limit">The largest allowed size in bytes.</param>
    /// <exception cref="InvalidDataException">
    /// Its content differs, it is too large, or it is not a regular file; the message names it.
    /// </exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public byte[] Read(string path, long limit = BundleFile.DefaultLimit)
    {
        var expected = DigestOf(path);
        var content = Read(_files, path, limit);
        return Digest.Of(content) == expected ? content : throw Changed(path);
    }

    /// <summary>
    /// Opens a file of any size, with little memory. No byte is returned before it was compared with the manifest, so when a file
    /// is replaced while it is read, reading fails. The stream can seek.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// Its content differs, or it is not a regular file, here or while it is read; the message names it.
    /// </exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public Stream OpenFile(string path, CancellationToken cancellationToken = default)
    {
        var expected = DigestOf(path);
        var (bytes, owner) = BundleFile.Named(path, () => _files.Open(path, cancellationToken));
        try
        {
            if (bytes.Length <= SealedBlocks.Size)
            {
                owner?.Dispose();
                return new MemoryStream(Read(path), writable: false);
            }
            if (!_blocks.TryGetValue(path, out var blocks))
                _blocks[path] = blocks = Compare(bytes, path, expected, cancellationToken);
            return new SealedStream(bytes, owner, path, blocks);
        }
        catch
        {
            owner?.Dispose();
            throw;
        }
    }

    /// <summary>Closes an archive. A folder holds nothing open.</summary>
    public void Dispose() => _files.Dispose();

    internal static InvalidDataException Changed(string path) =>
        new($"{path} is not the file that was sealed: its SHA-256 differs from the manifest's");

    private static Dictionary<string, string> Members(ReadOnlySpan<byte> info) => Encoding.UTF8.GetString(info).Split('\n')
        .Select(l => l.Split(": ", 2)).Where(l => l.Length == 2).DistinctBy(l => l[0]).ToDictionary(l => l[0], l => l[1], StringComparer.Ordinal);

    private static SealedBlocks Compare(FileBytes file, string path, Digest expected, CancellationToken cancellationToken)
    {
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var digests = new List<Digest>();
        var buffer = new byte[SealedBlocks.Size];
        var length = 0L;
        for (int read; (read = file.Fill(buffer, length)) > 0; length += read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            whole.AppendData(buffer, 0, read);
            digests.Add(Digest.Of(buffer.AsSpan(0, read)));
        }
        return Digest.FromHash(whole.GetHashAndReset()) == expected ? new(length, digests) : throw Changed(path);
    }

    private static byte[] Read(BundleFiles files, string path, long limit) => BundleFile.Named(path, () =>
        files.Read(path, limit) ?? throw new InvalidDataException($"{path} is larger than {limit} bytes"));
}
