using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Running;

/// <summary>
/// What an interrupted run had read completely, so that the run that goes on asks only for what is missing. A process can be killed in the
/// middle of any write. Therefore an item counts only if its line of the index, every row of its tables and every exchange that it names are
/// there and have their digests; whatever else the folders hold is ignored.
/// </summary>
public sealed class KeptEvidence
{
    private readonly ImmutableArray<KeptPayload> _payloads;

    private KeptEvidence(ImmutableArray<KeptPayload> payloads) => _payloads = payloads;

    /// <summary>Nothing was read before.</summary>
    public static KeptEvidence None { get; } = new([]);

    /// <summary>Reads which items there are; their content is read when it is needed.</summary>
    /// <param name="payloads">The folders that were the <c>data</c> of an unsealed bundle, the newest first.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static KeptEvidence Of(IEnumerable<string> payloads, CancellationToken cancellationToken) =>
        new([.. payloads.Select(p => KeptPayload.Of(p, cancellationToken))]);

    /// <summary>Returns an item that was read completely; null if there is none.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    internal KeptItem? Find(string target, string evidenceId) =>
        _payloads.Select(p => p.Find(target, evidenceId)).FirstOrDefault(k => k is not null);
}

/// <summary>An item that was read completely before, with the places of its exchanges.</summary>
internal sealed class KeptItem(KeptPayload payload, EvidenceItem item, ImmutableArray<(string File, RecordedRequest Place)> exchanges)
{
    public EvidenceItem Item => item;

    /// <summary>Copies its tables and exchanges, unchanged, into another bundle.</summary>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    /// <exception cref="InvalidDataException">A file was changed since it was found to be whole.</exception>
    public async Task CopyAsync(BundleWriter bundle, ExchangeTransport transport, CancellationToken cancellationToken)
    {
        foreach (var (file, place) in exchanges)
            await transport.CopyAsync(file, payload.Recorded(file).Read(place.RequestOffset, place.AnswerOffset), cancellationToken);
        foreach (var table in new[] { item.Table, item.Calls }.OfType<string>())
        {
            await using var from = RegularFile.OpenRead(payload.PathOf(table));
            await using var to = bundle.OpenFile(table);
            await from.CopyToAsync(to, cancellationToken);
        }
    }
}

/// <summary>One folder that was the <c>data</c> of an unsealed bundle.</summary>
internal sealed class KeptPayload
{
    private readonly string _folder;
    private readonly Dictionary<(string Target, string EvidenceId), EvidenceItem> _items = [];

    /// <summary>By item, its exchanges: those that were made for it, in the files of its target.</summary>
    private readonly Dictionary<string, List<(string File, RecordedRequest Place)>> _exchanges = new(StringComparer.Ordinal);

    private KeptPayload(string folder) => _folder = folder;

    /// <inheritdoc cref="KeptEvidence.Of"/>
    public static KeptPayload Of(string folder, CancellationToken cancellationToken)
    {
        var payload = new KeptPayload(folder);
        if (!File.Exists(payload.PathOf(BundleLayout.EvidenceIndex)))
            return payload;
        foreach (var item in Items(payload.PathOf(BundleLayout.EvidenceIndex)).Where(i => i is { Outcome: CollectionOutcome.Complete, Names.IsEmpty: false }))
            payload._items[(item.Target, item.EvidenceId)] = item;
        var recorded = payload.PathOf(BundleLayout.ExchangesFolder);
        if (!Directory.Exists(recorded))
            return payload;
        foreach (var path in Directory.EnumerateFiles(recorded, "*.warc.gz", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            payload.Index(BundleLayout.ExchangesFolder + Path.GetRelativePath(recorded, path).Replace('\\', '/'));
        }
        return payload;
    }

    /// <inheritdoc cref="KeptEvidence.Find"/>
    public KeptItem? Find(string target, string evidenceId)
    {
        if (!_items.TryGetValue((target, evidenceId), out var item))
            return null;
        var folder = $"{BundleLayout.ExchangesFolder}{BundlePaths.Segment(target)}/";
        ImmutableArray<(string File, RecordedRequest Place)> exchanges =
            [.. _exchanges.GetValueOrDefault(evidenceId, []).Where(e => e.File.StartsWith(folder, StringComparison.Ordinal))];
        try
        {
            var there = exchanges.Select(e => e.Place.AnswerId).ToHashSet(StringComparer.Ordinal);
            _ = Rows(item.Table, item.TableSha256).Count();
            return item.Exchanges.Select(e => e.RecordId).Concat(Rows(item.Calls, item.CallsSha256).SelectMany(RecordsOf)).All(there.Contains)
                ? new(this, item, exchanges)
                : null;
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public RecordedExchanges Recorded(string file) => new(PathOf(file));

    /// <summary>Returns the full path of a file of the bundle that the folder was the data of.</summary>
    public string PathOf(string file) => Path.Combine(_folder, file[(BundleLayout.Payload.Length + 1)..]);

    /// <summary>Reads the lines up to the first that is not whole: a process that is killed can leave half a line.</summary>
    private static IEnumerable<EvidenceItem> Items(string path)
    {
        using var index = RegularFile.OpenRead(path);
        using var items = EvidenceIndex.Items(index, path).GetEnumerator();
        while (Next() is { } item)
            yield return item;

        EvidenceItem? Next()
        {
            try
            {
                return items.MoveNext() ? items.Current : null;
            }
            catch (InvalidDataException)
            {
                return null;
            }
        }
    }

    /// <summary>Adds the exchanges of a file up to the first that is not whole.</summary>
    private void Index(string file)
    {
        try
        {
            foreach (var request in Recorded(file).Requests())
            {
                if (request.AskedFor?.Split(' ')[0] is { } evidenceId)
                    (_exchanges.TryGetValue(evidenceId, out var known) ? known : _exchanges[evidenceId] = []).Add((file, request with { Request = Forgotten }));
            }
        }
        catch (InvalidDataException)
        {
            // What follows was not written to its end, and what it belongs to is asked again.
        }
    }

    /// <summary>Stands in for a request that is not kept in memory, because it is read again when it is copied.</summary>
    private static HttpBlock Forgotten { get; } = new("", [], ReadOnlyMemory<byte>.Empty);

    private IEnumerable<JsonElement> Rows(string? table, Digest? sha256)
    {
        if (table is null)
            yield break;
        using var rows = new TableReader(PathOf(table), sha256);
        foreach (var row in rows.ReadRows())
            yield return row;
    }

    private static IEnumerable<string> RecordsOf(JsonElement call) =>
        call.GetProperty("exchanges").EnumerateArray().Select(e => e.GetProperty("record_id").GetString()!);
}
