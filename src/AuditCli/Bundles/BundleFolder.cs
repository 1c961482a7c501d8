using System.Collections.Concurrent;
using System.Collections.Immutable;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Reads the files of a bundle, sealed or about to be sealed. Each file of a sealed bundle is compared with the manifest before its content
/// is used. A folder that is still being written has no manifest, and only this program has written to it.
/// </summary>
/// <remarks>
/// In a bundle over bundles, <c>data/shards/&lt;id&gt;.tar/</c> and a path are a file of that shard. Questions (engagement, controls, inputs)
/// that the bundle does not hold itself are those of its first shard, because verification requires them to be equal in all.
/// </remarks>
internal sealed class BundleFolder
{
    private const int BufferSize = 64 * 1024;
    private readonly SealedFiles? _sealed;
    private readonly ConcurrentDictionary<string, Digest> _digests = new(StringComparer.Ordinal);
    private readonly Lazy<ImmutableArray<Shard>> _shards;
    private (string Id, BundleFolder Files)? _lastShard;

    private BundleFolder(string path, SealedFiles? files)
    {
        (Path, _sealed) = (path, files);
        _shards = new(() => HasOwn(BundleLayout.Shards) ? ShardList.Read(Read(BundleLayout.Shards)) : []);
    }

    /// <summary>The full path of the bundle's root.</summary>
    public string Path { get; }

    /// <summary>The SHA-256 of the tag manifest, which covers the whole bundle; null without a manifest.</summary>
    public Digest? TagManifestSha256 => _sealed?.TagManifestSha256;

    /// <summary>Whether files are compared with a manifest.</summary>
    public bool IsSealed => _sealed is not null;

    /// <summary>Returns the value of a label in <c>bag-info.txt</c> of a sealed bundle; null if it has none.</summary>
    public string? Info(string label) => _sealed?.Info.GetValueOrDefault(label);

    /// <summary>The labels in <c>bag-info.txt</c> of a sealed bundle, in order.</summary>
    public IEnumerable<string> Labels => _sealed?.Info.Keys.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>();

    /// <summary>Whether there is a signature. The signature is not verified here.</summary>
    public bool IsSigned => _sealed is { IsSigned: true };

    /// <summary>The signed statement of a sealed bundle; null if it has none. The signature is not verified here.</summary>
    /// <exception cref="InvalidDataException">It is not a statement.</exception>
    public (Digest Sha256, Digest SignerKey)? Signature => _sealed?.ReadUncovered(BundleStatement.FilePath) is { } statement
        ? (Digest.Of(statement), BundleStatement.Read(statement).SignerKey)
        : null;

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

    /// <summary>The sealed bundles of which this one is made, in the order in which their evidence is read.</summary>
    /// <exception cref="InvalidDataException">Their list has another form.</exception>
    public ImmutableArray<Shard> Shards => _shards.Value;

    /// <summary>Whether a shard is in the bundle; if not, it lies elsewhere.</summary>
    public bool IsHere(Shard shard) => _sealed?.IsHere(shard.Archive) ?? File.Exists(System.IO.Path.Combine(Path, shard.Archive));

    /// <summary>The shards that lie elsewhere, those of shards included.</summary>
    public IEnumerable<Shard> Missing => Shards.SelectMany(s => IsHere(s) ? OpenShard(s).Missing : [s]);

    /// <summary>Opens a shard. The one that was opened last is kept, so that memory holds one at a time.</summary>
    /// <exception cref="InvalidDataException">It is not the bundle that the list names, or not safe to read.</exception>
    /// <exception cref="IOException">It is not here, or cannot be read.</exception>
    public BundleFolder OpenShard(Shard shard)
    {
        if (_lastShard is { } last && last.Id == shard.BundleId)
            return last.Files;
        var files = _sealed?.OpenShard(shard) ?? SealedFiles.Open(System.IO.Path.Combine(Path, shard.Archive), shard.TagManifest);
        var opened = new BundleFolder(files.Path, files);
        _lastShard = (shard.BundleId, opened);
        return opened;
    }

    /// <summary>
    /// Returns the paths of the payload files below a folder, relative to the bundle's root, in order; for a sealed bundle, those in its
    /// manifest.
    /// </summary>
    /// <param name="folder">Ends with a slash, for example <c>data/controls/</c>.</param>
    public ImmutableArray<string> Below(string folder)
    {
        var own = OwnBelow(folder);
        return IsQuestion(folder)
            ? own.IsEmpty && First is { } first ? first.Below(folder) : own
            : [.. own, .. Here.SelectMany(s => OpenShard(s).Below(folder).Select(p => $"{s.Archive}/{p}"))];
    }

    /// <summary>Returns the paths at which a file is, in the bundle itself and then in its shards.</summary>
    public IEnumerable<string> Everywhere(string path) =>
        (HasOwn(path) ? [path] : Enumerable.Empty<string>())
            .Concat(Here.SelectMany(s => OpenShard(s).Everywhere(path).Select(p => $"{s.Archive}/{p}")));

    /// <summary>Whether the bundle has the file; for a sealed bundle, whether the manifest lists it.</summary>
    public bool Has(string path) => Of(path) is var (files, own) && files.HasOwn(own);

    /// <summary>Returns the SHA-256 of a file: the one in the manifest or, without a manifest, the one computed from the file.</summary>
    /// <exception cref="InvalidDataException">The manifest does not list the file, or the path cannot be one of a bundle.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public Digest DigestOf(string path)
    {
        var (files, own) = Of(path);
        return files._sealed is { } manifest ? manifest.DigestOf(own) : files._digests.GetOrAdd(own, p =>
        {
            _ = files.PathOf(p);
            return BundleFile.Hash(files.Path, p);
        });
    }

    /// <summary>Reads the whole content of a file.</summary>
    /// <inheritdoc cref="SealedFiles.Read" path="/exception"/>
    public byte[] Read(string path)
    {
        var (files, own) = Of(path);
        return files._sealed?.Read(own) ?? BundleFile.Read(files.Path, own);
    }

    /// <summary>Returns where a file of a bundle in a tar lies in it.</summary>
    /// <exception cref="InvalidOperationException">The bundle is not in a tar.</exception>
    /// <exception cref="FileNotFoundException">It has no such file.</exception>
    public FileRange PlaceOf(string path) => _sealed?.PlaceOf(path) is var (offset, length)
        ? new(offset, length)
        : throw new InvalidOperationException($"{Path} is not sealed");

    /// <summary>Opens a file of any size. For a sealed bundle, the stream yields no byte that was not compared with the manifest.</summary>
    /// <inheritdoc cref="SealedFiles.OpenFile" path="/exception"/>
    public Stream Open(string path, CancellationToken cancellationToken = default)
    {
        var (files, own) = Of(path);
        if (files._sealed is { } manifest)
            return manifest.OpenFile(own, cancellationToken);
        _ = files.PathOf(own);
        return new BufferedStream(BundleFile.Open(files.Path, own), BufferSize);
    }

    private IEnumerable<Shard> Here => Shards.Where(IsHere);

    private BundleFolder? First => Here.FirstOrDefault() is { } first ? OpenShard(first) : null;

    /// <summary>Returns the bundle in which a file is, and its path there.</summary>
    private (BundleFolder Files, string Own) Of(string path)
    {
        if (ShardPath.Split(path) is { } inside && Shards.FirstOrDefault(s => s.Archive == inside.Archive) is { } shard)
            return OpenShard(shard).Of(inside.Path);
        return HasOwn(path) || !IsQuestion(path) || First is not { } first ? (this, path) : first.Of(path);
    }

    private static bool IsQuestion(string path) => path == BundleLayout.Engagement
        || path.StartsWith(BundleLayout.ControlsFolder, StringComparison.Ordinal)
        || path.StartsWith(BundleLayout.InputsFolder, StringComparison.Ordinal);

    private bool HasOwn(string path) => _sealed?.Has(path) ?? File.Exists(PathOf(path));

    private ImmutableArray<string> OwnBelow(string folder) => _sealed is { } files
        ? [.. files.Paths.Where(p => p.StartsWith(folder, StringComparison.Ordinal))]
        : !Directory.Exists(System.IO.Path.Combine(Path, folder)) ? []
        :
        [
            .. Directory.EnumerateFiles(System.IO.Path.Combine(Path, folder), "*", SearchOption.AllDirectories)
                .Select(f => System.IO.Path.GetRelativePath(Path, f).Replace('\\', '/')).Order(StringComparer.Ordinal),
        ];

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
