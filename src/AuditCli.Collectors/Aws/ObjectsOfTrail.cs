using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The objects below a trail's place in its bucket: the only ones that are ever read from S3. Like every guard it trusts nothing above
/// it, and looks at the request as it is about to be sent.
/// </summary>
/// <param name="Prefix">Ends with a slash.</param>
internal sealed record ObjectsOfTrail(string Bucket, string Prefix)
{
    /// <summary>Whether a key is one of them.</summary>
    public bool Has(string key) => key.StartsWith(Prefix, StringComparison.Ordinal) && key.EndsWith(".json.gz", StringComparison.Ordinal) && !PathSegments.Leads(key);

    /// <summary>Why the request may not be sent; null when it reads one of the objects.</summary>
    public string? Refusal(HttpRequestMessage request)
    {
        var path = Uri.UnescapeDataString(request.RequestUri!.AbsolutePath);
        return request.Method == HttpMethod.Get && request.RequestUri.Query.Length == 0
            && path.StartsWith($"/{Bucket}/", StringComparison.Ordinal) && Has(path[(Bucket.Length + 2)..])
            ? null
            : $"{request.Method} {request.RequestUri.Shown()} is no file of a trail in s3://{Bucket}/{Prefix}";
    }
}
