using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

[Collection("environment")]
public sealed class CredentialTests
{
    [Fact]
    public async Task Without_credentials_that_work_nothing_is_asked_and_no_key_is_quoted()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(
            server,
            credentials: """{"type":"service_account","client_email":"a@b","token_uri":"http://127.0.0.1:1/token","private_key":"MARKERnoKeyMARKER"}""");

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(Session.Target(), CancellationToken.None));

        Assert.Equal("NoCredentials", e.Code);
        Assert.DoesNotContain("MARKER", e.ToString(), StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task A_refused_key_is_reported_in_the_providers_words()
    {
        using var server = new GoogleServer();
        using var other = new GoogleServer(key: 1);
        await using var session = Session.Live(
            server,
            credentials: other.ServiceAccountFile(Session.Account)
                .Replace(other.Address.AbsoluteUri, server.Address.AbsoluteUri, StringComparison.Ordinal));

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.Collector.ConnectAsync(Session.Target(), CancellationToken.None));

        Assert.Equal("NoCredentials", e.Code);
        Assert.Contains("Invalid JWT Signature", e.Message, StringComparison.Ordinal);
        Assert.Equal(("oauth2:jwt-bearer", 400), (session.CredentialExchanges[0].Operation, session.CredentialExchanges[0].Status));
    }

    [Theory]
    [InlineData(true, "the credentials file ")]
    [InlineData(false, ": the token of credential_source, ")]
    public async Task A_pipe_in_the_place_of_credentials_is_refused_at_once(bool isWhole, string said)
    {
        using var server = new GoogleServer();
        using var folder = new TemporaryFolder();
        var pipe = Path.Combine(folder.Path, "pipe");
        PosixFiles.MakePipe(pipe);
        await using var session = Session.Live(server, credentials: server.ExternalAccountFile(pipe));
        var before = Environment.GetEnvironmentVariable("GOOGLE_APPLICATION_CREDENTIALS");
        try
        {
            if (isWhole)
                Environment.SetEnvironmentVariable("GOOGLE_APPLICATION_CREDENTIALS", pipe);

            var e = await Assert.ThrowsAsync<CollectionException>(
                () => session.Collector.ConnectAsync(Session.Target(), CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1)));

            Assert.Equal("NoCredentials", e.Code);
            Assert.Contains($"{said}{pipe} is a pipe, socket or device, not a regular file", e.Message, StringComparison.Ordinal);
            Assert.Empty(server.Seen);
        }
        finally
        {
            Environment.SetEnvironmentVariable("GOOGLE_APPLICATION_CREDENTIALS", before);
        }
    }

    [Fact]
    public async Task A_service_accounts_key_is_used_end_to_end_and_nothing_of_it_is_stored()
    {
        using var server = new GoogleServer();
        server.Emails["MARKERtokenOfServiceAccountMARKER"] = Session.Account;
        await using var session = Session.Live(server);

        await session.CollectAsync("iam:projects.serviceAccounts.list");

        Assert.All(server.Seen, r => Assert.Equal("MARKERtokenOfServiceAccountMARKER", r.Token));
        var exchange = Assert.Single(session.CredentialExchanges);
        Assert.Equal(("oauth2:jwt-bearer", 200, new Uri(server.Address, "token")), (exchange.Operation, exchange.Status, exchange.Endpoint));
        await NothingSecretStoredAsync(session);
    }

    [Fact]
    public async Task A_federated_identity_is_used_end_to_end()
    {
        using var server = new GoogleServer();
        using var folder = new TemporaryFolder();
        server.Emails["MARKERtokenOfFederationMARKER"] = "ci";
        await using var session = Session.Live(server, credentials: server.ExternalAccountFile(folder.Write("subject", "MARKERsubjectTokenMARKER")));

        await session.CollectAsync("iam:projects.serviceAccounts.list");

        Assert.All(server.Seen, r => Assert.Equal("MARKERtokenOfFederationMARKER", r.Token));
        Assert.Equal("sts:token-exchange", Assert.Single(session.CredentialExchanges).Operation);
        await NothingSecretStoredAsync(session);
    }

    [Fact]
    public async Task A_federated_identity_that_impersonates_is_used_end_to_end()
    {
        using var server = new GoogleServer();
        using var folder = new TemporaryFolder();
        var file = System.Text.Json.Nodes.JsonNode.Parse(server.ExternalAccountFile(folder.Write("subject", "MARKERsubjectTokenMARKER")))!.AsObject();
        file["service_account_impersonation_url"] = $"{server.Address}v1/projects/-/serviceAccounts/target@p-one.iam.gserviceaccount.com:generateAccessToken";
        await using var session = Session.Live(server, credentials: file.ToJsonString());

        var connection = Assert.Single(await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None));

        Assert.Equal("claimed: target@p-one.iam.gserviceaccount.com", connection.Identity);
        Assert.All(server.Seen, r => Assert.Equal("MARKERtokenOfImpersonationMARKER", r.Token));
        Assert.Equal(["sts:token-exchange", "iamcredentials:generateAccessToken"], session.CredentialExchanges.Select(x => x.Operation).Distinct());
    }

    [Fact]
    public async Task A_file_that_impersonates_is_used_end_to_end()
    {
        using var server = new GoogleServer();
        using var folder = new TemporaryFolder();
        var source = server.ExternalAccountFile(folder.Write("subject", "MARKERsubjectTokenMARKER"));
        await using var session = Session.Live(server, credentials: $$"""
            {"type":"impersonated_service_account","service_account_impersonation_url":"{{server.Address}}v1/projects/-/serviceAccounts/target@p-one.iam.gserviceaccount.com:generateAccessToken","source_credentials":{{source}}}
            """);

        var connection = Assert.Single(await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None));
        await session.CollectAsync("iam:projects.serviceAccounts.list");

        Assert.Equal("claimed: target@p-one.iam.gserviceaccount.com", connection.Identity);
        Assert.All(server.Seen, r => Assert.Equal("MARKERtokenOfImpersonationMARKER", r.Token));
        Assert.Equal(["sts:token-exchange", "iamcredentials:generateAccessToken"], session.CredentialExchanges.Select(x => x.Operation).Distinct());
        await NothingSecretStoredAsync(session);
    }

    [Fact]
    public async Task A_target_that_impersonates_is_used_end_to_end()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", server.Address.AbsoluteUri);

        var connection = Assert.Single(await session.Collector.ConnectAsync(
            Session.Target(("projects", ["p-one"]), ("impersonate", ["target@p-one.iam.gserviceaccount.com"])), CancellationToken.None));

        Assert.Equal("claimed: target@p-one.iam.gserviceaccount.com", connection.Identity);
        Assert.All(server.Seen, r => Assert.Equal("MARKERtokenOfImpersonationMARKER", r.Token));
        Assert.Equal(
            "/v1/projects/-/serviceAccounts/target@p-one.iam.gserviceaccount.com:generateAccessToken",
            Uri.UnescapeDataString(server.TokenRequests.Last()));
    }

    [Fact]
    public async Task A_users_login_is_used_end_to_end_and_its_quota_project_pays()
    {
        using var server = new GoogleServer();
        server.Emails["MARKERtokenOfUserMARKER"] = "alice@acme.example";
        await using var session = Session.Live(
            server,
            credentials: """{"type":"authorized_user","client_id":"c","client_secret":"MARKERclientMARKER","refresh_token":"MARKERrefreshMARKER","quota_project_id":"p-pays"}""");
        Environment.SetEnvironmentVariable("CLOUDSDK_AUTH_TOKEN_HOST", new Uri(server.Address, "token").AbsoluteUri);

        var connection = Assert.Single(await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None));
        await session.CollectAsync("iam:projects.serviceAccounts.list");

        Assert.Equal("alice@acme.example", connection.Identity);
        Assert.All(server.Seen, r => Assert.Equal(("MARKERtokenOfUserMARKER", "p-pays"), (r.Token, r.QuotaProject)));
        Assert.Equal("oauth2:refresh_token", Assert.Single(session.CredentialExchanges).Operation);
        await NothingSecretStoredAsync(session);
    }

    [Fact]
    public async Task A_machines_own_account_is_used_end_to_end()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        Environment.SetEnvironmentVariable("GOOGLE_APPLICATION_CREDENTIALS", null);
        Environment.SetEnvironmentVariable("CLOUDSDK_CONFIG", session.Folder);
        Environment.SetEnvironmentVariable("GCE_METADATA_HOST", server.Address.Authority);
        try
        {
            await session.CollectAsync("iam:projects.serviceAccounts.list");
        }
        finally
        {
            Environment.SetEnvironmentVariable("GCE_METADATA_HOST", null);
        }

        Assert.All(server.Seen, r => Assert.Equal("MARKERtokenOfMachineMARKER", r.Token));
        Assert.StartsWith("metadata:instance/service-accounts/default/token", session.CredentialExchanges[0].Operation, StringComparison.Ordinal);
        await NothingSecretStoredAsync(session);
    }

    [Fact]
    public async Task The_targets_own_file_is_preferred_to_the_environments()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server, credentials: "{}");
        var file = session.Write("own.json", server.ServiceAccountFile(Session.Account));

        await session.Collector.ConnectAsync(Session.Target(("projects", ["p-one"]), ("credentials", [file])), CancellationToken.None);

        Assert.All(session.CredentialExchanges, x => Assert.Equal("oauth2:jwt-bearer", x.Operation));
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("nonsense")]
    [InlineData("http://127.0.0.1/elsewhere/")]
    public async Task An_override_that_is_no_endpoint_is_named(string value)
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", value);

        var e = await Assert.ThrowsAsync<CollectionException>(() => session.CollectAsync("iam:projects.serviceAccounts.list"));

        Assert.Equal("InvalidEndpoint", e.Code);
        Assert.Contains("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_for_another_place_is_not_shown_to_google()
    {
        using var server = new GoogleServer();
        await using var session = Session.Live(server);
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_OPENIDCONNECT", null);

        var connection = Assert.Single(await session.Collector.ConnectAsync(Session.Target(), CancellationToken.None));

        Assert.StartsWith("claimed: ", connection.Identity, StringComparison.Ordinal);
        Assert.Empty(await session.RecordedAsync("openidconnect"));
    }

    private static async Task NothingSecretStoredAsync(Session session)
    {
        var stored = await session.StoredAsync();
        Assert.Contains("serviceAccounts", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("Bearer", stored, StringComparison.Ordinal);
    }
}
