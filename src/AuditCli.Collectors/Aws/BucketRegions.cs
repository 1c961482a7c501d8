using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Aws.Client;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Finds the region of an account's buckets. For a bucket in another region, S3 responds with an error that names the region in a header,
/// in the body, or, for opt-in regions, only in the message text. If the error does not name it, the list of buckets or a HEAD request may.
/// </summary>
internal sealed partial class BucketRegions
{
    private readonly ConcurrentDictionary<string, string> _listed = new(StringComparer.Ordinal);

    /// <summary>Whether S3 says that the bucket is in another region than the request.</summary>
    public static bool IsElsewhere(AwsServiceFailure failure) => (int)failure.StatusCode is 301 or 307
        || (int)failure.StatusCode == 400
            && (failure.BucketRegion is not null || failure.ErrorCode is "IllegalLocationConstraintException" or "AuthorizationHeaderMalformed");

    /// <summary>Stores the regions in a page of the list of buckets.</summary>
    public void Learn(JsonElement page)
    {
        if (!page.TryGetProperty("Buckets", out var buckets) || buckets.ValueKind != JsonValueKind.Array)
            return;
        foreach (var bucket in buckets.EnumerateArray())
        {
            if (bucket.TryGetProperty("Name", out var name) && name.GetString() is { } text
                && bucket.TryGetProperty("BucketRegion", out var region) && region.GetString() is { } named)
            {
                _listed[text] = named;
            }
        }
    }

    /// <summary>Returns the bucket's region if it is another one of the same partition; null if no source names it.</summary>
    /// <param name="head">Sends a HEAD request for the region.</param>
    public async Task<string?> FindAsync(AwsServiceFailure failure, JsonObject parameters, string asked, Func<JsonObject, Task<string?>> head)
    {
        var said = failure.BucketRegion ?? InWords(failure.Message, asked);
        if (said is null && parameters["Bucket"]?.ToString() is { Length: > 0 } bucket)
        {
            // The HEAD response is not cached: each evidence item requests it again, so that a replay finds the same exchanges for the same
            // evidence.
            said = _listed.GetValueOrDefault(bucket) ?? await head(new() { ["Bucket"] = bucket });
        }
        return said is not null && said != asked && Partitions.IsRegion(said) && Partitions.Of(said) == Partitions.Of(asked) ? said : null;
    }

    private static string? InWords(string message, string asked)
    {
        string[] named = [.. Region().Matches(message).Select(m => m.Value).Where(r => r != asked).Distinct(StringComparer.Ordinal)];
        return named is [var only] ? only : null;
    }

    [GeneratedRegex(@"(?<![A-Za-z0-9-])[a-z]{2,3}(-[a-z]+){1,3}-[0-9]{1,2}(?![A-Za-z0-9-])", RegexOptions.CultureInvariant)]
    private static partial Regex Region();
}
