using System.Collections.Concurrent;
using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Reads the files of a bundle, sealed or about to be sealed. Each file of a sealed bundle is compared with the manifest before its content
/// is used. A folder that is still being written has no manifest, and only this program has written to it.
/// </summary>
internal sealed class BundleFolder
{
    private const int BufferSize = 64 * 1024;
    private readonly SealedFiles? _sealed;
    private readonly ConcurrentDictionary<string, Digest> _digests = new(StringComparer.Ordinal);

    private BundleFolder(string path, SealedFiles? files) => (Path, _sealed) = (path, files);

    /// <summary>The full path of the bundle's root.</summary>
    public string Path { get; }

    /// <summary>The SHA-256 of the tag manifest, which covers the whole bundle; null without a manifest.</summary>
    public Digest? TagManifestSha256 => _sealed?.TagManifestSha256;

    /// <summary>Whether files are compared with a manifest.</summary>
    public bool IsSealed => _sealed is not null;

    /// <summary>Returns the value of a label in <c>bag-info.txt</c> of a sealed bundle; null if it has none.</summary>
    public string? Info(string label) => _sealed?.Info.GetValueOrDefault(label);

    /// <summary>Whether there is a signature. The signature is not verified here.</summary>
    public bool IsSigned => _sealed is { IsSigned: true };

    /// <summary>Opens a sealed bundle and compares its manifests with each other.</summary>
    /// <param name="verified">The tag manifest's digest that verification reported; null where the bundle was not verified.</param>
    /// <inheritdoc cref="SealedFiles.Open" path="/exception"/>
    public static BundleFolder Sealed(string folder, Digest? verified = null)
    {
        var files = SealedFiles.Open(folder, verified);
        return new(files.Path, files);
    }

    /// <summary>Opens a folder that this program is writing and will seal, or one that is known to differ from its manifest.</summary>
    public static BundleFolder WithoutManifest(string folder) => new(System.IO.Path.GetFullPath(folder), null);

    /// <summary>
    /// Returns the paths of the payload files below a folder, relative to the bundle's root, in order; for a sealed bundle, those in its
    /// manifest.
    /// </summary>
    /// <param name="folder">Ends with a slash, for example <c>data/controls/</c>.</param>
    public ImmutableArray<string> Below(string folder) => _sealed is { } files
        ? [.. files.Paths.Where(p => p.StartsWith(folder, StringComparison.Ordinal))]
        : !Directory.Exists(System.IO.Path.Combine(Path, folder)) ? []
        :
        [
            .. Directory.EnumerateFiles(System.IO.Path.Combine(Path, folder), "*", SearchOption.AllDirectories)
                .Select(f => System.IO.Path.GetRelativePath(Path, f).Replace('\\', '/')).Order(StringComparer.Ordinal),
        ];

    /// <summary>Whether the bundle has the file; for a sealed bundle, whether the manifest lists it.</summary>
    public bool Has(string path) => _sealed?.Has(path) ?? File.Exists(PathOf(path));

    /// <summary>Returns the SHA-256 of a file: the one in the manifest or, without a manifest, the one computed from the file.</summary>
    /// <exception cref="InvalidDataException">The manifest does not list the file, or the path cannot be one of a bundle.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public Digest DigestOf(string path) => _sealed is { } files ? files.DigestOf(path) : _digests.GetOrAdd(path, p =>
    {
        _ = PathOf(p);
        return BundleFile.Hash(Path, p);
    });

    /// <summary>Reads the whole content of a file.</summary>
    /// <inheritdoc cref="SealedFiles.Read" path="/exception"/>
    public byte[] Read(string path) => _sealed is { } files ? files.Read(path) : BundleFile.Read(Path, path);

    /// <summary>Opens a file of any size. For a sealed bundle, the stream yields no byte that was not compared with the manifest.</summary>
    /// <inheritdoc cref="SealedFiles.OpenFile" path="/exception"/>
    public Stream Open(string path, CancellationToken cancellationToken = default)
    {
        if (_sealed is { } files)
            return files.OpenFile(path, cancellationToken);
        _ = PathOf(path);
        return new BufferedStream(BundleFile.Open(Path, path), BufferSize);
    }

    /// <summary>Returns the full path of a file that the bundle names. Rejects names that lead out of the bundle.</summary>
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
