using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>
/// Identifies the catalogue operation of a request just before it is sent, by its method, path and parameters. It does not rely on the code
/// above it and refuses every request that it does not recognise, including GET requests.
/// </summary>
internal sealed partial class RequestCheck
{
    private readonly ApiModel _api;
    private readonly Uri _base;
    private readonly ILookup<(string Method, int Segments), OperationModel> _operations;

    /// <param name="baseAddress">The host and base path; a request to any other URL is refused.</param>
    public RequestCheck(ApiModel api, Uri baseAddress)
    {
        _api = api;
        _base = baseAddress;
        _operations = api.OperationNames.Select(n => api.Operation(n)!).ToLookup(o => (o.Method, o.Segments.Length));
    }

    /// <summary>Returns why the request may not be sent; null if the catalogue lists it.</summary>
    public string? Refusal(HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        var listed = uri.GetLeftPart(UriPartial.Authority) == _base.GetLeftPart(UriPartial.Authority)
            && uri.AbsolutePath.StartsWith(_base.AbsolutePath, StringComparison.Ordinal)
            // Google uses this header, if it is present, instead of the request's method.
            && !request.Headers.NonValidated.Contains("X-HTTP-Method-Override")
            && IsListed(request.Method.Method, uri.AbsolutePath[_base.AbsolutePath.Length..].Split('/'), Names(uri));
        return !listed ? $"{request.Method} {uri.Shown()} ({_api.Name}) is not in the read-only catalogue"
            : _api.Name == "logging" && uri.AbsolutePath.EndsWith("/entries:list", StringComparison.Ordinal) ? AuditLogFilter.WhyNot(Filter(request))
            : null;
    }

    /// <summary>Returns the filter in a request body; null if there is none, or more than one.</summary>
    private static string? Filter(HttpRequestMessage request)
    {
        if (request.Content is not { } content)
            return null;
        using var body = new MemoryStream();
        content.CopyTo(body, null, CancellationToken.None);
        try
        {
            using var read = JsonDocument.Parse(body.GetBuffer().AsMemory(0, (int)body.Length), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return read.RootElement.TryGetProperty("filter", out var filter) ? filter.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private bool IsListed(string method, string[] path, string[] query) => _operations[(method, path.Length)].Any(o =>
        path.Zip(o.Segments)
            .Select((s, i) => Fits(s.First, s.Second, last: i == path.Length - 1, project: i > 0 && path[i - 1] == "projects"))
            .All(fits => fits)
        && query.All(q => o.Parameter(q)?.Place == ParameterPlace.Query || q == RequestWriter.TokenParameter && o.Token == ParameterPlace.Query));

    /// <summary>
    /// Whether a path segment fits the template. A colon in the last segment, also an escaped one, starts a custom verb
    /// (<c>:setIamPolicy</c>) and is refused. The exception is the id of a domain-scoped project (<c>example.com:legacy</c>): it has a dot
    /// before the colon, which no other id has, and no capital letters after it.
    /// </summary>
    private static bool Fits(string given, string template, bool last, bool project)
    {
        if (!template.StartsWith("{}", StringComparison.Ordinal))
            return given == template;
        var end = template[2..];
        if (given.Length <= end.Length || !given.EndsWith(end, StringComparison.Ordinal))
            return false;
        var written = given[..^end.Length];
        if (written.Contains(':', StringComparison.Ordinal) || PathSegments.Leads(written))
            return false;
        var name = Uri.UnescapeDataString(written);
        return !last || !name.Contains(':', StringComparison.Ordinal) || project && DomainProject().IsMatch(name);
    }

    [GeneratedRegex(@"\A[a-z0-9-]+(\.[a-z0-9-]+)+:[a-z][a-z0-9-]{4,28}[a-z0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex DomainProject();

    private static string[] Names(Uri uri) =>
        uri.Query.Length <= 1 ? [] : [.. uri.Query[1..].Split('&').Select(p => Uri.UnescapeDataString(p.Split('=')[0]))];
}
