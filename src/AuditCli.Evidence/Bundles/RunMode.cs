using System.Text.Json;

namespace AuditCli.Evidence.Bundles;

/// <summary>Reads how a bundle's run got its responses from <c>run.json</c>: <c>live</c> or <c>replay</c>.</summary>
internal static class RunMode
{
    /// <param name="run">The content of <c>run.json</c>; null if it was not read.</param>
    /// <returns>The mode; null if the record is not readable or contradicts itself. Its integrity is the manifest's concern.</returns>
    public static string? Of(byte[]? run)
    {
        if (run is null)
            return null;
        try
        {
            using var document = JsonDocument.Parse(run, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var record = document.RootElement;
            if (!record.TryGetProperty("mode", out var mode) || mode.ValueKind != JsonValueKind.String || mode.GetString() is not ("live" or "replay"))
                return null;
            // Only a replay states when its exchanges were recorded. If the record contradicts its mode, no mode is returned.
            return record.TryGetProperty("recorded", out var recorded)
                && (recorded.ValueKind == JsonValueKind.Object) != mode.ValueEquals("replay")
                ? null
                : mode.GetString();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
