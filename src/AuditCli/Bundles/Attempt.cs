using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>One HTTP attempt of an evidence item, from the index of evidence or from the item's table of calls.</summary>
internal sealed record Attempt(string File, string RecordId, string? RequestId, int Status, DateTimeOffset? Date)
{
    public static Attempt Of(ExchangeReference listed) => new(listed.File, listed.RecordId, listed.RequestId, listed.Status, listed.Date);

    /// <summary>Returns the attempts of one row of a table of calls, in order.</summary>
    /// <param name="item">The item that the table belongs to, which may be one of a shard.</param>
    public static ImmutableArray<Attempt> OfCall(EvidenceItem item, JsonElement call) =>
        call.TryGetProperty("exchanges", out var attempts) && attempts.ValueKind == JsonValueKind.Array
            ?
            [
                .. attempts.EnumerateArray().Select(a => new Attempt(
                    ShardPath.Prefix(item.Calls ?? "") + (JsonMember.Text(a, "file") ?? ""), JsonMember.Text(a, "record_id") ?? "",
                    JsonMember.Text(a, "request_id"),
                    a.TryGetProperty("status", out var status) && status.TryGetInt32(out var number) ? number : 0,
                    Rfc3339.TryParse(JsonMember.Text(a, "date") ?? "", out var date) ? date : null)),
            ]
            : [];

    /// <summary>Returns all attempts of an item, in order: those in the index, then those in its table of calls.</summary>
    /// <exception cref="InvalidDataException">The table of calls is not the one that was sealed.</exception>
    public static IEnumerable<Attempt> Of(OpenedBundle bundle, EvidenceItem item)
    {
        foreach (var attempt in item.Exchanges)
            yield return Of(attempt);
        if (item.Calls is not { } calls)
            yield break;
        using var table = new TableReader(bundle.Files.Open(calls), calls, item.CallsSha256);
        foreach (var attempt in table.ReadRows().SelectMany(call => OfCall(item, call)))
            yield return attempt;
    }
}
