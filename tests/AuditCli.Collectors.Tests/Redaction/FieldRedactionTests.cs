using System.IO.Compression;
using System.Text;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Checks that everything outside the body of an exchange is redacted before it is written.</summary>
public sealed class FieldRedactionTests : IDisposable
{
    private static readonly ExchangeScope Scope = new("prod", "s3", "aws-global");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Location", "https://x.example/cb?token=MARKER12")]
    [InlineData("X-Auth-Token", "MARKERb3dE5fG1")]
    [InlineData("X-Api-Key", "MARKER12")]
    [InlineData("Set-Cookie2", "a=MARKERb3dE5fG1; Path=/")]
    [InlineData("X-Session", "MARKERb3dE5fG1")]
    [InlineData("X-Session-Id", "MARKERb3dE5fG1")]
    [InlineData("X-Note", "password=MARKER1!")]
    [InlineData("X-Note", "cGFzc3dvcmQ9TUFSS0VSMSE=")]
    [InlineData("Link", "<https://ledger:MARKER1!@x.example/>; rel=next")]
    public async Task A_field_of_an_answer_has_no_credential_on_the_disk(string name, string value)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<Status>1</Status>") with { Fields = [(name, value), ("X-Kept", "kept 1")] });
        var written = await RecordAsync(server.Address, "bucket?a=1");
        Assert.DoesNotContain("MARKER", written, StringComparison.Ordinal);
        Assert.DoesNotContain("cGFzc3dvcmQ9TUFSS0VSMSE=", written, StringComparison.Ordinal);
        Assert.Contains("hmac-sha256:", written, StringComparison.Ordinal);
        Assert.Contains("X-Kept: kept 1", written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bucket?token=MARKER12&x=kept")]
    [InlineData("in?sig=MARKERb3dE5fGaB3dE5fGaB3dE5fG&x=kept")]
    [InlineData("in?X-Goog-Signature=MARKERb3dE5fGaB3dE5fGaB3dE5fG&x=kept")]
    [InlineData("api/webhooks/1234567890/MARKERb3dE5fGaB3dE5fG?x=kept")]
    public async Task An_address_has_no_credential_on_the_disk_and_is_found_again(string path)
    {
        await using var server = new LoopbackServer((_, _) => Reaction.Xml("<Status>1</Status>"));
        var address = new UriBuilder(server.Address) { UserName = "ledger", Password = "MARKER1!" }.Uri;
        var written = await RecordAsync(address, path);
        Assert.Contains("MARKER", server.Seen[0].Target, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", written, StringComparison.Ordinal);
        Assert.Contains("x=kept", written, StringComparison.Ordinal);
        await using var replay = new ReplayTransport(
            Path.Combine(_folder.Path, "b", BundleLayout.ExchangesFolder), Path.Combine(_folder.Path, "again"), "again");
        Assert.Equal("<Status>1</Status>", await AskAsync(replay, new(address, path)));
    }

    [Theory]
    [InlineData("http://ledger:MARKER1!@x.example/in?token=MARKER12", "http://x.example/in")]
    public void An_address_is_shown_without_its_credentials(string address, string shown) => Assert.Equal(shown, new Uri(address).Shown());

    private async Task<string> RecordAsync(Uri server, string path)
    {
        await using (var live = new LiveTransport(Path.Combine(_folder.Path, "b"), "b", TimeProvider.System))
            await AskAsync(live, new(server, path));
        var all = new StringBuilder();
        foreach (var file in Directory.GetFiles(_folder.Path, "*.gz", SearchOption.AllDirectories))
        {
            using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
            all.Append(await reader.ReadToEndAsync());
        }
        return all.ToString();
    }

    private static async Task<string> AskAsync(ExchangeTransport transport, Uri address)
    {
        transport.BeginTrail(null);
        using var client = new HttpClient(transport.Open(Scope, _ => null), disposeHandler: false);
        using var answer = await client.GetAsync(address);
        return await answer.Content.ReadAsStringAsync();
    }
}
