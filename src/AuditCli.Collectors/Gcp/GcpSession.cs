using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Rest;
using AuditCli.Collectors.Running;
using AuditCli.Evidence.Text;
using Google.Apis.Auth.OAuth2;

namespace AuditCli.Collectors.Gcp;

/// <summary>Holds the credentials and clients of one target.</summary>
/// <param name="claimed">The identity that the credentials themselves name.</param>
/// <param name="clock">The clock for waits between attempts; a replay does not wait.</param>
/// <param name="route">The route to Google; null in a replay.</param>
internal sealed class GcpSession(
    string target, GoogleCredential credential, string claimed, ExchangeTransport transport, TimeProvider clock, Route? route) : ITargetSession
{
    /// <summary>The region name of every request: in Google Cloud, locations are part of resource names.</summary>
    public const string GlobalRegion = "gcp-global";

    private const string IdentityService = "openidconnect";
    private const string IdentityPath = "/v1/userinfo";
    private static readonly Uri IdentityHost = new("https://openidconnect.googleapis.com/");
    private readonly ConcurrentDictionary<(string Api, string Region), Lazy<GoogleClient>> _clients = new();
    private readonly ConcurrentDictionary<Uri, bool> _used = new();

    /// <inheritdoc/>
    public IEnumerable<string> UnusualEndpoints => _used.Keys.Where(u => !Endpoints.IsProvider(u)).Select(u => u.Origin());

    /// <summary>
    /// Yields every page of a response, as the provider wrote it. If a page says that something is missing, the failure is thrown after
    /// that page.
    /// </summary>
    /// <param name="project">The project of the connection; empty for requests of the target itself.</param>
    /// <param name="table">The table of several calls that makes this request; null for a request of its own.</param>
    /// <exception cref="CollectionException">There is no response, it is incomplete, or a page token repeats.</exception>
    public async IAsyncEnumerable<JsonElement> PagesAsync(
        RestApi api, RestOperation operation, IEnumerable<KeyValuePair<string, JsonElement>> given, string project,
        [EnumeratorCancellation] CancellationToken cancellationToken, string? table = null)
    {
        var what = $"{api.Name}:{operation.Name}";
        var location = Location.Of(api, operation, given);
        var parameters = RestRequest.Complete(
            api, operation, given, [new("{project}", project), .. location is null ? [] : new[] { new RestPlace(Location.Word, location) }]);
        // A request that does not name its project is identical for all projects. Each project has a separate file for these, so that a
        // replay gives every project its own response. A table of several calls has a separate file too, because a control may also make
        // one of its calls.
        var own = table is null && (project.Length == 0 || RestRequest.Names(parameters, project)) ? null : project.Replace(':', '_');
        // Each location has a host, and so a file, of its own.
        var region = location is null ? own ?? GlobalRegion : own is null ? location : $"{location}_{own}";
        var service = table is null ? api.Name : $"{api.Name}.{table}";
        var origin = transport.RecordedOrigin(new(target, service, region));
        var address = transport.IsReplay ? Endpoints.Recorded(api, origin, operation, location) : Endpoints.Of(api, operation, location);
        var check = new RequestCheck(api, address, location);
        var client = Client(service, region, address, check.Refusal, check.Places);
        var tokens = new GivenTokens(what);
        var empty = new EmptyPages(what, transport.IsReplay ? null : clock);
        var read = new ReadRows(what);
        var hasKind = false;
        for (string? token = null; ;)
        {
            using var request = RestRequest.Write(address, operation, parameters, token is null ? null : new(operation.TokenParameter, token));
            GoogleAnswer answer;
            try
            {
                answer = await client.SendAsync(what, request, cancellationToken);
            }
            catch (CollectionException e) when (empty.Of(e) is var told && told != e)
            {
                throw told;
            }
            if (answer.Status != 200)
                throw GcpFailures.Of(what, answer.Status, answer.Body);
            var page = AnswerRows.Parse(what, answer.Body);
            AnswerRows.Check(what, operation, page);
            AnswerRows.CheckKinds(what, api, operation, page);
            if (hasKind && !page.TryGetProperty("kind", out _))
                throw new CollectionException(Codes.MalformedResponse, $"{what}: the response has no kind after a page that has one");
            hasKind |= operation.Rows is not null && page.TryGetProperty("kind", out _);
            if ((AnswerPlace.Foreign(what, operation, request.RequestUri!, page) ?? AnswerPlace.Repeated(what, operation, page, read)) is { } other)
                throw other;
            yield return page;
            if (AnswerRows.Missing(operation, page) is { } missing)
                throw new CollectionException(Codes.PartialAnswer, $"{what}: the response says that it is partial: {missing}");
            if (AnswerRows.Unfollowed(operation, page) is { } member)
                throw new CollectionException(
                    Codes.NextPageUnreadable, $"{what}: the response says that more follows ({member}), but not how to read it");
            token = operation.Pager is null ? null : JsonMember.Text(page, AnswerRows.NextPageToken);
            if (string.IsNullOrEmpty(token))
                yield break;
            tokens.Add(token);
            empty.Add(!AnswerRows.Elements(what, operation, page).Any());
        }
    }

    /// <summary>
    /// Returns the identity that Google reports for the caller, or the one that the credentials claim if Google does not report any.
    /// </summary>
    public async Task<string> IdentityAsync(CancellationToken cancellationToken)
    {
        var origin = transport.RecordedOrigin(new(target, IdentityService, GlobalRegion));
        var address = transport.IsReplay ? origin : Endpoints.Identity(IdentityHost);
        if (address is null)
            return Claimed;
        // One attempt only: a 401 is the usual response to a machine's token, and renewing the token would not change it.
        var client = Client(IdentityService, GlobalRegion, address, r => r.Method == HttpMethod.Get && r.RequestUri == new Uri(address, IdentityPath)
            ? null
            : $"{r.Method} {r.RequestUri?.Shown()} is not the request for the caller's identity", attempts: 1);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, IdentityPath));
            var answer = await client.SendAsync("the caller's identity", request, cancellationToken);
            return answer.Status == 200 && AnswerRows.Parse("the caller's identity", answer.Body) is var said
                && said.TryGetProperty("email", out var email) && email.GetString() is { Length: > 0 } text
                ? text
                : Claimed;
        }
        catch (CollectionException e)
            when (e.Code is Codes.ConnectionFailed or Codes.TimedOut or Codes.MalformedResponse or Codes.NoRecording)
        {
            // Networks often allow only the audited APIs. The prefix of the identity says that the provider did not confirm it.
            return Claimed;
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values.Where(c => c.IsValueCreated))
            client.Value.Dispose();
    }

    /// <summary>The project that is billed for requests and whose quota they use; null if the credentials do not name one.</summary>
    public string? Payer => credential.QuotaProject;

    private string Claimed => $"{Connection.Claimed} {claimed}";

    private GoogleClient Client(
        string service, string region, Uri address, Func<HttpRequestMessage, string?> refusal, Func<HttpRequestMessage, AnswerPlaces?>? places = null,
        int attempts = RestRetry.Attempts) => _clients.GetOrAdd(
        (service, region),
        _ => new(() =>
        {
            _used[new(address.GetLeftPart(UriPartial.Authority))] = true;
            var scope = new ExchangeScope(target, service, region);
            // The billed project is part of a recorded request, whether target, file or environment named it at the time.
            var payer = transport.RecordedField(scope, "X-Goog-User-Project");
            return new(
                transport.Open(scope, refusal, places, route),
                payer is null ? credential : credential.CreateWithQuotaProject(payer),
                transport.Waits(clock),
                attempts);
        })).Value;
}

/// <summary>Determines the endpoints of APIs.</summary>
internal static class Endpoints
{
    private const string Prefix = "CLOUDSDK_API_ENDPOINT_OVERRIDES_";

    /// <summary>Returns Google's own URL, or the one in the Google Cloud CLI's variable, including the base path.</summary>
    /// <param name="location">The location whose host serves the operation; null for the API's own host.</param>
    /// <exception cref="CollectionException">The variable does not hold a valid URL.</exception>
    public static Uri Of(RestApi api, RestOperation operation, string? location)
    {
        var own = new Uri(Host(api, operation, location), api.BasePath);
        var variable = Prefix + api.Text("override");
        if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } text)
            return own;
        // A different path could not be reproduced in a replay, which records only hosts.
        return Stated(text) is { } given && given.AbsolutePath.TrimEnd('/') == own.AbsolutePath.TrimEnd('/')
            ? new(given, own.AbsolutePath)
            : throw new CollectionException(Codes.InvalidEndpoint, $"{variable} must be an http or https address that ends with {own.AbsolutePath}");
    }

    /// <summary>Returns the recorded host, whatever it was, so that a replay needs no knowledge of endpoints.</summary>
    public static Uri Recorded(RestApi api, Uri? origin, RestOperation operation, string? location) =>
        new(origin ?? Host(api, operation, location), api.BasePath);

    /// <summary>Returns Google's own host of an API.</summary>
    public static Uri Host(RestApi api) => new(api.Text("host")!);

    private static Uri Host(RestApi api, RestOperation operation, string? location) =>
        location is null ? Host(api) : new(operation.Host!.Replace(Location.Word, location, StringComparison.Ordinal));

    /// <summary>
    /// Returns the endpoint for the caller's identity. Null if an override sends the audited APIs to another host and does not cover this
    /// one, because a token for that host must not be sent to Google.
    /// </summary>
    public static Uri? Identity(Uri own)
    {
        if (Environment.GetEnvironmentVariable(Prefix + "OPENIDCONNECT") is { Length: > 0 } text)
            return Stated(text);
        var others = Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(k => k.StartsWith(Prefix, StringComparison.Ordinal));
        return others.Any(k => Uri.TryCreate(Environment.GetEnvironmentVariable(k), UriKind.Absolute, out var other) && !IsProvider(other)) ? null : own;
    }

    /// <summary>Returns the URL in a variable without user, password and query; null if it is not a valid URL.</summary>
    private static Uri? Stated(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var given) && given.Scheme is "http" or "https" ? given.WithoutCredentials() : null;

    /// <summary>Whether the endpoint is Google's, over https.</summary>
    public static bool IsProvider(Uri endpoint) =>
        endpoint.Scheme == Uri.UriSchemeHttps && endpoint.IsDefaultPort && endpoint.Host.EndsWith(".googleapis.com", StringComparison.OrdinalIgnoreCase);
}
