using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Rest;

/// <summary>
/// Allows only requests that the catalogue lists for an API to be sent, by their method, path and parameters. It does not rely on the code
/// above it and refuses every request that it does not recognise, including GET requests.
/// </summary>
internal sealed class RestGuard
{
    private readonly string _api;
    private readonly Uri _base;
    private readonly Func<string, string, bool>? _special;
    private readonly ILookup<(string Method, int Segments), RestOperation> _operations;

    /// <param name="baseAddress">The host and base path; a request to any other URL is refused.</param>
    /// <param name="special">
    /// Whether a last segment that could start a custom verb may be sent, given the segment before it and its own decoded text; null if an
    /// API has no such verbs.
    /// </param>
    /// <param name="isServed">Whether the host serves an operation; null if it serves all.</param>
    public RestGuard(RestApi api, Uri baseAddress, Func<string, string, bool>? special = null, Func<RestOperation, bool>? isServed = null)
    {
        _api = api.Name;
        _base = baseAddress;
        _special = special;
        _operations = api.OperationNames.Select(n => api.Operation(n)!).Where(isServed ?? (_ => true)).ToLookup(o => (o.Method, o.Segments.Length));
    }

    /// <summary>Returns why the request may not be sent; null if the catalogue lists it.</summary>
    public string? Refusal(HttpRequestMessage request)
    {
        return Listed(request).Any() ? null : $"{request.Method} {request.RequestUri!.Shown()} ({_api}) is not in the read-only catalogue";
    }

    /// <summary>Returns the place of the page token in the response to a request; null if it has none.</summary>
    public AnswerPlaces? Places(HttpRequestMessage request)
    {
        var pager = Listed(request).Select(o => o.Pager).FirstOrDefault(p => p?.Kind is PagerKind.Token or PagerKind.Url);
        return pager is null ? null : new RedactedPlace("", pager.From).AsPageToken();
    }

    /// <summary>Whether a segment of a template stands for any value.</summary>
    public static bool IsVariable(string template) =>
        template.StartsWith("{}", StringComparison.Ordinal) || template.StartsWith("{#}", StringComparison.Ordinal);

    /// <summary>Whether a path segment, as it is written in the URL, fits one of a template.</summary>
    public static bool Fits(string given, string template) => Written(given, template) is { } written && !PathSegments.Leads(written);

    /// <summary>Returns the part of the segment that the template leaves open, empty if it leaves none; null if the segment does not fit.</summary>
    private static string? Written(string given, string template)
    {
        if (!IsVariable(template))
            return given == template ? "" : null;
        var number = template[1] == '#';
        var end = template[(number ? 3 : 2)..];
        if (given.Length <= end.Length || !given.EndsWith(end, StringComparison.Ordinal))
            return null;
        var written = given[..^end.Length];
        return number && !written.All(char.IsAsciiDigit) ? null : written;
    }

    private IEnumerable<RestOperation> Listed(HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        var may = uri.GetLeftPart(UriPartial.Authority) == _base.GetLeftPart(UriPartial.Authority)
            && uri.AbsolutePath.StartsWith(_base.AbsolutePath, StringComparison.Ordinal)
            // Several frameworks use this header, if it is present, instead of the request's method.
            && !request.Headers.NonValidated.Contains("X-HTTP-Method-Override")
            && !request.Headers.NonValidated.Contains("X-HTTP-Method")
            && !request.Headers.NonValidated.Contains("X-Method-Override");
        return may ? Listed(request.Method.Method, uri.AbsolutePath[_base.AbsolutePath.Length..].Split('/'), Names(uri)) : [];
    }

    private IEnumerable<RestOperation> Listed(string method, string[] path, string[] query) => _operations[(method, path.Length)].Where(o =>
        path.Zip(o.Segments).Select((s, i) => Fits(path, i, s.Second)).All(fits => fits)
        && query.All(q => o.Parameter(q)?.Place == ParameterPlace.Query
            || o.Pager is { Place: ParameterPlace.Query } pager && (q == pager.To || pager.Own.Contains(q))));

    /// <summary>
    /// Whether a segment fits the template. Where the API has custom verbs, a colon in the last segment, also an escaped one, starts one
    /// (<c>:setIamPolicy</c>) and is refused, unless the source says otherwise.
    /// </summary>
    private bool Fits(string[] path, int at, string template)
    {
        if (Written(path[at], template) is not { } written || PathSegments.Leads(written))
            return false;
        if (_special is null || written.Length == 0)
            return true;
        if (written.Contains(':', StringComparison.Ordinal))
            return false;
        var name = Uri.UnescapeDataString(written);
        return at < path.Length - 1 || !name.Contains(':', StringComparison.Ordinal) || _special(at > 0 ? path[at - 1] : "", name);
    }

    private static string[] Names(Uri uri) =>
        uri.Query.Length <= 1 ? [] : [.. uri.Query[1..].Split('&').Select(p => Uri.UnescapeDataString(p.Split('=')[0]))];
}
