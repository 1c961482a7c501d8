using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// Reads files of a bundle and compares each with the manifest before any of its content is used, so that reading one item does
/// not require reading the whole bundle. <c>BundleVerifier</c> checks whether the bundle is complete, and who signed it.
/// </summary>
public sealed class SealedFiles
{
    private const int SmallFileLimit = 1024 * 1024;
    private const int MaxEntries = 1_000_000;
    private readonly FrozenDictionary<string, Digest> _manifest;
    private readonly ConcurrentDictionary<string, SealedBlocks> _blocks = new(StringComparer.Ordinal);

    private SealedFiles(string folder, Digest tagManifest, IEnumerable<ManifestEntry> manifest)
    {
        (Folder, TagManifestSha256) = (folder, tagManifest);
        _manifest = manifest.ToFrozenDictionary(e => e.Path, e => e.Digest, StringComparer.Ordinal);
    }

    /// <summary>The full path of the bundle's root.</summary>
    public string Folder { get; }

    /// <summary>The digest that identifies the whole bundle.</summary>
    public Digest TagManifestSha256 { get; }

    /// <summary>The members of <c>bag-info.txt</c>, the first of each label.</summary>
    public required IReadOnlyDictionary<string, string> Info { get; init; }

    /// <summary>Whether there is a signature. It is not checked here.</summary>
    public bool IsSigned => Directory.Exists(Path.Combine(Folder, BundleLayout.Attestation));

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
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(bundle));
        if (folder.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal))
            throw new InvalidDataException($"{folder} was never sealed");
        // A missing file's attributes have every bit set, including that of links, so existence is checked first.
        var there = new DirectoryInfo(folder);
        if ((there.Exists || there.LinkTarget is not null) && BundleTree.IsLink(there))
            throw new InvalidDataException($"{folder} is a link; name the folder itself");
        if (!there.Exists)
            throw new DirectoryNotFoundException($"there is no bundle {folder}");
        var tags = BundleFile.Read(folder, BundleLayout.TagManifest, SmallFileLimit);
        if (verified is { } expected && Digest.Of(tags) != expected)
            throw new InvalidDataException($"{BundleLayout.TagManifest} is not the one that was verified: the bundle was replaced in the meantime");
        if (ManifestText.ParseTags(tags) is not { } covered)
            throw new InvalidDataException($"{BundleLayout.TagManifest} is not the tag manifest of a bundle");
        var (manifest, info) = (ReadOnlyMemory<byte>.Empty, ReadOnlyMemory<byte>.Empty);
        foreach (var (path, digest) in covered)
        {
            var content = BundleFile.Read(folder, path);
            if (Digest.Of(content) != digest)
                throw Changed(path);
            if (path == BundleLayout.Manifest)
                manifest = content;
            if (path == BundleLayout.BagInfo)
                info = content;
        }
        var (entries, faults) = ManifestText.Parse(manifest.Span, MaxEntries);
        return faults is [var fault, ..]
            ? throw new InvalidDataException($"{fault.Path}: {fault.Message}")
            : new(folder, Digest.Of(tags), entries) { Info = Members(info.Span) };
    }

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
        var content = BundleFile.Read(Folder, path, limit);
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
        var file = BundleFile.Open(Folder, path);
        try
        {
            if (file.Length <= SealedBlocks.Size)
            {
                file.Dispose();
                return new MemoryStream(Read(path), writable: false);
            }
            if (!_blocks.TryGetValue(path, out var blocks))
                _blocks[path] = blocks = Compare(file, path, expected, cancellationToken);
            return new SealedStream(file.SafeFileHandle, path, blocks);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    internal static InvalidDataException Changed(string path) =>
        new($"{path} is not the file that was sealed: its SHA-256 differs from the manifest's");

    private static Dictionary<string, string> Members(ReadOnlySpan<byte> info) => Encoding.UTF8.GetString(info).Split('\n')
        .Select(l => l.Split(": ", 2)).Where(l => l.Length == 2).DistinctBy(l => l[0]).ToDictionary(l => l[0], l => l[1], StringComparer.Ordinal);

    private static SealedBlocks Compare(FileStream file, string path, Digest expected, CancellationToken cancellationToken)
    {
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var digests = new List<Digest>();
        var buffer = new byte[SealedBlocks.Size];
        var length = 0L;
        for (int read; (read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)) > 0; length += read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            whole.AppendData(buffer, 0, read);
            digests.Add(Digest.Of(buffer.AsSpan(0, read)));
        }
        return Digest.FromHash(whole.GetHashAndReset()) == expected ? new(length, digests) : throw Changed(path);
    }
}
