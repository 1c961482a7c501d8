using System.Collections.Immutable;
using System.Text;
using AuditCli.Evidence.Tables;

namespace AuditCli.Evidence.Bundles;

/// <summary>The contents of <c>bag-info.txt</c> besides the bundle's identifier and totals (RFC 8493, section 2.2.2).</summary>
/// <param name="SoftwareAgent">The tool and its version.</param>
/// <param name="BaggingDate">The day of sealing.</param>
/// <param name="RetainUntil">The last day on which the bundle must be kept; null when none was given.</param>
public sealed record BagInfo(string SoftwareAgent, DateOnly BaggingDate, DateOnly? RetainUntil)
{
    /// <summary>The archives of shards that are not in the bundle.</summary>
    public ImmutableArray<FetchEntry> Elsewhere { get; init; } = [];
}

/// <summary>A finished bundle, and the digest that covers all of it.</summary>
public sealed record SealedBundle(string Path, Digest TagManifestSha256);

/// <summary>
/// Writes one bundle into <c>&lt;bundle-id&gt;.partial/</c>, and renames it to <c>&lt;bundle-id&gt;/</c> when it is sealed (a
/// BagIt bag, RFC 8493). On any failure only the partial folder stays. It is safe for any number of callers. The files that they
/// opened must be closed before sealing, which otherwise fails.
/// </summary>
public sealed class BundleWriter : IAsyncDisposable
{
    /// <summary>The suffix of the folder name of a bundle that is not sealed.</summary>
    public const string PartialSuffix = ".partial";

    private readonly string _outFolder;
    private readonly string _bundleId;
    private readonly FileStream _index;
    private readonly BegunBundle? _begun;
    private readonly SemaphoreSlim _indexTurn = new(1, 1);
    private bool _indexFailed;
    private bool _indexEnded;
    private bool _sealed;

    private BundleWriter(string outFolder, string bundleId, FileStream index, BegunBundle? begun)
    {
        _outFolder = outFolder;
        _bundleId = bundleId;
        _index = index;
        _begun = begun;
    }

    /// <summary>The bundle's folder until it is sealed.</summary>
    public string PartialFolder => Path.Combine(_outFolder, _bundleId + PartialSuffix);

    /// <summary>The bundle's identifier as it appears in the folder name.</summary>
    public string BundleId => _bundleId;

    /// <summary>
    /// Makes record identifiers unique: the bundle's identifier, and how often it was begun, because those of an earlier attempt may be kept.
    /// </summary>
    public string Seed => _begun is { Earlier.Length: > 0 and var times } ? $"{_bundleId}/{times + 1}" : _bundleId;

    /// <summary>Creates the partial folder.</summary>
    /// <exception cref="IOException">
    /// It exists, or a bundle of that name does, or it cannot be created; the message names the folder and the cause.
    /// </exception>
    /// <exception cref="ArgumentException">The identifier cannot name a folder; see <see cref="BundlePaths.Segment"/>.</exception>
    /// <param name="goesOn">Whether another process can go on with it (<see cref="Continue"/>), from when <see cref="Keep"/> was called.</param>
    public static BundleWriter Create(string outFolder, string bundleId, bool goesOn = false)
    {
        var id = BundlePaths.Segment(bundleId);
        var root = Path.GetFullPath(outFolder);
        foreach (var taken in new[] { Path.Combine(root, id), Path.Combine(root, id + PartialSuffix) })
        {
            if (Path.Exists(taken))
                throw new IOException($"cannot begin a bundle: {taken} exists already");
        }
        return Begin(root, id, () => goesOn ? BegunBundle.Open(root, id) : null);
    }

    /// <summary>
    /// Takes over the partial folder of a process that ended. What it had written becomes <see cref="Earlier"/>, and the bundle is empty.
    /// </summary>
    /// <exception cref="IOException">Another process is writing it, or the folder cannot be changed; the message says so.</exception>
    public static BundleWriter Continue(string partialFolder)
    {
        var (root, id) = (Path.GetDirectoryName(Path.GetFullPath(partialFolder))!, Path.GetFileName(partialFolder)[..^PartialSuffix.Length]);
        return Begin(root, id, () => BegunBundle.TakeOver(root, id));
    }

    /// <summary>Creates the partial folder of a shard, in this bundle.</summary>
    /// <inheritdoc cref="Create" path="/exception"/>
    public BundleWriter CreateShard(string bundleId) => Begin(CheckedPath(BundleLayout.ShardsFolder.TrimEnd('/')), BundlePaths.Segment(bundleId), () => null);

    private static BundleWriter Begin(string root, string id, Func<BegunBundle?> open)
    {
        BegunBundle? begun = null;
        try
        {
            var index = Path.Combine(root, id + PartialSuffix, BundleLayout.EvidenceIndex);
            begun = open();
            Directory.CreateDirectory(Path.GetDirectoryName(index)!);
            return new(root, id, new(index, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0), begun);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            begun?.Dispose();
            throw new IOException($"cannot begin a bundle in {root}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Keeps what a process needs to go on with the bundle, beside the folder, until the bundle is sealed. It is on the disk when this returns.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Keep(ReadOnlySpan<byte> questions) => _begun?.Keep(questions);

    /// <summary>The folders that were the <c>data</c> of this bundle when earlier processes ended, the newest first.</summary>
    public ImmutableArray<string> Earlier => _begun?.Earlier ?? [];

    /// <summary>Returns the full path of a file of the bundle, and creates its folder.</summary>
    /// <param name="relative">The path from the bundle's root, below <c>data/</c>.</param>
    /// <exception cref="ArgumentException">A bundle may not have this path; see <see cref="BundlePaths"/>.</exception>
    public string PathOf(string relative)
    {
        var full = CheckedPath(relative);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return full;
    }

    /// <summary>Writes a whole file, which must not exist yet.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="ArgumentException">See <see cref="PathOf"/>.</exception>
    public async Task WriteFileAsync(string relative, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await using var file = OpenFile(relative);
        await file.WriteAsync(content, cancellationToken);
    }

    /// <summary>Opens a new file for writing; nobody else can open it until it is closed.</summary>
    /// <exception cref="IOException">It exists, or cannot be created.</exception>
    /// <exception cref="ArgumentException">See <see cref="PathOf"/>.</exception>
    public FileStream OpenFile(string relative) => new(PathOf(relative), FileMode.CreateNew, FileAccess.Write, FileShare.None);

    /// <summary>Opens the table of an evidence item, at <see cref="BundleLayout.Table"/>; without rows it gets no file.</summary>
    public TableWriter OpenTable(string evidenceId, ImmutableArray<Column> added, ImmutableArray<Column> own) =>
        new(CheckedPath(BundleLayout.Table(evidenceId)), added, own);

    /// <summary>Opens the table of calls of an evidence item, at <see cref="BundleLayout.Calls"/>.</summary>
    public TableWriter OpenCallsTable(string evidenceId, ImmutableArray<Column> added, ImmutableArray<Column> own) =>
        new(CheckedPath(BundleLayout.Calls(evidenceId)), added, own);

    /// <summary>Adds an evidence item to the index; it is on the disk when this returns.</summary>
    /// <exception cref="IOException">This write or an earlier one failed.</exception>
    /// <exception cref="ArgumentException">See <see cref="EvidenceIndex.Format"/>.</exception>
    public async Task AppendEvidenceAsync(EvidenceItem item, CancellationToken cancellationToken)
    {
        byte[] line = [.. EvidenceIndex.Format(item), (byte)'\n'];
        await _indexTurn.WaitAsync(cancellationToken);
        try
        {
            if (_indexFailed)
                throw new IOException($"{_index.Name}: nothing more is written after a failed write");
            if (_indexEnded)
                throw new InvalidOperationException("the index is ended already");
            _indexFailed = true;
            await _index.WriteAsync(line, CancellationToken.None);
            _index.Flush(flushToDisk: true);
            _indexFailed = false;
        }
        finally
        {
            _indexTurn.Release();
        }
    }

    /// <summary>
    /// Brings the index into its sealed form, so that its digest can be quoted before sealing; nothing can be added afterwards.
    /// Sealing calls it when nobody else did.
    /// </summary>
    /// <exception cref="IOException">It cannot be read or written, or an earlier write failed.</exception>
    public async Task EndIndexAsync(CancellationToken cancellationToken)
    {
        await _indexTurn.WaitAsync(cancellationToken);
        try
        {
            if (_indexEnded)
                return;
            if (_indexFailed)
                throw new IOException($"{_index.Name}: not sealed after a failed write");
            await _index.DisposeAsync();
            var path = _index.Name;
            var next = path + ".next";
            using (var written = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0))
            using (var ordered = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                foreach (var line in Ordered(written, path))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    ordered.Write(line);
                    ordered.WriteByte((byte)'\n');
                }
                ordered.Flush(flushToDisk: true);
            }
            File.Move(next, path, overwrite: true);
            _indexEnded = true;
        }
        finally
        {
            _indexTurn.Release();
        }
    }

    /// <summary>
    /// Completes the bag, flushes it to the disk and gives the folder its final name in one atomic step. First it sorts the index
    /// by target and evidence ID, so that two replays give equal bytes.
    /// </summary>
    /// <exception cref="IOException">A file is still open, or cannot be read or written; the partial folder stays.</exception>
    /// <exception cref="InvalidDataException">
    /// The partial folder holds an entry that a bundle may not have; the folder stays.
    /// </exception>
    /// <exception cref="InvalidOperationException">It is already sealed.</exception>
    public Task<SealedBundle> SealAsync(BagInfo info, CancellationToken cancellationToken) => SealAsync(info, attest: null, cancellationToken);

    /// <inheritdoc cref="SealAsync(BagInfo, CancellationToken)"/>
    /// <param name="attest">
    /// Signs the bundle: called with its folder after the manifests are written and before the folder gets its final name.
    /// </param>
    public async Task<SealedBundle> SealAsync(BagInfo info, Func<string, Task>? attest, CancellationToken cancellationToken)
    {
        if (_sealed)
            throw new InvalidOperationException("the bundle is sealed already");
        await EndIndexAsync(cancellationToken);
        var (tagManifest, folders) = await Task.Run(() => BagSeal.Write(PartialFolder, _bundleId, info, cancellationToken), cancellationToken);
        foreach (var folder in folders)
            SafeFile.Synchronise(folder);
        if (attest is not null)
            await attest(PartialFolder);
        cancellationToken.ThrowIfCancellationRequested();
        var final = Path.Combine(_outFolder, _bundleId);
        Directory.Move(PartialFolder, final);
        (_sealed, SealedFolder) = (true, final);
        SafeFile.Synchronise(_outFolder);
        return new(final, tagManifest);
    }

    /// <summary>The folder under its final name, set even when flushing that name to the disk failed; null before.</summary>
    public string? SealedFolder { get; private set; }

    /// <summary>
    /// Completes a folder that holds everything but could not be sealed, so that <see cref="StoppedBundle"/> recognises it: adds
    /// the record of its run and the digest of every file.
    /// </summary>
    /// <exception cref="IOException">A file is still open, or cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">The folder holds an entry that a bundle may not have.</exception>
    /// <param name="goesOn">Whether a process must go on with it (<see cref="Continue"/>); otherwise the folder alone is enough to finish it.</param>
    public async Task LeaveAsync(ReadOnlyMemory<byte> record, bool goesOn, CancellationToken cancellationToken)
    {
        await EndIndexAsync(cancellationToken);
        await File.WriteAllBytesAsync(PathOf(BundleLayout.Run), record, cancellationToken);
        await Task.Run(() => BagSeal.WriteManifest(PartialFolder, cancellationToken), cancellationToken);
        if (!goesOn)
            _begun?.End();
    }

    /// <summary>Closes the index. A bundle that was not sealed stays partial.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_sealed)
            _begun?.End();
        else
            _begun?.Dispose();
        await _index.DisposeAsync();
        _indexTurn.Dispose();
    }

    /// <summary>
    /// Returns the lines in order of target, evidence ID and their own bytes. It keeps only the position of each line in memory,
    /// because an index has half a megabyte per account.
    /// </summary>
    private static IEnumerable<byte[]> Ordered(FileStream written, string path)
    {
        var places = new List<(string Target, string EvidenceId, long Offset, int Length)>();
        var offset = 0L;
        foreach (var line in EvidenceIndex.Lines(written, path))
        {
            var item = EvidenceIndex.Parse(line);
            places.Add((item.Target, item.EvidenceId, offset, line.Length));
            offset += line.Length + 1;
        }
        foreach (var same in places.GroupBy(p => (p.Target, p.EvidenceId))
            .OrderBy(g => g.Key.Target, StringComparer.Ordinal).ThenBy(g => g.Key.EvidenceId, StringComparer.Ordinal))
        {
            foreach (var line in same.Select(At).OrderBy(l => Encoding.UTF8.GetString(l), StringComparer.Ordinal))
                yield return line;
        }

        byte[] At((string Target, string EvidenceId, long Offset, int Length) place)
        {
            var line = new byte[place.Length];
            written.Position = place.Offset;
            written.ReadExactly(line);
            return line;
        }
    }

    private string CheckedPath(string relative)
    {
        if (BundlePaths.WhyNotPath(relative) is { } why)
            throw new ArgumentException($"'{relative}' cannot be a file of a bundle: {why}", nameof(relative));
        if (!relative.StartsWith(BundleLayout.Payload + "/", StringComparison.Ordinal))
            throw new ArgumentException($"'{relative}' is not below {BundleLayout.Payload}/", nameof(relative));
        return Path.Combine(PartialFolder, relative);
    }
}
