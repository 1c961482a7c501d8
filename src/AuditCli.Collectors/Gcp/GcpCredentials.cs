using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using Google.Apis.Auth.OAuth2;

namespace AuditCli.Collectors.Gcp;

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
        var (what, isOfMachine) = ("the application default credentials", false);
        try
        {
            var file = target.Setting("credentials") ?? DefaultFile();
            isOfMachine = file is null;
            what = file is null ? "the metadata server" : $"the credentials file {file}";
            var (credential, claimed) = file is null ? FromMetadata() : await FromFileAsync(file, cancellationToken);
            if (target.Setting("impersonate") is { } account)
            {
                what += $", impersonating {account}";
                credential = credential.Impersonate(new(account) { Scopes = Scopes, HttpClientFactory = new GcpCredentialPipeline(clock, seen, route) });
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
            if (isOfMachine)
                known = $"there is no credentials file, and {known}; `gcloud auth application-default login` signs in";
            throw new CollectionException(Codes.NoCredentials, known, GcpFailures.IsKnown(e) ? e : null);
        }
    }

    private (GoogleCredential, string) FromMetadata()
    {
        var credential = new ComputeCredential(new ComputeCredential.Initializer { HttpClientFactory = new GcpCredentialPipeline(clock, seen, route) });
        return (GoogleCredential.FromComputeCredential(credential), "the machine's service account");
    }

    private async Task<(GoogleCredential, string)> FromFileAsync(string file, CancellationToken cancellationToken)
    {
        RequireRegular("the credentials file", file);
        var json = await RegularFile.ReadAllTextAsync(file, cancellationToken);
        using var document = JsonDocument.Parse(json);
        return Of(document.RootElement, file);
    }

    private (GoogleCredential Credential, string Claimed) Of(JsonElement root, string file)
    {
        var type = JsonMember.Text(root, "type")
            ?? throw new CollectionException(Codes.NoCredentials, $"{file} does not state which type of credentials it contains");
        if (type == JsonCredentialParameters.ImpersonatedServiceAccountCredentialType)
            return Impersonated(root, file);
        var isFederated = root.TryGetProperty("credential_source", out var source) && source.ValueKind == JsonValueKind.Object;
        var subject = isFederated && JsonMember.Text(source, "url") is { } from ? new Uri(from) : null;
        // The SDK opens it by itself, and would wait for a pipe to which nobody writes.
        if (isFederated && JsonMember.Text(source, "file") is { } token)
            RequireRegular($"{file}: the token of credential_source,", token);
        var credential = CredentialFactory.FromJson(root.GetRawText(), type)
            .CreateWithHttpClientFactory(new GcpCredentialPipeline(clock, seen, route, subject))
            .CreateScoped(Scopes);
        var named = JsonMember.Text(root, "client_email")
            ?? (JsonMember.Text(root, "service_account_impersonation_url") is { } url ? Account(url) : null)
            ?? JsonMember.Text(root, "audience")
            ?? type;
        return (credential, named);
    }

    private static void RequireRegular(string what, string file)
    {
        if (RegularFile.WhyNot(file) is { } why)
            throw new CollectionException(Codes.NoCredentials, $"{what} {file} {why}");
    }

    /// <summary>
    /// Builds impersonated credentials from their parts, because for such a file the SDK passes this pipeline only to the outer credentials
    /// and not to the source credentials inside.
    /// </summary>
    private (GoogleCredential, string) Impersonated(JsonElement root, string file)
    {
        if (!root.TryGetProperty("source_credentials", out var inner)
            || JsonMember.Text(root, "service_account_impersonation_url") is not { } url || Account(url) is not { Length: > 0 } account)
        {
            throw new CollectionException(Codes.NoCredentials, $"{file} does not state which account is impersonated, and with which credentials");
        }
        var (source, _) = Of(inner, file);
        var initializer = new ImpersonatedCredential.Initializer(account)
        {
            Scopes = Scopes,
            HttpClientFactory = new GcpCredentialPipeline(clock, seen, route, impersonation: new(url)),
        };
        if (root.TryGetProperty("delegates", out var delegates) && delegates.ValueKind == JsonValueKind.Array)
            initializer.DelegateAccounts = [.. delegates.EnumerateArray().Select(d => d.GetString()!)];
        var credential = source.Impersonate(initializer);
        return (JsonMember.Text(root, "quota_project_id") is { } payer ? credential.CreateWithQuotaProject(payer) : credential, account);
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
            : Path.Combine(HomePath.Folder, ".config", "gcloud");
        var file = Path.Combine(folder, "application_default_credentials.json");
        return File.Exists(file) ? file : null;
    }
}
