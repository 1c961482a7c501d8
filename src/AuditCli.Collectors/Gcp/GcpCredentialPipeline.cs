using AuditCli.Collectors.Exchanges;
using Google.Apis.Http;

namespace AuditCli.Collectors.Gcp;

/// <summary>Sends the requests that obtain credentials of Google Cloud, guarded by a <see cref="CredentialGuard"/>.</summary>
/// <param name="route">The route to every host except the machine's metadata server.</param>
/// <param name="subjectToken">The URL from which a federated credentials file fetches its subject token; null for none.</param>
/// <param name="impersonation">The URL at which a credentials file impersonates accounts; null for Google's own.</param>
internal sealed class GcpCredentialPipeline(
    TimeProvider clock, Action<CredentialExchange> seen, Route route, Uri? subjectToken = null, Uri? impersonation = null) : HttpClientFactory
{
    private readonly CredentialGuard _guard = new(clock, seen);
    private readonly Route _route = route;

    protected override HttpMessageHandler CreateHandler(CreateHttpClientArgs args) => new Handler(this);

    private async Task<string?> OperationAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (request.Method == HttpMethod.Get)
        {
            return path.StartsWith("/computeMetadata/v1/", StringComparison.Ordinal) ? "metadata:" + path["/computeMetadata/v1/".Length..]
                : subjectToken == request.RequestUri ? "federation:subjectToken" : null;
        }
        if (request.Method != HttpMethod.Post || request.Content is not { } content)
            return null;
        if (path.EndsWith(":generateAccessToken", StringComparison.Ordinal))
            return "iamcredentials:generateAccessToken";
        var form = (await content.ReadAsStringAsync(cancellationToken)).Split('&').Select(p => p.Split('=', 2)).Where(p => p.Length == 2);
        var grant = form.FirstOrDefault(p => p[0] == "grant_type")?[1];
        return grant is null ? null : Uri.UnescapeDataString(grant).Split(':')[^1] switch
        {
            "jwt-bearer" => "oauth2:jwt-bearer",
            "refresh_token" => "oauth2:refresh_token",
            "token-exchange" => "sts:token-exchange",
            _ => null,
        };
    }

    private sealed class Handler(GcpCredentialPipeline pipeline) : DelegatingHandler(pipeline._route.Connect(CredentialGuard.Connect))
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = pipeline.Overridden(request.RequestUri!);
            var operation = await pipeline.OperationAsync(request, cancellationToken);
            return await pipeline._guard.SendAsync(request, operation, limited => base.SendAsync(request, limited), cancellationToken);
        }
    }

    /// <summary>Applies the Google Cloud CLI's variables for the two endpoints that no credentials file names.</summary>
    private Uri Overridden(Uri uri)
    {
        if (impersonation is not null && uri.Host == "iamcredentials.googleapis.com")
            return impersonation;
        var variable = uri.Host switch
        {
            "oauth2.googleapis.com" => "CLOUDSDK_AUTH_TOKEN_HOST",
            "iamcredentials.googleapis.com" => "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
            _ => null,
        };
        if (variable is null || Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } text)
            return uri;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var given) || given.Scheme is not ("http" or "https"))
            throw new ExchangeRefusedException(Codes.InvalidEndpoint, $"{variable} must be an http or https address");
        return variable == "CLOUDSDK_AUTH_TOKEN_HOST" ? given : new Uri(given, uri.AbsolutePath);
    }
}
