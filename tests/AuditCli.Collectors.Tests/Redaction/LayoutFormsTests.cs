using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Redaction;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Finds secrets that stand apart from their names or have none, and leaves texts of the same layout.</summary>
public sealed class LayoutFormsTests : IDisposable
{
    private const string Made = "MARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fG";
    private const string Small = "markerab3de5fgab3de5fgab3de5fgab3de5fgab3de5fgab3de5fgab3de5fgab3de5fgab3de5fgab3de5fg";
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Texts => new(
    [
        "CREATE USER bob IDENTIFIED BY 'MARKERtfli552#'",
        "ALTER USER bob IDENTIFIED BY \"MARKERtfli552#\"",
        "CREATE ROLE bob WITH LOGIN PASSWORD 'MARKERtfli552#'",
        "ALTER LOGIN sa WITH PASSWORD = N'MARKERtfli552#'",
        "env:\n- name: DB_PASSWORD\n  value: \"MARKERtfli552#\"\n",
        "env:\r\n  - name: \"GITHUB_TOKEN\"\r\n    value: MARKERtfli552#\r\n",
        "<name>password</name><value>MARKERtfli552#</value>",
        "<key>Password</key>\n  <string>MARKERtfli552#</string>",
        "<add key=\"ServicePassword\" value=\"MARKERtfli552#\"/>",
        "<property name=\"connection.password\">MARKERtfli552#</property>",
        "password:\n  MARKERtfli552#\nuser: bob",
        "**password**: MARKERtfli552#",
        "| password | MARKERtfli552# |",
        "| user | bob |\n| **Password** | `MARKERtfli552#` |",
        "<tr><td>Password</td><td>MARKERtfli552#</td></tr>",
        "<th>Password</th>\n<td class=\"x\">MARKERtfli552#</td>",
        "aws configure set aws_secret_access_key MARKERutnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "docker login -u bob -p MARKERtfli552# registry.example",
        "az login -u bob -p MARKERtfli552#",
        "openssl enc -aes-256-cbc -k MARKERtfli552# -in x",
        "unzip -P MARKERtfli552# x.zip",
        "sqlcmd -S db -U sa -P MARKERtfli552# -Q 'select 1'",
        "echo MARKERtfli552# | sudo -S id",
        "echo 'MARKERtfli552#' | sudo -S id",
        "requirepass MARKERtfli552#",
        "masterauth MARKERtfli552#",
        "htpasswd -b /etc/nginx/.htpasswd bob MARKERtfli552#",
        "_auth=" + Convert.ToBase64String(Encoding.UTF8.GetBytes("bob:MARKERtfli552#")),
        Wrapped("see the settings of the ledger below, which are those of production: password=MARKERtfli552# and nothing else", 64),
        Wrapped("see the settings of the ledger below, which are those of production: password=MARKERtfli552# and nothing else", 76),
        "network={ ssid=\"x\" psk=\"MARKERtfli552#\" }",
        "10.0.0.1 10.0.0.2 : PSK \"MARKERtfli552#\"",
        "PresharedKey = MARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE=",
        "Ocp-Apim-Subscription-Key: 0a1b2c3d4e5f60718293a4b5c6d7MARKER",
        "X-JFrog-Art-Api: MARKERaB3dE5fG2x",
        $"https://x.example/api/f?code={Made[..40]}&x=1",
        $"https://x.example/api/f?a=1&key={Made[..40]}",
        $"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{Made[..80]}",
        $"MIIEpAIBAAKCAQEA{Made[..48]}\n{Made[..64]}\n{Made[..16]}\nend",
        $"MHcCAQEEI{Made[..80]}",
        $"b3BlbnNzaC1rZXktdjEAAAAABG5v{Made[..80]}",
        "dckr_oat_" + Made[..32],
        "nvapi-" + Made[..64],
        "pplx-" + Made[..48],
        "r8_" + Made[..37],
        "rdme_" + Small[..70],
        "phx_" + Made[..43],
        "pat-na1-0a1b2c3d-4e5f-6071-8293-a4MARKER6d7e8",
        "AKCp" + Made[..69],
        "cmVmdGtu" + Made[..56],
        "dp.st.prd." + Made[..43],
        "ops_eyJ" + Made,
        "oy2" + Small[..43],
        "lin_oauth_" + Small[..64],
        "vercel_blob_rw_" + Made[..16] + "_" + Made[..30],
        "sb_secret_" + Made[..31],
        "CCIPRJ_" + Made[..22] + "_" + Small[..40],
        "EZAK" + Made[..54],
        "sgp_0a1b2c3d4e5f6071_MARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5f",
        "sk.eyJ1" + Made[..60] + "." + Made[..22],
        "pnu_" + Made[..36],
        "CFPAT-" + Made[..43],
        "dt0c01.ST2EY72KQINMH574WMNVI7YN.MARKER" + Made[..64].ToUpperInvariant(),
        Made[..76] + "AZDO" + Made[..4],
        "pass\ud840\udc01 pass\udb40\udc41word=MARKERtfli552#",
        "pass\udb40\udd01word=MARKERtfli552#",
        "pass\u3164word=MARKERtfli552#",
        "pass\u2800word=MARKERtfli552#",
        "pass\u115fword=MARKERtfli552#",
        "pass\uffa0word=MARKERtfli552#",
        "parola: MARKERtfli552#",
        "\u015fifre=MARKERtfli552#",
        "has\u0142o: MARKERtfli552#",
        "\u043f\u0430\u0440\u043e\u043b\u044c: MARKERtfli552#",
        "l\u00f6senord: MARKERtfli552#",
        "adgangskode=MARKERtfli552#",
        "passord: MARKERtfli552#",
        "salasana: MARKERtfli552#",
        "heslo: MARKERtfli552#",
        "jelsz\u00f3: MARKERtfli552#",
        "\u5bc6\u7801: MARKERtfli552#",
        "\u5bc6\u7801\uff1aMARKERtfli552#",
        "\u30d1\u30b9\u30ef\u30fc\u30c9: MARKERtfli552#",
    ]);

    public void Dispose() => _folder.Dispose();

    /// <summary>Checks every way in which a text is collected, and that what is written then does not stop the seal.</summary>
    [Theory]
    [MemberData(nameof(Texts))]
    public void A_secret_goes_that_stands_apart_from_its_name_or_has_none(string text)
    {
        var number = 0;
        foreach (var body in new[]
        {
            JsonSerializer.Serialize(new { note = text }), JsonSerializer.Serialize(new { list = new[] { $"see\n{text}\nend" } }), text,
        })
        {
            var clean = Apply(body);
            Assert.False(clean.Contains("MARKER", StringComparison.OrdinalIgnoreCase), clean);
            Assert.Contains("hmac-sha256:", clean, StringComparison.Ordinal);
            Assert.Equal(clean, Apply(clean));
            _folder.Write(body == text ? $"{number++}.txt" : $"{number++}.json", clean);
        }
        Assert.Empty(CredentialScan.Find(_folder.Path, CancellationToken.None));
    }

    [Theory]
    [InlineData("approved by 'Elena2 Marsh', identified by \"CHG-2026-114\" and by 'ledger-team2'")]
    [InlineData("The password 'Strong2026' rule of the policy, with the password \"policy\" and a user password 'required'")]
    [InlineData("- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: LedgerDb2Main")]
    [InlineData("- name: PASSWORD_POLICY\n  value: Strong2026")]
    [InlineData("<name>password</name><value>required</value><UserName>svc-password</UserName><UserId>AIDAIOSFODNN7EXAMPLE</UserId>")]
    [InlineData("<member><UserName>password</UserName><CreateDate>2026-11-13T08:05:00Z</CreateDate></member>")]
    [InlineData("<add key=\"PasswordFormat\" value=\"Hashed256\"/><add key=\"Password\" value=\"required\"/>")]
    [InlineData("password:\n  minimumLength: 14\n  rotated: 90d")]
    [InlineData("Password:\nRotated90Days\nOwner: ledger")]
    [InlineData("**password**: rotated every 90 days by CHG-2026-114")]
    [InlineData("| password | CHG-2026-114 | open |\n| Password | 2026-11-13T08:05:00Z | 90d |\n| token | rotated quarterly2 |")]
    [InlineData("<tr><td>Password</td><td>CHG-2026-114</td><td>Password policy</td><td>Strong2026</td></tr>")]
    [InlineData("aws configure set region eu-west-1; aws configure set output json2")]
    [InlineData("docker login registry2.example, then docker run -p 8080:80 nginx2")]
    [InlineData("openssl enc -d -kfile x; unzip -p x.zip a2.txt; sqlcmd -S db2 -E; echo hello2 | sudo tee x; htpasswd -c x bob2")]
    [InlineData("requirepass is set on ledger-cache2; masterauth required; _auth=none; wpa-psk and psk=none")]
    [InlineData("https://x.example/?code=eu-west-1a&key=ledger-db-credentials-v2-2026 https://x.example/s?key=0a1b2c3d4e5f60718293a4b5c6d7e8f9")]
    [InlineData("MIIEvTCCA6WgAwIBAgIQaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fGaB3dE5fG")]
    [InlineData("nvapi-ledger-team, pplx-prod, r8_prod, phx_west, sgp_eu, sb_secret_of_ledger_matching_worker, pat-na1-ledger, EZAKIEL, oy2 and AZDO")]
    [InlineData("la parola d'ordine, heslo je dlouh\u00e9, \u043f\u0430\u0440\u043e\u043b\u044c \u043d\u0443, \u5bc6\u7801\u7b56\u7565: Strong2026")]
    public void A_text_of_the_same_layout_stays(string text)
    {
        foreach (var body in new[] { JsonSerializer.Serialize(new { note = text }), text })
            Assert.Equal(body, Apply(body));
    }

    private static string Wrapped(string text, int columns) =>
        string.Join("\r\n", Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).Chunk(columns).Select(line => new string(line)));

    private static string Apply(string body) =>
        Encoding.UTF8.GetString(new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(body), null).Body.Span);
}
