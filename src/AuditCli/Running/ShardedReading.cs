using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Bundles;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Signing;
using Serilog;

namespace AuditCli.Running;

/// <summary>What was read, in the bundle itself and in its shards.</summary>
/// <param name="Items">Every item; files of shards are named by the path of the archive and the path in it.</param>
/// <param name="Shards">The shards in the order of their numbers; empty if everything is in the bundle itself.</param>
/// <param name="Tables">Where the tables of shards are, by the paths that the items have.</param>
internal sealed record ReadEvidence(
    ImmutableArray<EvidenceItem> Items,
    ImmutableArray<Shard> Shards,
    IReadOnlyDictionary<string, TableFile> Tables,
    ImmutableArray<CredentialFound> Leaks);

/// <summary>
/// Reads the accounts of a run: those of a small one into the bundle itself, those of a large one in shards, each sealed as soon as it is
/// read, so that an interruption costs no more than one of them. A run that goes on takes over the shards that are sealed.
/// </summary>
/// <param name="factsOf">Returns the facts of the run so far, for the record of a shard with these accounts.</param>
internal sealed class ShardedReading(
    PreparedRun prepared, RunOptions options, AuditHost host, BundleWriter bundle, SigningSession? signing, ILogger log,
    CollectionRun collection, ExchangeTransport transport, Func<ImmutableArray<ReachedTarget>, RunFacts> factsOf)
{
    private readonly SecretSearch _secrets = new(prepared, options);
    private readonly List<EvidenceItem> _items = [];
    private readonly List<Shard> _shards = [];
    private readonly Dictionary<string, TableFile> _tables = new(StringComparer.Ordinal);
    private readonly List<CredentialFound> _leaks = [];

    /// <summary>Reads everything that was entered.</summary>
    /// <param name="tell">Is told of the items of shards that an earlier process sealed.</param>
    /// <exception cref="InvalidDataException">
    /// A file holds what looks like a credential, or a shard that was sealed before does not fit what is reached now.
    /// </exception>
    /// <exception cref="IOException">The bundle cannot be written.</exception>
    public async Task<ReadEvidence> ReadAsync(EnteredTargets entered, Action<CollectionEvent> tell, CancellationToken cancellationToken)
    {
        // A replay asks nobody, and takes everything from its recording again.
        var resumes = !transport.IsReplay && !bundle.Earlier.IsEmpty;
        var kept = resumes ? KeptEvidence.Of(bundle.Earlier.SelectMany(Payloads), cancellationToken) : KeptEvidence.None;
        if (resumes)
            await TakeOverAsync(entered, tell, cancellationToken);
        var read = _shards.SelectMany(s => s.Units).ToHashSet();
        var units = entered.Units.Where(u => !read.Contains(UnitOf(u))).ToImmutableArray();
        if (_shards.Count == 0 && units.Length <= options.UnitsEach)
            return new(await collection.ReadAsync(bundle, entered.Readings, kept, cancellationToken), [], _tables, []);

        // What could not be entered has no exchanges, and fails in the bundle itself.
        _items.AddRange(await collection.ReadAsync(bundle, [.. entered.Readings.Where(r => !r.Target.IsRead)], kept, cancellationToken));
        var number = _shards.Select(NumberOf).DefaultIfEmpty(0).Max();
        foreach (var part in units.Chunk(options.UnitsEach))
            await ReadShardAsync(++number, [.. part], entered, kept, cancellationToken);
        return new([.. _items], [.. _shards.OrderBy(NumberOf)], _tables, [.. _leaks]);
    }

    private async Task ReadShardAsync(
        int number, ImmutableArray<ReachedTarget> units, EnteredTargets entered, KeptEvidence kept, CancellationToken cancellationToken)
    {
        var started = host.Clock.GetUtcNow();
        await using var shard = bundle.CreateShard(Id(number));
        await using (transport.RecordInto(shard.PartialFolder, $"{bundle.Seed}/{shard.BundleId}"))
        {
            var readings = entered.Readings.Where(r => units.Contains(r.Target)).ToImmutableArray();
            await collection.ReadAsync(shard, readings, kept, cancellationToken);
        }
        await prepared.WriteQuestionsAsync(shard, cancellationToken);
        await shard.EndIndexAsync(cancellationToken);
        var leaks = await _secrets.SearchAsync(shard, cancellationToken);
        // The exchanges with which targets were entered are those of the whole run, and are in its bundle.
        var facts = factsOf([.. units.Select(u => u with { Exchanges = [] })]) with { Started = started, Finished = host.Clock.GetUtcNow(), Leaks = leaks };
        await shard.WriteFileAsync(BundleLayout.Run, RunRecording.Of(shard.BundleId, prepared, facts).Write(), cancellationToken);
        var seal = await SigningSession.SealShardAsync(shard, signing, facts.Finished, prepared.Engagement.RetainUntil, cancellationToken);
        await Task.Run(() => BundleArchiver.Write(seal.Path, cancellationToken), cancellationToken);
        BundleArchiver.RemoveFolder(seal.Path);
        Add(BundleFolder.Sealed(bundle.PathOf(BundleLayout.ShardArchive(shard.BundleId)), seal.TagManifestSha256));
        log.Information("Sealed shard {Shard} with {Units} accounts", shard.BundleId, units.Length);
    }

    /// <summary>Adds a sealed shard, and returns its items.</summary>
    private ImmutableArray<EvidenceItem> Add(BundleFolder files)
    {
        var record = RunRecord.Read(files.Read(BundleLayout.Run));
        var shard = ShardsCheck.Describe(files, record, new FileInfo(files.Path).Length);
        var (prefix, items) = (shard.Archive + "/", ImmutableArray.CreateBuilder<EvidenceItem>());
        using (var index = files.Open(BundleLayout.EvidenceIndex))
        {
            foreach (var item in EvidenceIndex.Items(index, prefix + BundleLayout.EvidenceIndex))
            {
                foreach (var table in new[] { item.Table, item.Calls }.OfType<string>())
                    _tables[prefix + table] = new(files.Path, null) { Part = files.PlaceOf(table) };
                items.Add(ShardPath.In(prefix, item));
            }
        }
        _shards.Add(shard);
        _items.AddRange(items);
        _leaks.AddRange(record.SecretsAllowed.Select(f => new CredentialFound(prefix + f, 0)));
        return items.ToImmutable();
    }

    /// <summary>Takes over the shards that earlier processes sealed. One that is damaged is asked again.</summary>
    private async Task TakeOverAsync(EnteredTargets entered, Action<CollectionEvent> tell, CancellationToken cancellationToken)
    {
        var reached = entered.Units.Select(UnitOf).ToHashSet();
        foreach (var archive in bundle.Earlier.Select(p => Path.Combine(p, Path.GetFileName(BundleLayout.ShardsFolder.TrimEnd('/'))))
            .Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, $"{bundle.BundleId}-*.tar")).OrderBy(Path.GetFileName, StringComparer.Ordinal))
        {
            var verified = await BundleVerifier.VerifyAsync(archive, new(AllowUnsigned: true), cancellationToken);
            if (verified.Problems.FirstOrDefault(p => p.Question is VerifyQuestion.Files or VerifyQuestion.Manifest) is { } damage)
            {
                log.Warning("Shard {Shard} is not whole and is read again: {Path} {Message}", Path.GetFileName(archive), damage.Path, damage.Message);
                continue;
            }
            var files = BundleFolder.Sealed(archive, verified.TagManifestSha256);
            if (WhyForeign(files) is { } why)
                throw new InvalidDataException($"{Path.GetFileName(archive)} cannot be taken over: {why}");
            var units = ShardsCheck.UnitsOf(RunRecord.Read(files.Read(BundleLayout.Run)));
            if (units.FirstOrDefault(u => !reached.Contains(u)) is { } gone)
            {
                throw new InvalidDataException(
                    $"account {gone.Account} of target {gone.Target} was read before the interruption and is not reached now: "
                    + "what would be sealed would be of two moments; give the access back, or run again");
            }
            if (units.Any(_shards.SelectMany(s => s.Units).Contains))
                continue;
            var path = bundle.PathOf(BundleLayout.ShardArchive(files.Info("External-Identifier")!));
            File.Move(archive, path);
            foreach (var item in Add(BundleFolder.Sealed(path, verified.TagManifestSha256)))
                tell(new CollectionEvent.ItemFinished(item, WasToldBefore: true));
        }
        if (_shards.Count > 0)
            log.Information("Took over {Shards} shards with {Units} accounts", _shards.Count, _shards.Sum(s => s.Units.Length));
    }

    /// <summary>Returns why a whole shard is not one of this run; null if it is.</summary>
    private string? WhyForeign(BundleFolder files)
    {
        foreach (var (path, content) in prepared.Questions)
        {
            if (!files.Has(path) || files.DigestOf(path) != Digest.Of(content.Span))
                return $"its {path} is another one";
        }
        return files.Signature?.SignerKey == signing?.Fingerprint ? null
            : signing is null ? "it is signed: resume with the key that signed it"
            : "the key that was given did not sign it: resume with the one that did";
    }

    /// <summary>Returns the folders of an earlier process that may hold evidence: its own, and those of shards that it had not put away.</summary>
    private static IEnumerable<string> Payloads(string earlier)
    {
        var shards = Path.Combine(earlier, Path.GetFileName(BundleLayout.ShardsFolder.TrimEnd('/')));
        return !Directory.Exists(shards) ? [earlier]
            : [earlier, .. Directory.EnumerateDirectories(shards).OrderDescending(StringComparer.Ordinal).Select(s => Path.Combine(s, BundleLayout.Payload))];
    }

    private string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"{bundle.BundleId}-{number:000}");

    private int NumberOf(Shard shard) =>
        int.TryParse(shard.BundleId.AsSpan(bundle.BundleId.Length + 1), CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static ShardUnit UnitOf(ReachedTarget target) => new(target.Target.Name, target.Account);
}
