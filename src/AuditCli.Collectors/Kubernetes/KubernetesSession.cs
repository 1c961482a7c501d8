using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>Sends requests to one cluster, through the guard and the recorder.</summary>
internal sealed class KubernetesSession : ITargetSession
{
    private const int Attempts = 3;

    /// <summary>The page token of every list.</summary>
    private static readonly AnswerPlaces Places = new RedactedPlace("", "/metadata/continue").AsPageToken();
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;
    private readonly TimeProvider? _clock;
    private readonly RetryWaits _waits;
    private readonly int _pageSize;

    /// <param name="clock">The clock for waits between attempts; null in a replay, which does not wait.</param>
    public KubernetesSession(ExchangeScope scope, ClusterAccess access, ExchangeTransport transport, TimeProvider? clock, int pageSize)
    {
        (_clock, _waits, _pageSize, Access) = (clock, transport.Waits(clock), pageSize, access);
        var check = new RequestCheck(new Uri(access.Address).AbsolutePath.TrimEnd('/'));
        // The recorder limits the time of each attempt, so that a timeout is recorded like every other failure.
        _http = new(transport.Open(scope, check.Refusal, _ => Places, access.Route)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public ClusterAccess Access { get; }

    /// <inheritdoc/>
    /// <remarks>An endpoint is unusual if it has no TLS or its certificate is not verified.</remarks>
    public IEnumerable<string> UnusualEndpoints
    {
        get
        {
            var server = new Uri(Access.Address);
            var origin = server.Origin();
            return server.Scheme != Uri.UriSchemeHttps ? [origin]
                : Access.Route is { Trust.IsChecked: false } ? [$"{origin} (certificate not checked)"]
                : [];
        }
    }

    /// <summary>Yields every page of a list, restricted by the parameters.</summary>
    /// <exception cref="CollectionException">There is no response, or a page token repeats.</exception>
    public IAsyncEnumerable<JsonElement> PagesAsync(
        KubernetesResource resource, IEnumerable<KeyValuePair<string, JsonElement>> parameters, CancellationToken cancellationToken)
    {
        var (asked, selectors) = Checked(resource, parameters);
        return PagesAsync(resource, asked, $"?limit={Limit(1)}{selectors}", cancellationToken);
    }

    /// <summary>Yields every page of a complete list that is an input of a derived table.</summary>
    /// <remarks>
    /// The URI differs from that of the list operation by a parameter that states its own default; otherwise a replay could use the responses
    /// recorded for one of the two for the other.
    /// </remarks>
    /// <param name="share">The divisor of the usual number of objects per page.</param>
    /// <exception cref="CollectionException">There is no response, or a page token repeats.</exception>
    public IAsyncEnumerable<JsonElement> PartsAsync(KubernetesResource resource, int share, CancellationToken cancellationToken) =>
        PagesAsync(resource, AskedObjects.All, $"?limit={Limit(share)}&pretty=false", cancellationToken);

    /// <summary>
    /// Yields the pages of <see cref="PartsAsync"/>, but a failure is yielded as the last element instead of thrown, so that the other
    /// lists of the table are still read.
    /// </summary>
    public async IAsyncEnumerable<(JsonElement Page, CollectionException? Failure)> PartsOrFailureAsync(
        KubernetesResource resource, int share, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var pages = PartsAsync(resource, share, cancellationToken).GetAsyncEnumerator(cancellationToken);
        CollectionException? failure = null;
        while (failure is null)
        {
            try
            {
                if (!await pages.MoveNextAsync())
                    yield break;
            }
            catch (CollectionException e)
            {
                failure = e;
            }
            yield return failure is null ? (pages.Current, null) : (default, failure);
        }
    }

    /// <summary>Yields every page of a list; only the current page is held in memory.</summary>
    /// <remarks>
    /// If the server expires the list while it is read (410), reading ends with <see cref="KubernetesCodes.ListExpired"/>: a new list would
    /// show another state of the cluster, and the rows already yielded cannot be withdrawn.
    /// </remarks>
    /// <exception cref="CollectionException">There is no response, or a page token repeats.</exception>
    private async IAsyncEnumerable<JsonElement> PagesAsync(
        KubernetesResource resource, AskedObjects asked, string query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var given = new GivenTokens(resource.ToString());
        var empty = new EmptyPages(resource.ToString(), _clock);
        var read = new ReadObjects(resource, asked);
        string? token = null;
        do
        {
            JsonElement page;
            try
            {
                var next = token is null ? "" : "&continue=" + Uri.EscapeDataString(token);
                page = await PageAsync(resource, asked.Namespace, query + next, given.Count, cancellationToken);
            }
            catch (CollectionException e) when (empty.Of(e) is var told && told != e)
            {
                throw told;
            }
            read.Add(page);
            yield return page;
            token = ObjectRows.Continue(page);
            if (token is null && (ObjectRows.Unfollowed(resource, page) ?? read.Missing()) is { } more)
                throw more;
            if (token is not null)
            {
                given.Add(token);
                empty.Add(!ObjectRows.Items(page).Any());
            }
        }
        while (token is not null);
    }

    /// <summary>Returns one object; the guard must know its path.</summary>
    /// <exception cref="CollectionException">There is no response, or the object does not exist.</exception>
    public async Task<JsonElement> ObjectAsync(string path, CancellationToken cancellationToken) =>
        Parsed(path, await SendAsync(HttpMethod.Get, path, "application/json", null, cancellationToken));

    /// <summary>Posts a review of the caller's identity or permissions, which the server does not store.</summary>
    /// <exception cref="CollectionException">There is no response.</exception>
    public async Task<JsonElement> ReviewAsync(string path, string kind, CancellationToken cancellationToken)
    {
        var apiVersion = string.Join('/', path.Split('/')[2..4]);
        var review = $$"""{"apiVersion":"{{apiVersion}}","kind":"{{kind}}"}""";
        return Parsed(path, await SendAsync(HttpMethod.Post, path, "application/json", review, cancellationToken));
    }

    public void Dispose() => _http.Dispose();

    private static JsonElement Parsed(string path, ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonAnswer.Parse(body, ObjectRows.Strict);
        }
        catch (JsonException e)
        {
            throw new CollectionException(Codes.MalformedResponse, $"the response to {path} is not valid JSON", e);
        }
    }

    private async Task<JsonElement> PageAsync(KubernetesResource resource, string? ns, string query, int pagesBefore, CancellationToken cancellationToken)
    {
        try
        {
            return ObjectRows.Parse(resource, await SendAsync(HttpMethod.Get, resource.ListPath(ns) + query, resource.Accept, null, cancellationToken));
        }
        catch (CollectionException e) when (e.Code is KubernetesCodes.Expired or "Gone" && pagesBefore > 0)
        {
            throw new CollectionException(
                KubernetesCodes.ListExpired,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{resource}: the list expired on the server after {pagesBefore} pages ({e.Message}); it must be read again from the beginning"),
                e);
        }
        catch (CollectionException e) when (e.Code == KubernetesCodes.NotFound)
        {
            throw await ExplainMissingAsync(resource, ns, e, cancellationToken);
        }
    }

    /// <summary>Explains a list that was not found: discovery tells whether the cluster serves the resource at all.</summary>
    private async Task<CollectionException> ExplainMissingAsync(
        KubernetesResource resource, string? ns, CollectionException missing, CancellationToken cancellationToken)
    {
        JsonElement served;
        try
        {
            served = Parsed(resource.DiscoveryPath, await SendAsync(HttpMethod.Get, resource.DiscoveryPath, "application/json", null, cancellationToken));
        }
        catch (CollectionException e) when (e.Code == KubernetesCodes.NotFound)
        {
            return new(KubernetesCodes.NotServed, $"the cluster does not serve {resource.GroupVersion}", missing);
        }
        catch (CollectionException e)
        {
            return new(missing.Code, $"{missing.Message}; whether the cluster serves {resource} could not be read: {e.Message}", missing);
        }
        // A resource that is not served may satisfy a control, so a message of an intermediary must not be taken for this result.
        if (ServedResources.WhyNot(resource, served) is { } other)
        {
            return new(
                missing.Code,
                $"{missing.Message}; whether the cluster serves {resource} could not be read: the response to {resource.DiscoveryPath} {other}",
                missing);
        }
        var kind = ServedResources.Find(resource, served);
        if (kind.ValueKind == JsonValueKind.Undefined)
            return new(KubernetesCodes.NotServed, $"the cluster serves {resource.GroupVersion}, but no {resource.Name} in it", missing);
        return ns is not null && kind.TryGetProperty("namespaced", out var namespaced) && namespaced.ValueKind == JsonValueKind.False
            ? new(Codes.InvalidParameter, $"{resource} is not namespaced", missing)
            : missing;
    }

    /// <summary>
    /// Returns the body of a successful response. Reading has no side effect, so transient failures are retried, with three attempts in
    /// total.
    /// </summary>
    private async Task<byte[]> SendAsync(HttpMethod method, string pathAndQuery, string accept, string? content, CancellationToken cancellationToken)
    {
        var what = $"{method} {pathAndQuery.Split('?')[0]}";
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, new Uri(Access.Address + pathAndQuery)) { Version = HttpVersion.Version20 };
            // .NET verifies the server's certificate against the name in this header.
            request.Headers.Host = Access.TlsServerName;
            request.Headers.TryAddWithoutValidation("Accept", accept);
            request.Headers.TryAddWithoutValidation("User-Agent", RecordingSoftware.Name);
            foreach (var (name, value) in Access.Impersonation)
                request.Headers.TryAddWithoutValidation(name, value);
            if (content is not null)
            {
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(content))
                {
                    Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
                };
            }
            request.Headers.Authorization = await Access.Authorization(cancellationToken);
            var last = attempt == Attempts;
            RequestedWait? asked = null;
            try
            {
                using var answer = await _http.SendAsync(request, cancellationToken);
                var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
                if (IsWhole(method, answer.StatusCode))
                    return body;
                if (answer.IsSuccessStatusCode)
                    throw new CollectionException(Codes.MalformedResponse, string.Create(
                        CultureInfo.InvariantCulture, $"{what}: the response has status {(int)answer.StatusCode}, which no complete response has"));
                if (last || !MayPass(answer.StatusCode))
                    throw KubernetesFailures.Of(what, answer, body);
                asked = RequestedWait.From(
                    RetryAfter.Of(answer.Headers.RetryAfter, answer.Headers.Date, LongestWait),
                    request.RequestUri, (int)answer.StatusCode, attempt + 1, Attempts);
            }
            // A connect timeout arrives as a cancellation although the caller's token is not cancelled.
            catch (Exception e)
                when (e is HttpRequestException or IOException or OperationCanceledException or ExchangeRefusedException
                    && !cancellationToken.IsCancellationRequested)
            {
                if (last || e is ExchangeRefusedException || KubernetesFailures.IsUntrusted(e))
                    throw KubernetesFailures.Of(what, e);
            }
            await _waits.WaitAsync(Random.Shared.NextDouble() * TimeSpan.FromSeconds(Math.Pow(2, attempt - 1)), asked, cancellationToken);
        }
    }

    /// <summary>Whether the status means a complete response: 200, or 201 for a review. Any other success is partial or empty.</summary>
    private static bool IsWhole(HttpMethod method, HttpStatusCode status) =>
        status == HttpStatusCode.OK || status == HttpStatusCode.Created && method == HttpMethod.Post;

    private static bool MayPass(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway
            or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private string Limit(int share) => Math.Max(1, _pageSize / share).ToString(CultureInfo.InvariantCulture);

    private static (AskedObjects Asked, string Selectors) Checked(KubernetesResource resource, IEnumerable<KeyValuePair<string, JsonElement>> parameters)
    {
        string? ns = null, labels = null, fields = null;
        var selectors = new StringBuilder();
        foreach (var (name, value) in parameters)
        {
            if (!KubernetesSource.Parameters.Any(p => p.Name == name))
                throw Invalid($"{resource} takes no parameter {name}; it takes {string.Join(", ", KubernetesSource.Parameters.Select(p => p.Name))}");
            if (value.ValueKind != JsonValueKind.String || value.GetString() is not { Length: > 0 } text)
                throw Invalid($"{resource}.{name} must be a non-empty text; otherwise leave it out");
            (labels, fields) = (name == "labelSelector" ? text : labels, name == "fieldSelector" ? text : fields);
            if (name != "namespace")
                selectors.Append(CultureInfo.InvariantCulture, $"&{name}={Uri.EscapeDataString(text)}");
            else if (KubernetesResource.IsLabel(text))
                ns = text;
            else
                throw Invalid($"'{text}' is not a namespace");
        }
        return (AskedObjects.Of(ns, labels, fields), selectors.ToString());
    }

    private static CollectionException Invalid(string message) => new(Codes.InvalidParameter, message);
}
