using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Redaction;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Distinguishes texts that contain a credential from those that only mention one.</summary>
public sealed class CredentialFormsTests
{
    private const int FewerAlarms = 5;

    [Theory]
    [InlineData("Authorization: token MARKER12")]
    [InlineData("curl -H 'Authorization: Bearer MARKER1234ab' https://x.example")]
    [InlineData("Bearer MARKERb3dE5fGaB3dE5fG")]
    [InlineData("password:MARKER1!")]
    [InlineData("password: MARKER1")]
    [InlineData("password => 'MARKER1!'")]
    [InlineData("passwd = \"MARKER1!\"")]
    [InlineData("PASSWORD=MARKER12")]
    [InlineData("DB_PASS=MARKER1!")]
    [InlineData("GITHUB_TOKEN=MARKER1234ab")]
    [InlineData("SECRET_KEY=MARKER12")]
    [InlineData("--token MARKER12")]
    [InlineData("--api-key MARKER1!")]
    [InlineData("args: [\"--password\", \"MARKER1!\"]")]
    [InlineData("mysql -h db -u root -pMARKER1! ledger")]
    [InlineData("sshpass -p MARKER1! ssh db")]
    [InlineData("curl -u ledger:MARKER1! https://x.example")]
    [InlineData("user:MARKER1!@host")]
    [InlineData("admin:MARKERpass@db.internal:5432/ledger")]
    [InlineData("<password>MARKER1!</password>")]
    [InlineData("run with {\\\"password\\\":\\\"MARKER1!\\\"}")]
    [InlineData("password&#61;MARKER1!")]
    [InlineData("Secret access key: MARKERUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")]
    [InlineData("https://x.example/cb?a=1&token=MARKER12")]
    [InlineData("https://discord.com/api/webhooks/1234567890/MARKERb3dE5fGaB3dE5fG")]
    [InlineData("passphrase: MARKER correct horse battery staple")]
    [InlineData("https://maps.example/js?key=AIzaMARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE")]
    [InlineData("MAPS_KEY=AIzaMARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE")]
    [InlineData("https://x.example/AIzaMARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE/maps")]
    [InlineData("map_AIzaMARKERaB3dE5fGaB3dE5fGaB3dE5fGaB3dE=")]
    [InlineData("password=\nMARKER1234ab")]
    [InlineData("password=\r\n  MARKER1234ab\r\nuser=bob")]
    [InlineData("pass\u200bword=MARKER1234ab")]
    [InlineData("pass\u00adword=MARKER1234ab")]
    [InlineData("password\uff1dMARKER1234ab")]
    [InlineData("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44=MARKER1234ab")]
    [InlineData("password:\u00a0MARKER1234ab")]
    [InlineData("g\u200bhp_MARKERb3dE5fGaB3dE5fGaB3dE5fGaB3dE5fG")]
    [InlineData("ghp_MARKERb3dE5f\u200dGaB3dE5fGaB3dE5fGaB3dE5fG")]
    [InlineData("(sig=MARKERb3dE5fGaB3dE5fGaB3dE5fG)")]
    public void A_secret_goes_from_a_text_however_it_is_written(string text)
    {
        var body = JsonSerializer.Serialize(new { description = text });
        var clean = Encoding.UTF8.GetString(new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(body), null).Body.Span);
        Assert.DoesNotContain("MARKER", clean, StringComparison.Ordinal);
        Assert.Contains("hmac-sha256:", clean, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_secret_goes_from_a_text_with_invisible_letters()
    {
        const string text = "a\u200bb pass\u200bword\uff1dMARKER\u200b1234ab \u00e9\u200bnd";
        var body = Encoding.UTF8.GetString(new BodyRedaction(new byte[32]).Apply(Encoding.UTF8.GetBytes(text), null).Body.Span);
        Assert.StartsWith("a\u200bb pass\u200bword\uff1dhmac-sha256:", body, StringComparison.Ordinal);
        Assert.EndsWith(" \u00e9\u200bnd", body, StringComparison.Ordinal);
        Assert.True(CredentialForms.First(text) == text.IndexOf("MARKER", StringComparison.Ordinal));
    }

    [Fact]
    public void No_public_key_is_taken_for_a_secret()
    {
        // A modulus is random, and CloudTrail's answers with such keys decide whether a trail's files are whole.
        var redaction = new BodyRedaction(new byte[32]);
        var random = new Random(1);
        var key = new byte[270];
        for (var n = 0; n < 20_000; n++)
        {
            random.NextBytes(key);
            byte[] head = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
            head.CopyTo(key, 0);
            var text = Convert.ToBase64String(key);
            Assert.False(redaction.Finds(text), text);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20261129)]
    public void Of_ten_thousand_ordinary_texts_fewer_than_five_are_taken_for_a_secret(int seed)
    {
        var redaction = new BodyRedaction(new byte[32]);
        var alarms = new OrdinaryTexts(seed)
            .Take(10000)
            .Where(t => redaction.Apply(JsonSerializer.SerializeToUtf8Bytes(new { description = t }), null).Digest is not null)
            .ToArray();
        Assert.True(alarms.Length < FewerAlarms, string.Join('\n', alarms.Take(20)));
    }

    [Theory]
    [InlineData("controls", "*.yaml")]
    [InlineData("samples/inputs", "*.csv")]
    [InlineData("samples", "*.yaml")]
    public void No_text_of_the_sample_and_no_control_holds_one(string folder, string files) =>
        Assert.All(Directory.GetFiles(Repository.Path(folder.Split('/')), files, SearchOption.AllDirectories), f =>
            Assert.True(CredentialForms.First(File.ReadAllText(f)) < 0, f));
}
