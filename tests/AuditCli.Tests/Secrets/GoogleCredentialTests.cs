using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Secrets;

/// <summary>
/// Runs the program with every form of Google credentials, from a file or from the machine. No credential may appear in the bundle.
/// </summary>
public sealed class GoogleCredentialTests : IDisposable
{
    private const string Target = "target@nq-ledger-prod.iam.gserviceaccount.com";
    private const string SubjectToken = "MARKERsubjectTokenMARKER";
    private readonly TemporaryFolder _folder = new();
    private readonly GoogleServer _server = GoogleEnvironment.Server();

    [Fact]
    public async Task Credentials_that_are_refused_are_a_limitation_in_the_providers_words()
    {
        using var other = new GoogleServer(key: 1);
        var file = other.ServiceAccountFile(GoogleEnvironment.Auditor)
            .Replace(other.Address.AbsoluteUri, _server.Address.AbsoluteUri, StringComparison.Ordinal);

        var result = await RunAsync("projects: [nq-ledger-prod]", ("GOOGLE_APPLICATION_CREDENTIALS", _folder.Write("file.json", file)));

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("Invalid JWT Signature", result.Error, StringComparison.Ordinal);
        Assert.Empty(_server.Seen);
        await NothingSecretAsync(result, asked: false);
    }

    [Fact]
    public async Task A_service_accounts_file() => await ConcludesAsync(
        "MARKERtokenOfServiceAccountMARKER", GoogleEnvironment.Auditor, "oauth2:jwt-bearer",
        "projects: [nq-ledger-prod]", ("GOOGLE_APPLICATION_CREDENTIALS", _folder.Write("file.json", _server.ServiceAccountFile(GoogleEnvironment.Auditor))));

    [Fact]
    public async Task A_users_login_where_gcloud_keeps_it()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, ".config", "gcloud"));
        const string Login =
            """{"type":"authorized_user","client_id":"c","client_secret":"MARKERclientMARKER","refresh_token":"MARKERrefreshMARKER","""
            + "\"quota_project_id\":\"nq-sandbox\"}";
        _folder.Write(".config/gcloud/application_default_credentials.json", Login);

        await ConcludesAsync(
            "MARKERtokenOfUserMARKER", "m.okafor@northquay.example", "oauth2:refresh_token", "projects: [nq-ledger-prod]",
            ("CLOUDSDK_AUTH_TOKEN_HOST", new Uri(_server.Address, "token").AbsoluteUri));

        Assert.All(_server.Seen, r => Assert.Equal("nq-sandbox", r.QuotaProject));
    }

    [Fact]
    public async Task A_target_that_impersonates() => await ConcludesAsync(
        "MARKERtokenOfImpersonationMARKER", Target, "iamcredentials:generateAccessToken",
        $"projects: [nq-ledger-prod], impersonate: {Target}",
        ("GOOGLE_APPLICATION_CREDENTIALS", _folder.Write("file.json", _server.ServiceAccountFile(GoogleEnvironment.Auditor))),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", _server.Address.AbsoluteUri));

    [Fact]
    public async Task A_file_that_impersonates()
    {
        var file = new JsonObject
        {
            ["type"] = "impersonated_service_account",
            ["service_account_impersonation_url"] = $"{_server.Address}v1/projects/-/serviceAccounts/{Target}:generateAccessToken",
            ["source_credentials"] = JsonNode.Parse(_server.ServiceAccountFile(GoogleEnvironment.Auditor)),
        };

        await ConcludesAsync(
            "MARKERtokenOfImpersonationMARKER", Target, "iamcredentials:generateAccessToken", "projects: [nq-ledger-prod]",
            ("GOOGLE_APPLICATION_CREDENTIALS", _folder.Write("file.json", file.ToJsonString())));
    }

    [Fact]
    public async Task A_federated_identity_whose_token_stands_in_a_file() => await ConcludesAsync(
        "MARKERtokenOfFederationMARKER", null, "sts:token-exchange", "projects: [nq-ledger-prod]",
        ("GOOGLE_APPLICATION_CREDENTIALS", _folder.Write("file.json", _server.ExternalAccountFile(_folder.Write("subject", SubjectToken)))));

    [Fact]
    public async Task A_machines_own_account() => await ConcludesAsync(
        "MARKERtokenOfMachineMARKER",
        "runner@nq-sandbox.iam.gserviceaccount.com",
        "metadata:instance/service-accounts/default/token",
        "projects: [nq-ledger-prod]",
        ("GCE_METADATA_HOST", _server.Address.Authority));

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    /// <summary>
    /// Checks that the run concludes and sends this token only, and that its bundle names the identity and the token exchange.
    /// </summary>
    /// <param name="email">The account to which Google attributes the token; null if Google does not say.</param>
    private async Task ConcludesAsync(string token, string? email, string exchange, string target, params (string Name, string Value)[] environment)
    {
        if (email is not null)
            _server.Emails[token] = email;

        var result = await RunAsync(target, environment);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.All(_server.Seen, r => Assert.Equal(token, r.Token));
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        Assert.Equal("PASS", Assert.Single(SampleTests.Results(bundle).GetProperty("controls").EnumerateArray()).GetProperty("conclusion").GetString());
        var identities = File.ReadLines(Path.Combine(bundle, "data", "evidence", "index.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)
            .Where(i => i.GetProperty("source").GetString() == "gcp").Select(i => i.GetProperty("identity").GetString()).Distinct();
        Assert.Equal(email ?? "claimed: //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci", Assert.Single(identities));
        Assert.Contains(exchange, await File.ReadAllTextAsync(Path.Combine(bundle, "data", "log.clef")), StringComparison.Ordinal);
        await NothingSecretAsync(result, asked: true);
    }

    private Task<CommandResult> RunAsync(string target, params (string Name, string Value)[] environment)
    {
        _folder.Write("engagement.yaml", GoogleEnvironment.Engagement("APD-GCP-001", target));
        var variables = GoogleEnvironment.At(_server);
        foreach (var (name, value) in environment)
            variables[name] = value;
        return AuditCommand.ProcessAsync(_folder.Path, variables, [], "run", "engagement.yaml", "--out", "out", "-v");
    }

    private async Task NothingSecretAsync(CommandResult result, bool asked)
    {
        var written = result + await CredentialTests.EverythingAsync(Path.Combine(_folder.Path, "out"));
        Assert.Equal(asked, written.Contains("roles/cloudsql.viewer", StringComparison.Ordinal));
        foreach (var secret in new[] { "MARKER", "PRIVATE KEY", "Bearer ", "assertion=", "refresh_token=" })
            Assert.False(written.Contains(secret, StringComparison.OrdinalIgnoreCase), $"{secret} was written");
    }
}
