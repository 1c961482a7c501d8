using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>
/// Allows only requests that the catalogue lists, and entries of logs only where the filter limits them to audit logs.
/// </summary>
/// <param name="baseAddress">The host and base path; a request to any other URL is refused.</param>
/// <param name="location">
/// The location whose host it is; null for the API's own host. A host serves only the operations of its kind, and only of its location.
/// </param>
internal sealed partial class RequestCheck(RestApi api, Uri baseAddress, string? location = null)
{
    private readonly RestGuard _guard = new(
        api, baseAddress,
        // The id of a domain-scoped project (example.com:legacy) has a dot before the colon, which no other id has, and no capital letters
        // after it.
        special: (before, name) => before == "projects" && DomainProject().IsMatch(name),
        isServed: operation => operation.Host is null == location is null);

    /// <summary>Returns why the request may not be sent; null if it may.</summary>
    public string? Refusal(HttpRequestMessage request) => _guard.Refusal(request)
        ?? (api.Name == "logging" && request.RequestUri!.AbsolutePath.EndsWith("/entries:list", StringComparison.Ordinal)
            ? AuditLogFilter.WhyNot(Filter(request))
            : null)
        ?? (location is not null && Location.InPath(request.RequestUri!.AbsolutePath) is { } other && other != location
            ? $"{request.Method} {request.RequestUri.Shown()} is about {other}, but the host is that of {location}"
            : null);

    /// <inheritdoc cref="RestGuard.Places"/>
    public AnswerPlaces? Places(HttpRequestMessage request) => _guard.Places(request);

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

    [GeneratedRegex(@"\A[a-z0-9-]+(\.[a-z0-9-]+)+:[a-z][a-z0-9-]{4,28}[a-z0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex DomainProject();
}
