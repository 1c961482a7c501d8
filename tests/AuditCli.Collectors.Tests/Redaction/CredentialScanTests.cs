using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AuditCli.Collectors.Redaction;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Redaction;

/// <summary>Tests the search of files for credentials before they are sealed, with several workers at once.</summary>
public sealed class CredentialScanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_that_cannot_be_read_is_the_fault_that_it_is_and_not_one_of_the_workers()
    {
        _folder.Write("a.txt", "nothing");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "b.txt"), Path.Combine(_folder.Path, "nowhere"));
        Assert.Throws<FileNotFoundException>(() => CredentialScan.Find(_folder.Path, CancellationToken.None));
    }

    [Theory]
    [InlineData("a.html", "<p>password=Hunter2&quot;x</p> &#112;assword=Hunter2!")]
    [InlineData("a.xml", "<a>password&#61;Hunter2!</a>")]
    [InlineData("a.json", """{"a":"password\u003dHunter2!"}""")]
    [InlineData("a.ndjson", """{"a":"{\"password\":\"Hunter2!\"}"}""")]
    [InlineData("a.txt", "password=Hunter2!")]
    public void A_value_is_found_however_it_is_escaped(string file, string text)
    {
        _folder.Write(file, text);
        Assert.Equal(file, Assert.Single(CredentialScan.Find(_folder.Path, CancellationToken.None)).File);
    }

    [Theory]
    [InlineData("a.html", "<td>password=abc</td><td>password=&quot;yes&quot;</td><td>password=&amp;&lt;&gt;</td>")]
    [InlineData("a.xml", "<a>password: &quot;rotated&quot;</a>")]
    [InlineData("a.json", """{"a":"password=abc\u0022\u0026\n"}""")]
    public void What_escapes_a_value_makes_it_no_longer(string file, string text)
    {
        _folder.Write(file, text);
        Assert.Empty(CredentialScan.Find(_folder.Path, CancellationToken.None));
    }

    [Theory]
    [InlineData("""{"nextToken":"eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl"}""", true)]
    [InlineData("<R><Marker>eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl</Marker></R>", true)]
    [InlineData("GET /items?a=1&pageToken=eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl HTTP/1.1", true)]
    [InlineData("""{"note":"marker=eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl"}""", false)]
    [InlineData("""{"note":"page-token: eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl"}""", false)]
    [InlineData("""{"token":"eyJhbGciOiJub25lIn0.eyJwYWdlIjoyfQ0K.c2lnbmF0dXJl"}""", false)]
    public void Only_in_exchanges_a_signed_page_token_stays_and_only_at_the_place_of_one(string text, bool stays)
    {
        using (var packed = new GZipStream(File.Create(Path.Combine(_folder.Path, "a.warc.gz")), CompressionLevel.Fastest))
            packed.Write(Encoding.UTF8.GetBytes(text));
        _folder.Write("b.json", text);
        Assert.Equal(stays ? ["b.json"] : ["a.warc.gz", "b.json"], CredentialScan.Find(_folder.Path, CancellationToken.None).Select(f => f.File));
    }

    /// <summary>Checks that collecting and sealing apply the same rule. Otherwise a name that was collected could stop the seal.</summary>
    [Fact]
    public void What_came_through_at_collecting_comes_through_before_sealing()
    {
        var redaction = new BodyRedaction(new byte[32]);
        var texts = PlantedSecrets.Of("aB3dE5fG")
            .SelectMany(s => new[] { s.Text, $"see \"{s.Text}\" & {s.Text}", s.Text.Replace("=", "&#61;", StringComparison.Ordinal) })
            .Concat([
                "password=Hunter2!", "password=Hunter2!\"", "password=abc&def", "password='abc'", "secret: a\\tb1234567",
                "token=\"x\"&password=<b>",
            ])
            .Concat(new OrdinaryTexts(3).Take(2000))
            .ToArray();
        for (var i = 0; i < texts.Length; i++)
        {
            var json = JsonSerializer.Serialize(new { description = texts[i], list = new[] { texts[i] } });
            var xml = $"<R><Description>{System.Net.WebUtility.HtmlEncode(texts[i])}</Description></R>";
            var answers = new[] { json, xml }.Select(b => Encoding.UTF8.GetString(redaction.Apply(Encoding.UTF8.GetBytes(b), null).Body.Span)).ToArray();
            _folder.Write($"{i}.json", answers[0]);
            _folder.Write($"{i}.xml", answers[1]);
            using var packed = new GZipStream(File.Create(Path.Combine(_folder.Path, $"{i}.warc.gz")), CompressionLevel.Fastest);
            packed.Write(Encoding.UTF8.GetBytes(string.Join("\r\n", answers)));
        }
        Assert.Equal(
            [],
            CredentialScan.Find(_folder.Path, CancellationToken.None)
                .Select(f => $"{f.File}: {texts[int.Parse(f.File.Split('.')[0], System.Globalization.CultureInfo.InvariantCulture)]}"));
    }

    [Fact]
    public void A_search_that_is_cancelled_ends_as_cancelled()
    {
        _folder.Write("a.txt", "nothing");
        Assert.ThrowsAny<OperationCanceledException>(() => CredentialScan.Find(_folder.Path, new CancellationToken(canceled: true)));
    }
}
