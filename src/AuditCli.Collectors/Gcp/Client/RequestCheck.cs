using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>
/// Recognises, in a request as it is about to be sent, an operation of the catalogue by its verb, path and parameters. It trusts
/// nothing above it: what it does not recognise is refused, GET or not.
/// </summary>
internal sealed partial class RequestCheck
{
    private const string TokenParameter = "pageToken";
    private readonly ApiModel _api;
    private readonly Uri _base;
    private readonly ILookup<(string Method, int Segments), OperationModel> _operations;

    /// <param name="baseAddress">Host and base path; a request to anywhere else is refused.</param>
    public RequestCheck(ApiModel api, Uri baseAddress)
    {
        _api = api;
        _base = baseAddress;
        _operations = api.OperationNames.Select(n => api.Operation(n)!).ToLookup(o => (o.Method, o.Segments.Length));
    }

    /// <summary>Why the request may not be sent; null when the catalogue lists it.</summary>
    public string? Refusal(HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        var listed = uri.GetLeftPart(UriPartial.Authority) == _base.GetLeftPart(UriPartial.Authority)
            && uri.AbsolutePath.StartsWith(_base.AbsolutePath, StringComparison.Ordinal)
            // Google takes the verb from this field where it is there.
            && !request.Headers.NonValidated.Contains("X-HTTP-Method-Override")
            && IsListed(request.Method.Method, uri.AbsolutePath[_base.AbsolutePath.Length..].Split('/'), Names(uri));
        return !listed ? $"{request.Method} {uri.Shown()} ({_api.Name}) is not in the read-only catalogue"
            : _api.Name == "logging" && uri.AbsolutePath.EndsWith("/entries:list", StringComparison.Ordinal) ? AuditLogFilter.WhyNot(Filter(request))
            : null;
    }

    /// <summary>The filter in a body; null where there is none, or not one alone.</summary>
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
        path.Zip(o.Segments).Select((s, i) => Fits(s.First, s.Second, last: i == path.Length - 1, project: i > 0 && path[i - 1] == "projects")).All(fits => fits)
        && query.All(q => o.Parameter(q)?.Place == ParameterPlace.Query || q == TokenParameter && o.Token == ParameterPlace.Query));

    /// <summary>
    /// A colon in the last segment begins a verb of its own (<c>:setIamPolicy</c>), also where it is escaped, unless it is that of a project of a
    /// domain (<c>example.com:legacy</c>): its part after the colon has no capital letters, the one before it a point, which no id and no verb has.
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
