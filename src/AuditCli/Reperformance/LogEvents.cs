using System.Text;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Collectors;
using AuditCli.Evidence.Tables;

namespace AuditCli.Reperformance;

/// <summary>
/// The events about targets, evidence and conclusions in a run's log, as text that is the same when the run is re-performed: lines without
/// their time, with the number of occurrences.
/// </summary>
internal sealed class LogEvents
{
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>Reads a log (compact log event format, one JSON object per line).</summary>
    /// <exception cref="InvalidDataException">A line is too long, or the file is not the one that was sealed.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public LogEvents(BundleFolder bundle, string path, CancellationToken cancellationToken)
    {
        using var file = bundle.Open(path, cancellationToken);
        var lines = 0L;
        foreach (var (line, _) in NdjsonFile.Lines(file, path))
        {
            lines++;
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (WordsOf(JsonElement.Parse(line.Span)) is { } words)
                    _counts[words] = _counts.GetValueOrDefault(words) + 1;
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                Fault ??= $"{path}:{lines} is not an event";
            }
        }
        if (lines == 0)
            Fault = $"{path} is empty";
    }

    /// <summary>Why the file is not a log; null if it is one.</summary>
    public string? Fault { get; }

    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Returns the text of an event; null for an event that another run need not have.</summary>
    private static string? WordsOf(JsonElement line)
    {
        if (line.ValueKind != JsonValueKind.Object)
            throw new JsonException("an event is an object");
        var template = line.TryGetProperty("@mt", out var words) && words.ValueKind == JsonValueKind.String
            ? words.GetString()!
            : throw new JsonException("an event has a message");
        // Recognise events by the beginning or end of the message templates that RunLog writes.
        return template.StartsWith("Target {Target} is account", StringComparison.Ordinal) ? Said(line, "Target", "Account", "Identity", "Regions")
            : template.EndsWith("evidence items to collect", StringComparison.Ordinal) ? $"{Said(line, "Items")} evidence items to collect"
            : template.StartsWith("{Operation} in {Account} {Region}: {Outcome}", StringComparison.Ordinal)
                ? Said(line, "Operation", "Account", "Region", "Outcome", "Items", "Pages")
            : template.StartsWith("Concluded", StringComparison.Ordinal) ? $"Concluded {Said(line, "Controls")} controls"
            : null;
    }

    private static string Said(JsonElement line, params ReadOnlySpan<string> members)
    {
        var text = new StringBuilder();
        foreach (var member in members)
        {
            var shown = line.TryGetProperty(member, out var value) ? JsonDifference.Shown(value) : "nothing";
            // No exchange records the identity that credentials only claim.
            text.Append(text.Length == 0 ? "" : " ").Append(Connection.IsClaimed(shown) ? Connection.Claimed : shown);
        }
        return text.ToString();
    }
}
