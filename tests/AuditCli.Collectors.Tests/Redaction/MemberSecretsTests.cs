using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Redaction;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Checks that the names around a text in a document decide whether it is a secret, and that names hold none.</summary>
public sealed class MemberSecretsTests : IDisposable
{
    private static readonly string Token = "ghp_" + new string('M', 28) + "ARKER123";
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Documents => new(
    [
        """{"password":["MARKERtfli552#"]}""",
        """{"secretKey":{"value":"MARKERtfli552#"}}""",
        """{"apiKeys":{"prod":"MARKERtfli552#"}}""",
        """{"dbPasswords":{"ledger":"MARKERtfli552#"}}""",
        """{"passwordObj":{"current":"MARKERtfli552#"}}""",
        """{"clientSecret":{"history":1,"entry":{"plainText":"MARKERtfli552#"}}}""",
        """{"passwords":"MARKERtfli552#"}""",
        """{"secrets":["MARKERtfli552#"]}""",
        """{"tokens":{"ci":"MARKERtfli552#"}}""",
        """{"tokens":[{"value":"MARKERtfli552#"}]}""",
        """{"Name":"password","Values":["MARKERtfli552#"]}""",
        """{"Values":["a","MARKERtfli552#"],"Name":"password"}""",
        """{"name":"password","value":"MARKERtfli552#"}""",
        """{"value":"MARKERtfli552#","name":"password"}""",
        """{"value":"MARKERtfli552#","type":{"a":[1]},"name":"password"}""",
        """{"name":"password","val":"MARKERtfli552#"}""",
        """{"id":"password","content":"MARKERtfli552#"}""",
        """{"content":"MARKERtfli552#","id":"password"}""",
        """{"label":"password","text":"MARKERtfli552#"}""",
        """{"field":"password","data":"MARKERtfli552#"}""",
        """{"key":"db-password","value":"MARKERtfli552#"}""",
        """{"rows":[["password","MARKERtfli552#"],["user","bob"]]}""",
        """["mysql","-u","root","-pMARKERtfli552#"]""",
        """{"command":["/usr/bin/mysqldump","-pMARKERtfli552#","ledger"]}""",
        """["redis-server","--requirepass","MARKERtfli552#"]""",
        """{"psk":"MARKERtfli552#","bearer":"MARKERtfli552#","jwt":"MARKERtfli552#","basicAuth":"MARKERtfli552#"}""",
        """{"rootPw":"MARKERtfli552#","snmpCommunity":"MARKERtfli552#"}""",
        """{"otp":"730016MARKER"}""",
        """{"mnemonic":"MARKER legal winner thank year wave sausage worth useful legal winner yellow"}""",
        $$"""{"pass\u200bword":"MARKERpass"}""",
        $$"""{"\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44":"MARKERpass"}""",
        $$"""{"password=GDLkmhMARKER284%":"x"}""",
        $$$"""{"labels":{"{{{Token}}}":"true"}}""",
        "{\"a\":{\"" + Convert.ToBase64String(Encoding.UTF8.GetBytes("password=Hunter2!x")) + "\":\"ghp_MMMMMMMMMMMMMMMMMMMMMMMMMMMMMARKER\"}}",
        """{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","d":"MARKERvnlGnu8PSnGXPqQ0G6tL2EBKWYxd0QbMuIxbM"}]}""",
        """{"d":"MARKERvnlGnu8PSnGXPqQ0G6tL2EBKWYxd0QbMuIxbM","e":"AQAB","kty":"RSA"}""",
        """{"k":"MARKERvnlGnu8PSnGXPqQ0G6","kty":"oct"}""",
        "<R><Passwords><member>MARKERtfli552#</member></Passwords></R>",
        "<R><ApiKeys><Entry><Value>MARKERtfli552#</Value></Entry></ApiKeys></R>",
    ]);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Documents))]
    public void The_names_around_a_text_make_it_a_secret(string body)
    {
        var (clean, digest) = Apply(body);
        Assert.False(clean.Contains("MARKER", StringComparison.Ordinal), clean);
        Assert.NotNull(digest);
        Assert.NotEmpty(BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, null));
        Assert.Equal((clean, null), Apply(clean));
    }

    /// <summary>Checks that a name is replaced as a value is, so that nothing that was collected can stop the seal.</summary>
    [Fact]
    public void The_name_of_a_member_that_is_or_holds_a_credential_goes_and_does_not_stop_the_seal()
    {
        var body = $$$"""{"labels":{"{{{Token}}}":"true","team":"ledger"},"password=GDLmkhhb284%":"x","\u0070assword=GDLmkhhb284%":"x"}""";
        var clean = Apply(body).Body;
        Assert.DoesNotContain(Token, clean, StringComparison.Ordinal);
        Assert.DoesNotContain("GDLmkhhb284%", clean, StringComparison.Ordinal);
        var labels = JsonElement.Parse(clean).GetProperty("labels");
        Assert.Equal("ledger", labels.GetProperty("team").GetString());
        Assert.StartsWith("hmac-sha256:", labels.EnumerateObject().First().Name, StringComparison.Ordinal);
        var found = BodyRedaction.Find(Encoding.UTF8.GetBytes(clean), 10, null);
        Assert.Equal(3, found.Length);
        Assert.All(found, f => Assert.Contains(f.Digest, f.Pointer, StringComparison.Ordinal));
        _folder.Write("a.json", clean);
        Assert.Empty(CredentialScan.Find(_folder.Path, CancellationToken.None));
    }

    [Theory]
    [InlineData("""{"passwordPolicy":{"minimumLength":"14chars","type":"Strong2026"}}""")]
    [InlineData("""{"password":{"lastChanged":"2026-11-13T08:05:00Z","expiresAt":"2027-01-01","algorithm":"pbkdf2v2","length":"14","user":"jweber2"}}""")]
    [InlineData("""{"secretKeyRef":{"name":"LedgerDb2Credentials","key":"DbKey2026Main"}}""")]
    [InlineData("""{"secret":{"secretName":"Ledger2Tls","items":[{"key":"TlsKey2026Main.pem","path":"TlsKey2026Main.pem"}]}}""")]
    [InlineData("""{"secrets":[{"name":"projects/1/secrets/a","etag":"\"1615f9ab2c3D45\"","labels":{"team":"Ledger2026A"},"createTime":"2026-11-13"}]}""")]
    [InlineData("""{"SecretList":[{"ARN":"arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdE1","Tags":[{"Key":"Team","Value":"Ledger2026A"}]}]}""")]
    [InlineData("""{"secrets":[{"name":"DB","valueFrom":"arn:aws:ssm:eu-west-1:1:parameter/Ledger2"}],"imagePullSecrets":[{"name":"Regcred2Main"}]}""")]
    [InlineData("""{"tokens":[{"id":"0d5f1c1e-5a3b-4c57-9a43-0f8b1d2c3e4f","status":"ACTIVE1X"}],"maxTokens":"4096"}""")]
    [InlineData("""{"apiKeys":[{"id":"da2-Abc123Def456Ghi789","description":"Key 2026"}]}""")]
    [InlineData("""{"diskEncryptionKey":{"kmsKeyName":"projects/p/k1","sha256":"q2V4dGVyeTEyMzQ1Njc4OTBhYmNkZWZnaGlqa2xtbm8="}}""")]
    [InlineData("""{"name":"password","type":"Strong2026","description":"Rotated2026"}""")]
    [InlineData("""{"value":"Team2026A","key":"Owner","id":"password2"}""")]
    [InlineData("""{"id":"ledger2","text":"Password2026 is the name of a ticket"}""")]
    [InlineData("""[["password","secretKey2"],["password","oauth2"],["token","CHG-123456789012"],["password","jweber2","AbC12345"]]""")]
    [InlineData("""["mysql","-u","root","-p","--port=3306"]""")]
    [InlineData("""["kubectl","-p8080:80","x1y2z3a4"]""")]
    [InlineData("""{"bearer":"required","jwt":"enabled","basicAuth":"disabled","otpRequired":"Totp2026X","mnemonic":"DBK2","pskMode":"Wpa2Personal9"}""")]
    [InlineData("""{"password_env":"TICKETS_PASSWORD","token_type":"Bearer2X","passwordsChangedAt":"2026-11-13T08:05:00Z"}""")]
    [InlineData("""{"arn:aws:iam::111122223333:user/elena2":{"x":"Ledger2026A"},"user:elena.marsh2@northquay.example":"owner"}""")]
    [InlineData("""{"d":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","x":{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}}""")]
    [InlineData("<R><SecretList><member><Name>Ledger2Tls</Name><Team>Ledger2026A</Team></member></SecretList></R>")]
    public void A_fact_beside_or_below_the_name_of_a_secret_stays(string body) => Assert.Equal((body, null), Apply(body));

    private static (string Body, string? Digest) Apply(string body)
    {
        var (clean, digest) = new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(body), null);
        return (Encoding.UTF8.GetString(clean.Span), digest);
    }
}
