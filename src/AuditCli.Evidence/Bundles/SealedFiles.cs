using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace AuditCli.Evidence.Bundles;

/// <summary>
/// The files of a bundle, each compared with the manifest before anything of it is used, so that a look at one item need not read the
/// whole bundle. Whether the bundle is whole, and who signed it, is for <see cref="BundleVerifier"/> to say.
/// </summary>
public sealed class SealedFiles
{
    private const int SmallFileLimit = 1024 * 1024;
    private const int MaxEntries = 1_000_000;
    private readonly FrozenDictionary<string, Digest> _manifest;
    private readonly ConcurrentDictionary<string, string> _checked = new(StringComparer.Ordinal);

    private SealedFiles(string folder, Digest tagManifest, IEnumerable<ManifestEntry> manifest)
    {
        (Folder, TagManifestSha256) = (folder, tagManifest);
        _manifest = manifest.ToFrozenDictionary(e => e.Path, e => e.Digest, StringComparer.Ordinal);
    }

    /// <summary>The bundle's root, full path.</summary>
    public string Folder { get; }

    /// <summary>The digest that stands for the whole bundle.</summary>
    public Digest TagManifestSha256 { get; }

    /// <summary>Whether there is a signature, which nothing here checks.</summary>
    public bool IsSigned => Directory.Exists(Path.Combine(Folder, BundlePaths.Attestation));

    /// <summary>Paths of every payload file from the bundle's root, in order.</summary>
    public IEnumerable<string> Paths => _manifest.Keys.Order(StringComparer.Ordinal);

    /// <summary>Reads the manifests of a bundle and compares them with each other.</summary>
    /// <exception cref="InvalidDataException">It is no sealed bundle, or its manifests do not agree; the message says how.</exception>
    /// <exception cref="IOException">A manifest cannot be read.</exception>
    public static SealedFiles Open(string bundle)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(bundle));
        if (folder.EndsWith(BundleWriter.PartialSuffix, StringComparison.Ordinal))
            throw new InvalidDataException($"{folder} was never sealed");
        // The attributes of what is not there have every bit, that of links too.
        var there = new DirectoryInfo(folder);
        if ((there.Exists || there.LinkTarget is not null) && BundleTree.IsLink(there))
            throw new InvalidDataException($"{folder} is a link; name the folder itself");
        if (!there.Exists)
            throw new DirectoryNotFoundException($"there is no bundle {folder}");
        var tags = BundleFile.Read(folder, BundlePaths.TagManifest, SmallFileLimit);
        if (ManifestText.ParseTags(tags) is not { } covered)
            throw new InvalidDataException($"{BundlePaths.TagManifest} is not the tag manifest of a bundle");
        var manifest = ReadOnlyMemory<byte>.Empty;
        foreach (var (path, digest) in covered)
        {
            var content = BundleFile.Read(folder, path);
            if (Digest.Of(content) != digest)
                throw Changed(path);
            if (path == BundlePaths.Manifest)
                manifest = content;
        }
        var (entries, faults) = ManifestText.Parse(manifest.Span, MaxEntries);
        return faults is [var fault, ..]
            ? throw new InvalidDataException($"{fault.Path}: {fault.Message}")
            : new(folder, Digest.Of(tags), entries);
    }

    /// <summary>Whether the manifest names the file.</summary>
    public bool Has(string path) => _manifest.ContainsKey(path);

    /// <summary>What the manifest says that the file's digest is.</summary>
    /// <exception cref="InvalidDataException">The manifest does not name it.</exception>
    public Digest DigestOf(string path) => _manifest.TryGetValue(path, out var digest)
        ? digest
        : throw new InvalidDataException($"{path} is in no manifest of the bundle");

    /// <summary>The content of a file, once it has the digest that the manifest says.</summary>
    /// <param name="limit">In bytes.</param>
    /// <exception cref="InvalidDataException">It is another file, too large, or no file at all; the message names it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public byte[] Read(string path, long limit = BundleFile.DefaultLimit)
    {
        var expected = DigestOf(path);
        var content = BundleFile.Read(Folder, path, limit);
        return Digest.Of(content) == expected ? content : throw Changed(path);
    }

    /// <summary>The full path of a file that has the digest that the manifest says; each is read once to find out.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public string Check(string path, CancellationToken cancellationToken = default)
    {
        if (_checked.TryGetValue(path, out var known))
            return known;
        var expected = DigestOf(path);
        var full = Path.Combine(Folder, path);
        try
        {
            if (SafeFile.Hash(full, cancellationToken).Digest != expected)
                throw Changed(path);
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException($"{path} is not a regular file", e);
        }
        return _checked.GetOrAdd(path, full);
    }

    private static InvalidDataException Changed(string path) => new($"{path} is not the file that was sealed: its SHA-256 is another than the manifest's");
}
