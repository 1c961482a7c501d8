using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The objects below a trail's prefix in its bucket, which are the only objects ever read from S3. Like every guard it does not rely on the
/// code above it and checks the request just before it is sent.
/// </summary>
/// <param name="Prefix">The key prefix; ends with a slash.</param>
internal sealed record ObjectsOfTrail(string Bucket, string Prefix)
{
    /// <summary>Whether a key is that of a trail file below the prefix.</summary>
    public bool Has(string key) =>
        key.StartsWith(Prefix, StringComparison.Ordinal) && key.EndsWith(".json.gz", StringComparison.Ordinal) && !PathSegments.Leads(key);

    /// <summary>Returns why the request may not be sent; null if it reads one of the objects.</summary>
    public string? Refusal(HttpRequestMessage request)
    {
        var path = Uri.UnescapeDataString(request.RequestUri!.AbsolutePath);
        return request.Method == HttpMethod.Get && request.RequestUri.Query.Length == 0
            && path.StartsWith($"/{Bucket}/", StringComparison.Ordinal) && Has(path[(Bucket.Length + 2)..])
            ? null
            : $"{request.Method} {request.RequestUri.Shown()} is not a file of a trail in s3://{Bucket}/{Prefix}";
    }
}
