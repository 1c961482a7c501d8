using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Collectors.HttpApi;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>Checks which targets are accepted, and the ways to reach a server that is not on the open network.</summary>
public sealed class TargetTests
{
    [Theory]
    [InlineData("url must be an address", "url=acme.okta.com")]
    [InlineData("url must be an address", "url=ftp://acme.okta.com")]
    [InlineData("must begin with https://", "url=http://acme.okta.com")]
    [InlineData("a host and a path only", "url=https://user:MARKER@acme.okta.com")]
    [InlineData("a host and a path only", "url=https://acme.okta.com/?token=MARKER")]
    [InlineData("a host and a path only", "url=https://acme.okta.com/#MARKER")]
    [InlineData("link-local", "url=https://169.254.169.254/", "product=okta")]
    [InlineData("link-local", "url=https://[fe80::1]/", "product=okta")]
    [InlineData("link-local", "url=https://[::ffff:169.254.169.254]/", "product=okta")]
    [InlineData("token_env must be the name of an environment variable", "url=https://acme.okta.com", "token_env=00MARKERxyz")]
    [InlineData("password_env must be the name of an environment variable", "url=https://acme.okta.com", "password_env=MARKER password")]
    [InlineData("client_key needs client_certificate", "url=https://acme.okta.com", "client_key=/k.pem")]
    [InlineData("give url, product, or both", "auth=bearer")]
    [InlineData("the host does not show which product answers there; give product: entra | jira | okta | servicenow", "url=https://id.example.com")]
    [InlineData("the host does not show which product answers there", "url=https://okta.com.example.com")]
    public void A_target_that_cannot_be_used_is_refused_by_name_and_without_its_secrets(string why, params string[] settings)
    {
        var said = HttpApiSource.Create().WhyNotTarget(TargetOf(settings));
        Assert.Contains(why, said, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("url=https://acme.okta.com")]
    [InlineData("url=https://ACME.oktapreview.com/")]
    [InlineData("product=entra")]
    [InlineData("url=https://id.example.com", "product=okta")]
    [InlineData("url=http://127.0.0.1:8080/base", "product=jira")]
    [InlineData("url=https://acme.service-now.com", "user=auditor", "password_env=SN_PASSWORD")]
    public void A_product_is_known_by_its_host_or_by_name(params string[] settings) =>
        Assert.Null(HttpApiSource.Create().WhyNotTarget(TargetOf(settings)));

    [Fact]
    public async Task An_operation_of_another_product_is_refused()
    {
        using var server = new ProductServer("okta");
        await using var session = Session.Live("okta", server.Address);
        var failure = await Assert.ThrowsAsync<CollectionException>(() => session.RowsAsync("entra:users.list"));
        Assert.Equal((HttpApiCodes.UnknownProduct, "entra:users.list is an operation of another product; 127.0.0.1 is Okta"), (failure.Code, failure.Message));
    }

    [Fact]
    public async Task A_server_with_a_private_authority_and_a_client_certificate_is_read_and_not_without_them()
    {
        using var folder = new TemporaryFolder();
        using var authority = Certificate("CN=authority", null, server: false);
        using var certificate = Certificate("CN=localhost", authority, server: true);
        using var client = Certificate("CN=auditor", authority, server: false);
        var ca = folder.Write("ca.pem", authority.ExportCertificatePem());
        var own = folder.Write("client.pem", client.ExportCertificatePem());
        var key = folder.Write("client.key", client.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await using var server = new SecureOkta(certificate);
        (string, string)[] known = [("token_env", Session.Variable), ("ca", ca)];

        await using (var untrusting = Session.Live("okta", server.Address, ("token_env", Session.Variable)))
        {
            var failure = await Assert.ThrowsAsync<CollectionException>(() => untrusting.RowsAsync("okta:users.list"));
            Assert.Equal(Codes.UntrustedServer, failure.Code);
            Assert.Contains("the target's setting ca can name a PEM file", failure.Message, StringComparison.Ordinal);
        }
        await using (var session = Session.Live("okta", server.Address, [.. known, ("client_certificate", own), ("client_key", key)]))
            Assert.Single(await session.RowsAsync("okta:users.list"));
        Assert.Equal("CN=auditor", server.Client);
        await using var without = Session.Live("okta", server.Address, [.. known, ("client_certificate", ca)]);
        var unreadable = await Assert.ThrowsAsync<CollectionException>(() => without.RowsAsync("okta:users.list"));
        Assert.Equal(
            $"target product: the client certificate {ca} or its key cannot be read; both must be PEM", unreadable.Message);
    }

    [Fact]
    public async Task A_server_behind_a_unix_socket_is_read_through_it()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "api.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i < 2; i++)
            {
                using var accepted = await listener.AcceptAsync();
                await using var stream = new NetworkStream(accepted);
                await SecureOkta.AnswerAsync(stream);
            }
        });
        await using var session = Session.Live("okta", new("http://localhost/"), ("token_env", Session.Variable), ("socket", path));
        Assert.Single(await session.RowsAsync("okta:users.list"));
        await serving;
    }

    private static Target TargetOf(string[] settings) => new(
        "product", "http",
        settings.Select(s => s.Split('=', 2)).ToImmutableSortedDictionary(s => s[0], s => ImmutableArray.Create(s[1]), StringComparer.Ordinal));

    private static X509Certificate2 Certificate(string name, X509Certificate2? issuer, bool server)
    {
        var key = RSA.Create(2048);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, false, 0, true));
        if (server)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], false));
        }
        var (from, to) = (DateTimeOffset.UtcNow.AddHours(-2), DateTimeOffset.UtcNow.AddHours(2));
        if (issuer is null)
            return request.CreateSelfSigned(from, to);
        using var signed = request.Create(issuer, from.AddHours(1), to.AddHours(-1), RandomNumberGenerator.GetBytes(8));
        return X509CertificateLoader.LoadPkcs12(signed.CopyWithPrivateKey(key).Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
