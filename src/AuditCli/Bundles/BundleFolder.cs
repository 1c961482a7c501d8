using System.Collections.Concurrent;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Bundles;

/// <summary>
/// The files of a bundle, sealed or about to be. Those of a sealed bundle are compared with its manifest before anything of them is
/// used; a folder that is still being written has no manifest, and only its own program wrote it.
/// </summary>
internal sealed class BundleFolder
{
    private readonly SealedFiles? _sealed;
    private readonly ConcurrentDictionary<string, Digest> _digests = new(StringComparer.Ordinal);

    private BundleFolder(string path, SealedFiles? files) => (Path, _sealed) = (path, files);

    /// <summary>The bundle's root, full path.</summary>
    public string Path { get; }

    /// <summary>The digest that covers the whole bundle; null without a manifest.</summary>
    public Digest? TagManifestSha256 => _sealed?.TagManifestSha256;

    /// <summary>Whether there is a signature, which nothing here checks.</summary>
    public bool IsSigned => _sealed is { IsSigned: true };

    /// <summary>Paths of every payload file of a sealed bundle, from its root, in order; none without a manifest.</summary>
    public IEnumerable<string> Paths => _sealed?.Paths ?? [];

    /// <summary>Opens a sealed bundle and compares its manifests with each other.</summary>
    /// <inheritdoc cref="SealedFiles.Open" path="/exception"/>
    public static BundleFolder Sealed(string folder)
    {
        var files = SealedFiles.Open(folder);
        return new(files.Folder, files);
    }

    /// <summary>A folder that this program is writing and will seal, or whose manifest somebody else has looked at.</summary>
    public static BundleFolder WithoutManifest(string folder) => new(System.IO.Path.GetFullPath(folder), null);

    /// <summary>Whether the bundle has the file.</summary>
    public bool Has(string path) => _sealed?.Has(path) ?? File.Exists(PathOf(path));

    /// <summary>The digest of a file: what the manifest says, or without a manifest what the file has.</summary>
    /// <exception cref="InvalidDataException">The manifest does not name it, or it cannot be a file of a bundle.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public Digest DigestOf(string path) => _sealed is { } files ? files.DigestOf(path) : _digests.GetOrAdd(path, p =>
    {
        using var file = File.OpenRead(PathOf(p));
        return Digest.FromHash(System.Security.Cryptography.SHA256.HashData(file));
    });

    /// <summary>The whole content of a file.</summary>
    /// <inheritdoc cref="SealedFiles.Read" path="/exception"/>
    public byte[] Read(string path) => _sealed is { } files ? files.Read(path) : BundleFile.Read(Path, path);

    /// <summary>The full path of a file, which in a sealed bundle has the digest that the manifest says.</summary>
    /// <inheritdoc cref="SealedFiles.Check" path="/exception"/>
    public string Check(string path, CancellationToken cancellationToken = default) => _sealed?.Check(path, cancellationToken) ?? PathOf(path);

    /// <summary>Where a file is that the bundle names; a name may not lead out of it.</summary>
    private string PathOf(string path)
    {
        try
        {
            return System.IO.Path.Combine([Path, .. path.Split('/').Select(BundlePaths.Segment)]);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"the index of evidence names '{PrintableText.Of(path)}', which cannot be a file of the bundle", e);
        }
    }
}
