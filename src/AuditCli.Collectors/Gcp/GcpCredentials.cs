using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Http;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Sends the requests that obtain credentials. It is separate from the recorded pipeline, so that no credential is recorded, and refuses
/// every request except the named credential exchanges.
/// </summary>
/// <param name="route">The route to every host except the machine's metadata server.</param>
/// <param name="subjectToken">The URL from which a federated credentials file fetches its subject token; null for none.</param>
/// <param name="impersonation">The URL at which a credentials file impersonates accounts; null for Google's own.</param>
internal sealed class CredentialPipeline(
    TimeProvider clock, Action<CredentialExchange> seen, Route route, Uri? subjectToken = null, Uri? impersonation = null) : HttpClientFactory
{
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

    private sealed class Handler(CredentialPipeline pipeline) : DelegatingHandler(pipeline.Route.Connect(TimeSpan.FromSeconds(10)))
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = pipeline.Overridden(request.RequestUri!);
            var operation = await pipeline.OperationAsync(request, cancellationToken)
                ?? throw new ExchangeRefusedException(
                    Codes.RefusedReadOnly, $"{request.Method} {request.RequestUri?.Shown()} is no exchange of credentials");
            var date = pipeline.Clock.GetUtcNow();
            var status = 0;
            try
            {
                var response = await base.SendAsync(request, cancellationToken);
                status = (int)response.StatusCode;
                return response;
            }
            finally
            {
                pipeline.Seen(new(date, new(request.RequestUri!.Shown()), operation, status));
            }
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

    private TimeProvider Clock => clock;

    private Route Route => route;

    private Action<CredentialExchange> Seen => seen;
}

/// <summary>
/// Obtains the credentials of a target: its own file, or the application default credentials of the Google Cloud SDKs. The SDK's own
/// look-up is not used, because it caches the first result for the whole process.
/// </summary>
internal sealed class GcpCredentials(TimeProvider clock, Action<CredentialExchange> seen, Route route)
{
    // The read-only form of this scope is not accepted by every API; IAM and the guard limit what the credentials can do.
    private static readonly string[] Scopes = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];

    /// <summary>Returns credentials that have already obtained a token, and the identity that they name.</summary>
    /// <exception cref="CollectionException">There are no credentials, or they cannot obtain a token.</exception>
    public async Task<(GoogleCredential Credential, string Claimed)> ResolveAsync(Target target, CancellationToken cancellationToken)
    {
        var what = "the application default credentials";
        try
        {
            var file = target.Setting("credentials") ?? DefaultFile();
            what = file is null ? "the metadata server" : $"the credentials file {file}";
            var (credential, claimed) = file is null ? FromMetadata() : await FromFileAsync(file, cancellationToken);
            if (target.Setting("impersonate") is { } account)
            {
                what += $", impersonating {account}";
                credential = credential.Impersonate(new(account) { Scopes = Scopes, HttpClientFactory = new CredentialPipeline(clock, seen, route) });
                claimed = account;
            }
            if ((target.Setting("quota_project") ?? Environment.GetEnvironmentVariable("GOOGLE_CLOUD_QUOTA_PROJECT")) is { Length: > 0 } payer)
                credential = credential.CreateWithQuotaProject(payer);
            // Request a token now: otherwise a refusal would be reported as a failure of the first call.
            await credential.UnderlyingCredential.GetAccessTokenForRequestAsync(cancellationToken: cancellationToken);
            return (credential, claimed);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not CollectionException)
        {
            throw new OperationCanceledException("the call was cancelled", e, cancellationToken);
        }
        catch (Exception e) when (e is not CollectionException and not OutOfMemoryException)
        {
            // Parsers quote their input, and this file holds a private key, so only messages known to be harmless are repeated.
            var known = GcpFailures.IsKnown(e) ? GcpFailures.Map(what, e).Message : $"{what} cannot be used ({e.GetType().Name})";
            throw new CollectionException(Codes.NoCredentials, known, GcpFailures.IsKnown(e) ? e : null);
        }
    }

    private (GoogleCredential, string) FromMetadata()
    {
        var credential = new ComputeCredential(new ComputeCredential.Initializer { HttpClientFactory = new CredentialPipeline(clock, seen, route) });
        return (GoogleCredential.FromComputeCredential(credential), "the machine's service account");
    }

    private async Task<(GoogleCredential, string)> FromFileAsync(string file, CancellationToken cancellationToken)
    {
        var json = await File.ReadAllTextAsync(file, cancellationToken);
        using var document = JsonDocument.Parse(json);
        return Of(document.RootElement, file);
    }

    private (GoogleCredential Credential, string Claimed) Of(JsonElement root, string file)
    {
        var type = Text(root, "type") ?? throw new CollectionException(Codes.NoCredentials, $"{file} does not say which type of credentials it holds");
        if (type == JsonCredentialParameters.ImpersonatedServiceAccountCredentialType)
            return Impersonated(root, file);
        var subject = root.TryGetProperty("credential_source", out var source) && source.ValueKind == JsonValueKind.Object
            && Text(source, "url") is { } from ? new Uri(from) : null;
        var credential = CredentialFactory.FromJson(root.GetRawText(), type)
            .CreateWithHttpClientFactory(new CredentialPipeline(clock, seen, route, subject))
            .CreateScoped(Scopes);
        var named = Text(root, "client_email")
            ?? (Text(root, "service_account_impersonation_url") is { } url ? Account(url) : null)
            ?? Text(root, "audience")
            ?? type;
        return (credential, named);
    }

    /// <summary>
    /// Builds impersonated credentials from their parts, because for such a file the SDK passes this pipeline only to the outer credentials
    /// and not to the source credentials inside.
    /// </summary>
    private (GoogleCredential, string) Impersonated(JsonElement root, string file)
    {
        if (!root.TryGetProperty("source_credentials", out var inner)
            || Text(root, "service_account_impersonation_url") is not { } url || Account(url) is not { Length: > 0 } account)
        {
            throw new CollectionException(Codes.NoCredentials, $"{file} does not say who impersonates whom");
        }
        var (source, _) = Of(inner, file);
        var initializer = new ImpersonatedCredential.Initializer(account)
        {
            Scopes = Scopes,
            HttpClientFactory = new CredentialPipeline(clock, seen, route, impersonation: new(url)),
        };
        if (root.TryGetProperty("delegates", out var delegates) && delegates.ValueKind == JsonValueKind.Array)
            initializer.DelegateAccounts = [.. delegates.EnumerateArray().Select(d => d.GetString()!)];
        var credential = source.Impersonate(initializer);
        return (Text(root, "quota_project_id") is { } payer ? credential.CreateWithQuotaProject(payer) : credential, account);
    }

    /// <summary>Returns the account in the URL at which it is impersonated.</summary>
    private static string Account(string url) => url.Split('/')[^1].Split(':')[0];

    /// <summary>
    /// Returns the credentials file by the search order of the Google Cloud SDKs; null if only a metadata server remains.
    /// </summary>
    private static string? DefaultFile()
    {
        if (Environment.GetEnvironmentVariable("GOOGLE_APPLICATION_CREDENTIALS") is { Length: > 0 } named)
            return named;
        var folder = Environment.GetEnvironmentVariable("CLOUDSDK_CONFIG") is { Length: > 0 } own ? own
            : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetEnvironmentVariable("APPDATA") ?? "", "gcloud")
            : Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "", ".config", "gcloud");
        var file = Path.Combine(folder, "application_default_credentials.json");
        return File.Exists(file) ? file : null;
    }

    private static string? Text(JsonElement e, string name) =>
        e.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
