using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Aws.Client;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Where an account's buckets are. S3 answers for a bucket of another region with an error that names the region in a field, in the body, or, for
/// regions that accounts opt in to, in words alone; what it names nowhere, the list of buckets or a HEAD request may say.
/// </summary>
internal sealed partial class BucketRegions
{
    private readonly ConcurrentDictionary<string, string> _listed = new(StringComparer.Ordinal);

    /// <summary>Whether S3 says that the bucket is in another region than the one asked.</summary>
    public static bool IsElsewhere(AwsServiceFailure failure) => (int)failure.StatusCode is 301 or 307
        || (int)failure.StatusCode == 400 && (failure.BucketRegion is not null || failure.ErrorCode is "IllegalLocationConstraintException" or "AuthorizationHeaderMalformed");

    /// <summary>Keeps what a page of the list of buckets says.</summary>
    public void Learn(JsonElement page)
    {
        if (!page.TryGetProperty("Buckets", out var buckets) || buckets.ValueKind != JsonValueKind.Array)
            return;
        foreach (var bucket in buckets.EnumerateArray())
        {
            if (bucket.TryGetProperty("Name", out var name) && name.GetString() is { } text && bucket.TryGetProperty("BucketRegion", out var region) && region.GetString() is { } named)
                _listed[text] = named;
        }
    }

    /// <summary>The bucket's region, where it is another one of the same partition; null where nobody says it.</summary>
    /// <param name="head">Asks S3 for the region alone.</param>
    public async Task<string?> FindAsync(AwsServiceFailure failure, JsonObject parameters, string asked, Func<JsonObject, Task<string?>> head)
    {
        var said = failure.BucketRegion ?? InWords(failure.Message, asked);
        if (said is null && parameters["Bucket"]?.ToString() is { Length: > 0 } bucket)
        {
            // Asked anew by each evidence that needs it, so that a replay finds the same exchanges with the same evidence.
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
