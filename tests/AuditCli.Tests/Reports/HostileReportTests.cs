using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using AuditCli.Reports.Formats;
using AuditCli.Reports.Formats.Workbook;

namespace AuditCli.Tests.Reports;

/// <summary>Checks that every report format shows a malicious bundle harmlessly.</summary>
public sealed class HostileReportTests : IDisposable
{
    private static readonly Item[] Hostile =
    [
        new("""
            "=cmd|' /C calc'!A0"
            """.Trim(), "deviation"),
        new("\"\\t=HYPERLINK(\\\"http://evil.example\\\")\"", "deviation"),
        new("\"@SUM(1)\"", "deviation"),
        new("\"-2+3\"", "deviation"),
        new("\"\\uff1d1\"", "deviation"),
        new(
            "\"<script>alert(1)</script><img src=x onerror=alert(2)>\"",
            "deviation",
            "</script><script>alert(3)</script>",
            """{"<b>":"]]>&lt;","href":"javascript:alert(4)"}"""),
        new("\"invoice\\u202efdp.exe \\u2066x\\u2069 \\u200b\\ufeff \\udb40\\udc41\"", "deviation"),
        new("\"bell\\u0007 escape\\u001b[31m null\\u0000 c1\\u0085 ufffe\\ufffe\"", "deviation"),
        new("\"half \\ud800 and \\udc00 half\"", "deviation"),
        new("\"_x0041_ stays\"", "deviation"),
        new("\"| a | b | [x](http://evil.example) ![i](http://evil.example/i) `code` **b** @someone\"", "deviation"),
        new("\"line\\nbreak\\r\\n- item\"", "deviation"),
        new($"\"{new string('L', 1_000_000)}\"", "deviation"),
        new(
            "\"deep\"",
            "deviation",
            "deep",
            $"{{\"nested\":{string.Concat(Enumerable.Repeat("[", 30))}1{string.Concat(Enumerable.Repeat("]", 30))}}}"),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    internal static Task<string> SealAsync(string folder) => ReportBundle.SealAsync(folder, Hostile);

    [Fact]
    public async Task No_cell_of_the_workbook_is_a_formula_and_every_part_is_xml()
    {
        var zip = await WorkbookAsync();
        foreach (var entry in zip.Entries)
        {
            var part = XDocument.Load(entry.Open());
            Assert.DoesNotContain(part.Descendants(), e => e.Name.LocalName is "f" or "script");
            Assert.All(
                part.Descendants().Where(e => e.Name.LocalName == "t"),
                t => Assert.True(t.Value.Length <= 32_767, $"{entry.FullName} has a cell of {t.Value.Length} characters"));
        }
        var sheets = string.Concat(zip.Entries.Where(e => e.FullName.Contains("worksheets", StringComparison.Ordinal))
            .Select(e => XDocument.Load(e.Open()).Root!.Value));
        Assert.Contains("=cmd|' /C calc'!A0", sheets, StringComparison.Ordinal);
        Assert.Contains("_x005F_x0041_ stays", sheets, StringComparison.Ordinal);
        Assert.Contains("cut off: 32000 of 1000000 characters are shown", sheets, StringComparison.Ordinal);
        Assert.Contains("half \\ud800 and \\udc00 half", sheets, StringComparison.Ordinal);
        Assert.Contains("invoice\\u202efdp.exe", sheets, StringComparison.Ordinal);
        var styles = XDocument.Load(zip.GetEntry("xl/styles.xml")!.Open());
        Assert.Equal(Enum.GetValues<CellStyle>().Length - 1, styles.Descendants().Count(e => e.Attribute("quotePrefix")?.Value is "1" or "true"));
    }

    [Fact]
    public async Task No_cell_of_the_table_is_taken_for_a_formula()
    {
        var csv = Encoding.UTF8.GetString(await WrittenAsync("csv"));
        var cells = CsvCells(csv).ToArray();
        Assert.All(cells, c => Assert.False(
            c.TrimStart() is ['=' or '+' or '-' or '@' or '\uff1d', ..],
            $"a cell begins with {c[..Math.Min(20, c.Length)]}"));
        Assert.Contains(cells, c => c == "'=cmd|' /C calc'!A0");
        Assert.Contains(cells, c => c == "'-2+3");
        Assert.Contains("cut off: 32000 of 1000000 characters", csv, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("xlsx")]
    [InlineData("html")]
    [InlineData("md")]
    [InlineData("csv")]
    [InlineData("oscal")]
    [InlineData("sarif")]
    [InlineData("junit")]
    public async Task No_character_steers_a_reader_in_any_format(string name)
    {
        var format = ReportFormats.All.Single(f => f.Name == name);
        var text = ReportFormatTests.Readable(format, await WrittenAsync(name));
        // JSON may contain the characters as escapes, which are harmless until decoded. The decoded text must contain only the escapes of
        // this program.
        if (name is "oscal" or "sarif")
            text = string.Concat(Strings(JsonDocument.Parse(text).RootElement));
        Assert.DoesNotContain(text.EnumerateRunes(), r =>
            r.Value is not ('\n' or '\r' or '\t')
            && Rune.GetUnicodeCategory(r) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate);
        var plain = name is "md" ? text.Replace("&#92;", "\\", StringComparison.Ordinal) : text;
        Assert.Contains("invoice\\u202efdp.exe", plain.Replace("\\\\", "\\", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("cut off", text, StringComparison.Ordinal);
        Assert.True(text.Length < 3_000_000, $"{text.Length} characters");
    }

    [Fact]
    public async Task Markdown_shows_names_as_text_and_never_as_markup()
    {
        var text = Encoding.UTF8.GetString(await WrittenAsync("md"));
        foreach (var markup in new[] { "<script", "<img", "](http", "**b**", " @someone" })
            Assert.DoesNotContain(markup, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_has_no_markup_that_the_evidence_brought()
    {
        var html = Encoding.UTF8.GetString(await WrittenAsync("html"));
        foreach (var markup in new[] { "<script>alert", "<img", "onerror=alert(2)>", "</script><script>a" })
            Assert.DoesNotContain(markup, html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html, StringComparison.Ordinal);
        Assert.Equal(2 + 4, html.Split("<script").Length);
    }

    private async Task<byte[]> WrittenAsync(string format) =>
        ReportFormatTests.Written(ReportFormats.All.Single(f => f.Name == format), ReportBundle.Read(await SealAsync(_folder.Path)));

    private async Task<ZipArchive> WorkbookAsync() => new(new MemoryStream(await WrittenAsync("xlsx")));

    private static IEnumerable<string> Strings(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Object => e.EnumerateObject().SelectMany(m => Strings(m.Value).Prepend(m.Name)),
        JsonValueKind.Array => e.EnumerateArray().SelectMany(Strings),
        JsonValueKind.String => [e.GetString()!],
        _ => [],
    };

    private static IEnumerable<string> CsvCells(string csv)
    {
        var (cell, quoted) = (new StringBuilder(), false);
        for (var i = 0; i < csv.Length; i++)
        {
            if (quoted && csv[i] == '"' && i + 1 < csv.Length && csv[i + 1] == '"')
                cell.Append(csv[i++]);
            else if (csv[i] == '"')
                quoted = !quoted;
            else if (!quoted && csv[i] is ',' or '\n')
            {
                yield return cell.ToString().TrimEnd('\r');
                cell.Clear();
            }
            else
                cell.Append(csv[i]);
        }
    }
}
