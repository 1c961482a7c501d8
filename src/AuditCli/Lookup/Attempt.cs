using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Lookup;

/// <summary>One attempt that was made for an evidence item, wherever the bundle lists it: in the index, or in the table of calls.</summary>
internal sealed record Attempt(string File, string RecordId, string? RequestId, int Status, DateTimeOffset? Date)
{
    /// <summary>All of an item, in order.</summary>
    /// <exception cref="InvalidDataException">The table of calls is not the one that was sealed.</exception>
    public static IEnumerable<Attempt> Of(OpenedBundle bundle, EvidenceItem item)
    {
        foreach (var attempt in item.Exchanges)
            yield return new(attempt.File, attempt.RecordId, attempt.RequestId, attempt.Status, attempt.Date);
        if (item.Calls is not { } calls)
            yield break;
        using var table = new TableReader(bundle.Files.Check(calls), item.CallsSha256);
        foreach (var call in table.ReadRows())
        {
            if (!call.TryGetProperty("exchanges", out var attempts) || attempts.ValueKind != JsonValueKind.Array)
                continue;
            foreach (var attempt in attempts.EnumerateArray())
            {
                yield return new(
                    Text(attempt, "file") ?? "", Text(attempt, "record_id") ?? "", Text(attempt, "request_id"),
                    attempt.TryGetProperty("status", out var status) && status.TryGetInt32(out var number) ? number : 0,
                    Rfc3339.TryParse(Text(attempt, "date") ?? "", out var date) ? date : null);
            }
        }
    }

    private static string? Text(JsonElement of, string member) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
