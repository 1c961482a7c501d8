using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Collectors.Http;
using Google.Apis.Auth.OAuth2;

namespace AuditCli.Collectors.Gcp;

/// <summary>One target's credentials and clients.</summary>
/// <param name="claimed">Whom the credentials themselves name.</param>
/// <param name="clock">For waits between attempts; a replay does not wait.</param>
/// <param name="route">The way to Google; null in a replay.</param>
internal sealed class GcpSession(string target, GoogleCredential credential, string claimed, ExchangeTransport transport, TimeProvider clock, Route? route) : ITargetSession
{
    /// <summary>The word for what has no region: locations are part of names.</summary>
    public const string GlobalRegion = "gcp-global";

    private const string IdentityService = "openidconnect";
    private const string IdentityPath = "/v1/userinfo";
    private static readonly Uri IdentityHost = new("https://openidconnect.googleapis.com/");
    private readonly ConcurrentDictionary<(string Api, string Region), Lazy<GoogleClient>> _clients = new();
    private readonly ConcurrentDictionary<Uri, bool> _used = new();

    /// <inheritdoc/>
    public IEnumerable<string> UnusualEndpoints => _used.Keys.Where(u => !Endpoints.IsProvider(u)).Select(u => u.Origin());

    /// <summary>Every page of an answer, as the provider wrote it; what is left is thrown after the page that says so.</summary>
    /// <param name="project">The partition's project; empty for what the target itself asks.</param>
    /// <param name="table">The table made from several calls that asks; null for a call of its own.</param>
    /// <exception cref="CollectionException">There is no answer, it is not whole, or its pages lead in a circle.</exception>
    public async IAsyncEnumerable<JsonElement> PagesAsync(
        ApiModel api, OperationModel operation, IEnumerable<KeyValuePair<string, JsonElement>> given, string project,
        [EnumeratorCancellation] CancellationToken cancellationToken, string? table = null)
    {
        var what = $"{api.Name}:{operation.Name}";
        var parameters = RequestWriter.Complete(api, operation, given, project);
        // What does not name its project is the same question for all of them. Each has a file of its own for those, so that a replay
        // gives every project the answer that was its own. So has a table made from several calls, for a control may ask one of them too.
        var region = table is null && (project.Length == 0 || RequestWriter.Names(parameters, project)) ? GlobalRegion : project.Replace(':', '_');
        var service = table is null ? api.Name : $"{api.Name}.{table}";
        var origin = transport.RecordedOrigin(new(target, service, region));
        var address = transport.IsReplay ? Endpoints.Recorded(api, origin) : Endpoints.Of(api);
        var client = Client(service, region, address, new RequestCheck(api, address).Refusal);
        var tokens = new HashSet<string>(StringComparer.Ordinal);
        var empty = new EmptyPages(what, transport.IsReplay ? null : clock);
        for (string? token = null; ;)
        {
            using var request = RequestWriter.Write(address, operation, parameters, token);
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
            yield return page;
            if (AnswerRows.Missing(operation, page) is { } missing)
                throw new CollectionException(GcpFailures.PartialAnswer, $"{what}: the answer says that some of it is missing: {missing}");
            if (AnswerRows.Unfollowed(operation, page) is { } member)
                throw new CollectionException(
                    GcpFailures.NextPageUnreadable, $"{what}: the answer says that more follows ({member}), and nobody can say how to read it");
            token = operation.Token is not null && page.TryGetProperty("nextPageToken", out var next) && next.ValueKind == JsonValueKind.String ? next.GetString() : null;
            if (string.IsNullOrEmpty(token))
                yield break;
            if (!tokens.Add(token))
                throw new CollectionException(GcpFailures.RepeatedToken, $"{what}: the answer gives a page token that it gave before; reading on would never end");
            empty.Add(!AnswerRows.Elements(what, operation, page).Any());
        }
    }

    /// <summary>Whom Google takes the caller for, or whom the credentials claim to be where Google does not say.</summary>
    public async Task<string> IdentityAsync(CancellationToken cancellationToken)
    {
        var origin = transport.RecordedOrigin(new(target, IdentityService, GlobalRegion));
        var address = transport.IsReplay ? origin : Endpoints.Identity(IdentityHost);
        if (address is null)
            return Claimed;
        // Once: a 401 is the usual answer to a machine's token, and renewing the token would not change it.
        var client = Client(IdentityService, GlobalRegion, address, r => r.Method == HttpMethod.Get && r.RequestUri == new Uri(address, IdentityPath)
            ? null
            : $"{r.Method} {r.RequestUri?.Shown()} is not the question who the caller is", attempts: 1);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, IdentityPath));
            var answer = await client.SendAsync("the caller's identity", request, cancellationToken);
            return answer.Status == 200 && AnswerRows.Parse("the caller's identity", answer.Body) is var said
                && said.TryGetProperty("email", out var email) && email.GetString() is { Length: > 0 } text
                ? text
                : Claimed;
        }
        catch (CollectionException e) when (e.Code is GcpFailures.ConnectionFailed or GcpFailures.TimedOut or GcpFailures.Malformed or ExchangeRefusedException.NoRecording)
        {
            // Networks that let only the audited APIs out are common. The label says that the provider did not confirm it.
            return Claimed;
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values.Where(c => c.IsValueCreated))
            client.Value.Dispose();
    }

    /// <summary>The project that pays for requests and whose quota they use; null where the credentials do not say.</summary>
    public string? Payer => credential.QuotaProject;

    private string Claimed => $"{Connection.Claimed} {claimed}";

    private GoogleClient Client(string service, string region, Uri address, Func<HttpRequestMessage, string?> refusal, int attempts = RetryRules.Attempts) => _clients.GetOrAdd(
        (service, region),
        _ => new(() =>
        {
            _used[new(address.GetLeftPart(UriPartial.Authority))] = true;
            var scope = new ExchangeScope(target, service, region);
            // Who pays is part of a recorded question, whether target, file or environment named it then.
            var payer = transport.RecordedField(scope, "X-Goog-User-Project");
            return new(transport.Open(scope, refusal, route: route), payer is null ? credential : credential.CreateWithQuotaProject(payer), transport.IsReplay ? null : clock, attempts);
        })).Value;
}

/// <summary>Where APIs are asked.</summary>
internal static class Endpoints
{
    private const string Prefix = "CLOUDSDK_API_ENDPOINT_OVERRIDES_";

    /// <summary>Google's own address, or the one that the Google Cloud CLI's variable names, base path included.</summary>
    /// <exception cref="CollectionException">The variable does not hold such an address.</exception>
    public static Uri Of(ApiModel api)
    {
        var own = new Uri(api.Host, api.BasePath);
        var variable = Prefix + api.Override;
        if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } text)
            return own;
        // Another path would not be found again in a replay, which knows hosts alone.
        return Stated(text) is { } given && given.AbsolutePath.TrimEnd('/') == own.AbsolutePath.TrimEnd('/')
            ? new(given, own.AbsolutePath)
            : throw new CollectionException(GcpFailures.InvalidEndpoint, $"{variable} must be an http or https address that ends with {own.AbsolutePath}");
    }

    /// <summary>The recorded host, whatever it was, so that a replay needs to know nothing about endpoints.</summary>
    public static Uri Recorded(ApiModel api, Uri? origin) => new(origin ?? api.Host, api.BasePath);

    /// <summary>
    /// Where the caller's identity is asked. Null where an override sends the audited APIs elsewhere and does not name this one: a
    /// token for that place must not go to Google.
    /// </summary>
    public static Uri? Identity(Uri own)
    {
        if (Environment.GetEnvironmentVariable(Prefix + "OPENIDCONNECT") is { Length: > 0 } text)
            return Stated(text);
        var others = Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(k => k.StartsWith(Prefix, StringComparison.Ordinal));
        return others.Any(k => Uri.TryCreate(Environment.GetEnvironmentVariable(k), UriKind.Absolute, out var other) && !IsProvider(other)) ? null : own;
    }

    /// <summary>The address in a variable, without a user, a password and a query; null where it is none.</summary>
    private static Uri? Stated(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var given) && given.Scheme is "http" or "https" ? given.WithoutCredentials() : null;

    /// <summary>Whether the endpoint is Google's, over https.</summary>
    public static bool IsProvider(Uri endpoint) =>
        endpoint.Scheme == Uri.UriSchemeHttps && endpoint.IsDefaultPort && endpoint.Host.EndsWith(".googleapis.com", StringComparison.OrdinalIgnoreCase);
}
