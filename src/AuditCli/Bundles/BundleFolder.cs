using System.Collections.Concurrent;
using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Bundles;

/// <summary>
/// The files of a bundle, sealed or about to be. Those of a sealed bundle are compared with its manifest before anything of them is
/// used; a folder that is still being written has no manifest, and only its own program wrote it.
/// </summary>
internal sealed class BundleFolder
{
    private const int BufferSize = 64 * 1024;
    private readonly SealedFiles? _sealed;
    private readonly ConcurrentDictionary<string, Digest> _digests = new(StringComparer.Ordinal);

    private BundleFolder(string path, SealedFiles? files) => (Path, _sealed) = (path, files);

    /// <summary>The bundle's root, full path.</summary>
    public string Path { get; }

    /// <summary>The digest that covers the whole bundle; null without a manifest.</summary>
    public Digest? TagManifestSha256 => _sealed?.TagManifestSha256;

    /// <summary>Whether files are compared with a manifest.</summary>
    public bool IsSealed => _sealed is not null;

    /// <summary>What <c>bag-info.txt</c> of a sealed bundle says under a label; null where it says nothing.</summary>
    public string? Info(string label) => _sealed?.Info.GetValueOrDefault(label);

    /// <summary>Whether there is a signature, which nothing here checks.</summary>
    public bool IsSigned => _sealed is { IsSigned: true };

    /// <summary>Opens a sealed bundle and compares its manifests with each other.</summary>
    /// <param name="verified">The tag manifest's digest that verification reported; null where the bundle was not verified.</param>
    /// <inheritdoc cref="SealedFiles.Open" path="/exception"/>
    public static BundleFolder Sealed(string folder, Digest? verified = null)
    {
        var files = SealedFiles.Open(folder, verified);
        return new(files.Folder, files);
    }

    /// <summary>A folder that this program is writing and will seal, or one that is already known not to be what its manifest says.</summary>
    public static BundleFolder WithoutManifest(string folder) => new(System.IO.Path.GetFullPath(folder), null);

    /// <summary>Paths of the payload files below a folder, from the bundle's root, in order; of a sealed bundle those of its manifest.</summary>
    /// <param name="folder">Ends with a slash, as <c>data/controls/</c>.</param>
    public ImmutableArray<string> Below(string folder) => _sealed is { } files
        ? [.. files.Paths.Where(p => p.StartsWith(folder, StringComparison.Ordinal))]
        : !Directory.Exists(System.IO.Path.Combine(Path, folder)) ? []
        :
        [
            .. Directory.EnumerateFiles(System.IO.Path.Combine(Path, folder), "*", SearchOption.AllDirectories)
                .Select(f => System.IO.Path.GetRelativePath(Path, f).Replace('\\', '/')).Order(StringComparer.Ordinal),
        ];

    /// <summary>Whether the bundle has the file.</summary>
    public bool Has(string path) => _sealed?.Has(path) ?? File.Exists(PathOf(path));

    /// <summary>The digest of a file: what the manifest says, or without a manifest what the file has.</summary>
    /// <exception cref="InvalidDataException">The manifest does not name it, or it cannot be a file of a bundle.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public Digest DigestOf(string path) => _sealed is { } files ? files.DigestOf(path) : _digests.GetOrAdd(path, p =>
    {
        _ = PathOf(p);
        return BundleFile.Hash(Path, p);
    });

    /// <summary>The whole content of a file.</summary>
    /// <inheritdoc cref="SealedFiles.Read" path="/exception"/>
    public byte[] Read(string path) => _sealed is { } files ? files.Read(path) : BundleFile.Read(Path, path);

    /// <summary>The content of a file, however large it is; of a sealed bundle nothing is handed out that was not compared with the manifest.</summary>
    /// <inheritdoc cref="SealedFiles.OpenFile" path="/exception"/>
    public Stream Open(string path, CancellationToken cancellationToken = default)
    {
        if (_sealed is { } files)
            return files.OpenFile(path, cancellationToken);
        _ = PathOf(path);
        return new BufferedStream(BundleFile.Open(Path, path), BufferSize);
    }

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
