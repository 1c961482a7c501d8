using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AuditCli.Collectors.HttpApi;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>Checks each way to prove who asks, what cannot be used, and that no credential is recorded.</summary>
public sealed class CredentialTests
{
    private const string Secret = "MARKERsecretMARKER";

    [Theory]
    [InlineData("{\"sub\":\"somebody\"}", "does not say when it expires (exp)")]
    [InlineData("{\"sub\":\"somebody\",\"exp\":\"tomorrow\"}", "does not say when it expires (exp)")]
    [InlineData("{\"sub\":\"somebody\",\"exp\":1700000000}", "expired at 2023-11-14T22:13:20")]
    public async Task A_token_that_is_old_or_of_unknown_age_is_not_sent(string claims, string why)
    {
        using var server = new ProductServer("entra");
        var token = $"{Base64Url.EncodeToString("{\"alg\":\"RS256\"}"u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.c2ln";
        Environment.SetEnvironmentVariable("AUDITCLI_TEST_OLD_TOKEN", token);
        await using var session = Session.Live("entra", server.Address, ("token_env", "AUDITCLI_TEST_OLD_TOKEN"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("entra:users.list"));
        Assert.Equal(HttpApiCodes.TokenExpired, failure.Code);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.Contains("AUDITCLI_TEST_OLD_TOKEN", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(token, failure.ToString(), StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    [Theory]
    [InlineData("{\"sub\":\"somebody\"}", "does not say when it expires (exp)")]
    [InlineData("not a token", "has no JSON Web Token")]
    [InlineData(null, "cannot be read")]
    public async Task A_platforms_token_that_cannot_be_used_is_not_sent(string? content, string why)
    {
        using var server = new ProductServer("entra");
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "token");
        if (content is not null)
        {
            var token = $"{Base64Url.EncodeToString("{}"u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(content))}.c2ln";
            File.WriteAllText(file, content[0] == '{' ? token : content);
        }
        await using var session = Session.Live(
            "entra", server.Address, ("client_id", "client-1"), ("assertion_file", file), ("token_url", $"{server.Address}oauth2/token"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("entra:users.list"));
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.Empty(server.TokenRequests);
    }

    [Fact]
    public async Task Without_credentials_the_message_names_every_way_and_its_variables()
    {
        using var server = new ProductServer("entra");
        await using var session = Session.Live("entra", server.Address, ("auth", "client-secret"), ("client_secret_env", "AUDITCLI_TEST_NOTHING"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("entra:users.list"));
        Assert.Equal(
            "target product: no credentials for Microsoft Entra ID; set the environment for one of: client-secret (AZURE_CLIENT_ID, AUDITCLI_TEST_NOTHING)",
            failure.Message);
    }

    [Theory]
    [InlineData("line\nend")]
    [InlineData("a blank")]
    [InlineData("ümlaut")]
    public async Task A_token_that_a_header_cannot_carry_is_refused_without_being_repeated(string token)
    {
        using var server = new ProductServer("okta");
        Environment.SetEnvironmentVariable("AUDITCLI_TEST_BROKEN", token);
        await using var session = Session.Live("okta", server.Address, ("token_env", "AUDITCLI_TEST_BROKEN"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("okta:users.list"));
        Assert.Contains("the token of target product has blanks or characters that a header cannot carry", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(token, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"access_token":"abc\r\nX-HTTP-Method-Override: DELETE","token_type":"Bearer"}""", "has blanks or characters that a header cannot carry")]
    [InlineData("""{"access_token":"","token_type":"Bearer"}""", "is empty")]
    [InlineData("""{"access_token":"abc","token_type":"mac"}""", "is not a bearer token")]
    [InlineData("""{"access_token":"abc","error":"invalid_client"}""", "without one")]
    [InlineData("""{"access_token":"abc","access_token":"def"}""", "without one")]
    [InlineData("[]", "without one")]
    [InlineData("<html>", "without one")]
    public async Task An_answer_that_is_no_token_is_not_sent_on(string answer, string why)
    {
        using var server = new ProductServer("servicenow") { TokenAnswer = new(200, answer) };
        Environment.SetEnvironmentVariable("AUDITCLI_TEST_SECRET", Secret);
        await using var session = Session.Live("servicenow", server.Address, ("client_id", "client-1"), ("client_secret_env", "AUDITCLI_TEST_SECRET"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("servicenow:incident.list"));
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task The_secret_of_a_client_that_a_response_repeats_is_stored_nowhere()
    {
        Environment.SetEnvironmentVariable("AUDITCLI_TEST_SECRET", Secret);
        (string, string)[] settings = [("client_id", "client-1"), ("client_secret_env", "AUDITCLI_TEST_SECRET")];
        using var echoing = new ProductServer("servicenow", (_, _) => new(
            200, $$"""{"result":[{"sys_id":"1","short_description":"used {{Secret}} and issued-token"}]}""", ("X-Total-Count", "1")));
        await using var session = Session.Live("servicenow", echoing.Address, settings);
        var row = Assert.Single(await session.RowsAsync("servicenow:incident.list"));
        Assert.DoesNotContain(Secret, row + await session.StoredAsync(), StringComparison.Ordinal);

        using var refusing = new ProductServer("servicenow") { TokenAnswer = new(400, $$"""{"error":"{{Secret}}"}""") };
        await using var refused = Session.Live("servicenow", refusing.Address, settings);
        var failure = await Assert.ThrowsAsync<CollectionException>(() => refused.RowsAsync("servicenow:incident.list"));
        Assert.EndsWith("gave no token of ServiceNow to client client-1: status 400", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_of_another_tenant_is_refused_and_two_tenants_are_two_accounts()
    {
        const string Tenant = "11111111-2222-3333-4444-000000000000";
        using var server = new ProductServer("entra");
        await using var other = Session.Live("entra", server.Address, ("token_env", Session.Variable), ("tenant", "66666666-2222-3333-4444-000000000000"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => other.RowsAsync("entra:users.list"));
        Assert.Equal(HttpApiCodes.AnotherTenant, failure.Code);
        await using var own = Session.Live("entra", server.Address, ("token_env", Session.Variable), ("tenant", Tenant));
        Assert.Equal(Tenant, Assert.Single(await own.Collector.ConnectAsync(own.Target, CancellationToken.None)).Account);
    }

    [Fact]
    public async Task A_client_proves_itself_with_a_secret_and_neither_secret_nor_token_is_recorded()
    {
        using var server = new ProductServer("entra");
        Environment.SetEnvironmentVariable("AUDITCLI_TEST_SECRET", Secret);
        await using var session = Session.Live(
            "entra", server.Address, ("client_id", "client-1"), ("client_secret_env", "AUDITCLI_TEST_SECRET"), ("tenant", "contoso/../x"),
            ("token_url", $"{server.Address}{{tenant}}/oauth2/v2.0/token"));
        Assert.Equal(server.Rows, (await session.RowsAsync("entra:users.list")).Count);
        Assert.Equal(
            $"grant_type=client_credentials&client_id=client-1&client_secret={Secret}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
            Assert.Single(server.TokenRequests));
        var exchange = Assert.Single(session.CredentialExchanges);
        Assert.Equal(
            ("oauth2:client_credentials", 200, "/contoso%2F..%2Fx/oauth2/v2.0/token"),
            (exchange.Operation, exchange.Status, exchange.Endpoint.AbsolutePath));
        var stored = await session.StoredAsync();
        Assert.DoesNotContain(Secret, stored, StringComparison.Ordinal);
        Assert.DoesNotContain("issued-token", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_proves_itself_with_a_key_whose_signature_the_certificate_verifies()
    {
        using var server = new ProductServer("okta");
        using var folder = new TemporaryFolder();
        using var key = RsaKeys.Numbered(0);
        using var certificate = new CertificateRequest("CN=auditor", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var file = folder.Write("key.pem", key.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem());
        await using var session = Session.Live("okta", server.Address, ("client_id", "client-1"), ("private_key_file", file));
        Assert.Equal(server.Rows, (await session.RowsAsync("okta:users.list")).Count);
        var sent = Assert.Single(server.TokenRequests).Split('&').Select(p => p.Split('=')).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]));
        var parts = sent["client_assertion"].Split('.');
        using var known = certificate.GetRSAPublicKey()!;
        Assert.True(known.VerifyData(
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Assert.Equal("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", sent["client_assertion_type"]);
        Assert.Contains("okta.users.read", sent["scope"], StringComparison.Ordinal);
        var claims = TokenClaims.Of(sent["client_assertion"])!.Claims;
        Assert.Equal(("client-1", "client-1", $"{server.Address}oauth2/v1/token"), (
            claims.GetProperty("iss").GetString(), claims.GetProperty("sub").GetString(), claims.GetProperty("aud").GetString()));
        Assert.Equal(300, claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64());
    }

    [Fact]
    public async Task What_a_refusing_token_endpoint_repeats_is_not_shown()
    {
        using var server = new ProductServer("okta");
        using var folder = new TemporaryFolder();
        using var refusing = new ProductServer(
            "entra", (request, _) => new(400, $$"""{"error":"invalid_client","error_description":"bad secret {{Secret}}"}"""));
        Environment.SetEnvironmentVariable("AUDITCLI_TEST_SECRET", Secret);
        await using var session = Session.Live(
            "entra", server.Address, ("client_id", "client-1"), ("client_secret_env", "AUDITCLI_TEST_SECRET"), ("token_url", $"{refusing.Address}elsewhere"));
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("entra:users.list"));
        Assert.Equal(Codes.NoCredentials, failure.Code);
        Assert.Equal("127.0.0.1 gave no token of Microsoft Entra ID to client client-1: invalid_client", failure.Message);
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task Basic_authentication_names_the_user_and_records_neither_header_nor_password()
    {
        using var server = new ProductServer("servicenow");
        await using var session = Session.Live("servicenow", server.Address);
        var connection = Assert.Single(await session.Collector.ConnectAsync(session.Target, CancellationToken.None));
        Assert.Equal("claimed: test-user", connection.Identity);
        await session.RowsAsync("servicenow:incident.list");
        Assert.All(server.Seen, r => Assert.Equal("Basic dGVzdC11c2VyOnRlc3QtdG9rZW4=", r.Authorization));
        var stored = await session.StoredAsync();
        Assert.DoesNotContain("dGVzdC11c2VyOnRlc3QtdG9rZW4=", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("test-token", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_identity_is_the_one_that_the_product_reports()
    {
        using var server = new ProductServer("okta");
        await using var session = Session.Live("okta", server.Address);
        var connection = Assert.Single(await session.Collector.ConnectAsync(session.Target, CancellationToken.None));
        Assert.Equal(("user-0@example.com", server.Address.Authority), (connection.Identity, connection.Account));
    }
}
