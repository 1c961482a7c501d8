using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Finds secrets as protocols and tools write them, and leaves texts that only look like them.</summary>
public sealed class ToolFormsTests
{
    private const string Made = "MARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fG";
    private const string Hex = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d";

    public static TheoryData<string, string> Written
    {
        get
        {
            var key = Made[..40];
            return new()
            {
                { $"Cookie: session={Made[..24]}; theme=dark", Made[..24] },
                { $"Set-Cookie: SID={Made[..24]}; HttpOnly", Made[..24] },
                { $"Set-Cookie2: SID={Made[..24]}; HttpOnly", Made[..24] },
                { $"curl --cookie 'SID={Made[..24]}' https://x.example", Made[..24] },
                { $"Authorization: Digest username=\"bob\", realm=\"x\", response=\"{Hex[..32]}\"", Hex[..32] },
                { $"define('DB_PASSWORD', '{Made[..12]}');", Made[..12] },
                { $"os.environ['API_KEY'] = '{Made[..24]}'", Made[..24] },
                { $"ConvertTo-SecureString \"{Made[..12]}\" -AsPlainText -Force", Made[..12] },
                { $"ConvertTo-SecureString -String '{Made[..12]}' -AsPlainText", Made[..12] },
                { $"machine x.example login bob password {Made[..12]}", Made[..12] },
                { $"db.example:5432:app:bob:{Made[..12]}", Made[..12] },
                { $"redis-cli -h r -a {Made[..16]} ping", Made[..16] },
                { $"openssl rsa -passin pass:{Made[..12]} -in x", Made[..12] },
                { $"keytool -storepass {Made[..12]} -list", Made[..12] },
                { $"keystore.p12 storepass={Made[..12]}", Made[..12] },
                { $"sqlplus scott/{Made[..12]}@orcl", Made[..12] },
                { $"jdbc:oracle:thin:scott/{Made[..12]}@//db:1521/x", Made[..12] },
                { $"AKIAABCDEFGHIJKLMNOP:{key}", key },
                { $"AKIAABCDEFGHIJKLMNOP {key}", key },
                { $"ASIAABCDEFGHIJKLMNOP,{key}", key },
                { $"FlyV1 fm2_{Made}", Made },
                { $"s.{Made[..24]}", Made[..24] },
                { $"key-{Hex[..32]}", Hex[..32] },
                { $"{Hex[..32]}-us12", Hex[..32] },
                { $"secret_{Made[..43]}", Made[..43] },
                { $"CLOJARS_{Made[..60]}", Made[..60] },
                { $"bkua_{Hex}", Hex },
                { $"pul-{Hex}", Hex },
                { $"glc_{Made[..60]}", Made[..60] },
                { $"glsa_{Made[..32]}_1a2b3c4d", Made[..32] },
                { $"cio{Made[..32]}", Made[..32] },
                { $"xprv9s21ZrQH143K{Made[..95]}", Made[..95] },
                { "5HpjKrb7dH5kKQQzmbjB87Mxova7mek5bXUTWfndcX6tBoqUwzm", "5HpjKrb7dH5kKQQzmbjB87Mxova7mek5bXUTWfndcX6tBoqUwzm" },
                { "KwFfpDsaF7yxCELuyrH9gP5XL7TAt5b9HPWC1xCQbmrxvhJgMQHb", "KwFfpDsaF7yxCELuyrH9gP5XL7TAt5b9HPWC1xCQbmrxvhJgMQHb" },
                { $"<input type=\"password\" name=\"p\" value=\"{Made[..12]}\"/>", Made[..12] },
                { $"<input value='{Made[..12]}' type='password'>", Made[..12] },
                { $"https://sso.example/x?SAMLRequest={Made[..80]}&a=1", Made[..80] },
                { $"<input type=\"hidden\" name=\"SAMLResponse\" value=\"{Made[..80]}\"/>", Made[..80] },
                { Zlib($"password={Made[..20]}\nkey=ghp_{Made[..36]}\n"), Zlib($"password={Made[..20]}\nkey=ghp_{Made[..36]}\n")[20..60] },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Written))]
    public void A_secret_goes_as_a_tool_writes_it(string text, string secret)
    {
        foreach (var body in new[]
        {
            JsonSerializer.Serialize(new { note = text }), JsonSerializer.Serialize(new { args = new[] { "sh", $"run; {text}" } }), text,
        })
        {
            var clean = Apply(body);
            Assert.False(clean.Contains(secret, StringComparison.Ordinal), clean);
            Assert.Contains("hmac-sha256:", clean, StringComparison.Ordinal);
            Assert.Equal(clean, Apply(clean));
        }
    }

    [Theory]
    [InlineData("Cookie: session cookies are secure and same-site")]
    [InlineData("Set-Cookie: theme=dark")]
    [InlineData("cookie=none; response=0a1b2c3d4e5f60718293a4b5c6d7e8f9")]
    [InlineData("ConvertTo-SecureString $value -Key (1..16)")]
    [InlineData("redis-cli -h ledger-cache ping")]
    [InlineData("openssl rsa -passin file:/run/secrets/key, pass: see the runbook")]
    [InlineData("127.0.0.1:5432:5432")]
    [InlineData("sqlplus / as sysdba @/opt/ledger/reports/daily2.sql")]
    [InlineData("AKIAABCDEFGHIJKLMNOP, 0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d")]
    [InlineData("projects.serviceAccounts.keys.listOfEveryServiceAccount")]
    [InlineData("s.ledgerMatchingWorkers2Prod")]
    [InlineData("precio of 2026 in eu-us-12, key-ledger, must-us1")]
    [InlineData("5KaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGa")]
    [InlineData("<input type=\"password\" name=\"p\">")]
    [InlineData("SAMLRequest is signed; SAMLResponse: required")]
    [InlineData("log in with login and password of the ledger team")]
    [InlineData("where name in ('password', 'token')")]
    public void A_text_that_only_looks_like_one_stays(string text)
    {
        var body = JsonSerializer.Serialize(new { note = text });
        Assert.Equal(body, Apply(body));
    }

    private static string Apply(string body) =>
        Encoding.UTF8.GetString(new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(body), null).Body.Span);

    private static string Zlib(string text)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal))
            zlib.Write(Encoding.UTF8.GetBytes(text));
        return Convert.ToBase64String(packed.ToArray());
    }
}
