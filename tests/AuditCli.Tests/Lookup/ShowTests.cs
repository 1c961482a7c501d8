using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Evidence;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Lookup;

/// <summary>Follows a line of a workpaper to the bytes of the provider's response.</summary>
public sealed partial class ShowTests(SampleRun sample, HostileRun hostile) : IClassFixture<SampleRun>, IClassFixture<HostileRun>
{
    private const string Person = "arn:aws:iam::444455556666:user/lukas.berg";

    [Fact]
    public async Task A_file_that_was_changed_after_sealing_is_not_shown()
    {
        using var folder = new TemporaryFolder();
        var copy = BundleForgery.Copy(sample.Bundle, folder.Path);
        BundleForgery.Replace(copy, "data/results/apd-aws-002.t1.ndjson", "\"pass\":false,\"verdict\":\"deviation\"", "\"pass\":true,\"verdict\":\"pass\"");
        var result = await AuditCommand.RunAsync(folder.Path, "show", copy, "APD-AWS-002", "T1", Person);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("data/results/apd-aws-002.t1.ndjson is not the file that was sealed", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("pass", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_was_changed_with_its_manifests_but_not_the_index_is_not_shown()
    {
        using var folder = new TemporaryFolder();
        var copy = BundleForgery.Copy(sample.Bundle, folder.Path);
        var table = Directory.GetFiles(Path.Combine(copy, "data", "tables"), "aws-iam-getcredentialreport-*.ndjson.gz")
            .Single(f => BundleForgery.ReadTable(f).Contains(Person, StringComparison.Ordinal));
        BundleForgery.ReplaceInTable(table, "\"mfa_active\":false", "\"mfa_active\":true");
        BundleForgery.Reseal(copy);
        var result = await AuditCommand.RunAsync(folder.Path, "show", copy, "APD-AWS-002", "T1", Person);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("aws-iam-getcredentialreport", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_outside_the_bundle_is_read_although_its_index_names_it()
    {
        using var folder = new TemporaryFolder();
        var copy = BundleForgery.Copy(sample.Bundle, folder.Path);
        BundleForgery.Replace(
            copy,
            "data/evidence/index.jsonl",
            "\"file\":\"data/exchanges/dev/iam-aws-global.warc.gz\"",
            "\"file\":\"../../../../etc/passwd\"");
        BundleForgery.Reseal(copy);
        var result = await AuditCommand.RunAsync(folder.Path, "show", copy, "APD-AWS-002", "T1", Person);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("../../../../etc/passwd is in no manifest of the bundle", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("APD-AWS-02", "did you mean 'APD-AWS-002'")]
    [InlineData("APD-AWS-002 T9", "has no item T9")]
    [InlineData("APD-AWS-002 T9 x", "its tests are T1")]
    [InlineData("APD-AWS-002 T1 arn:aws:iam::444455556666:user/lucas.berg", "did you mean 'arn:aws:iam::444455556666:user/lukas.berg'")]
    [InlineData("APD-AWS-002/X/000000000000", "no item of APD-AWS-002 has the exception id")]
    [InlineData("urn:uuid:00000000-0000-0000-0000-000000000000", "has no exchange")]
    [InlineData("data/inputs/../run.json", "has no file")]
    [InlineData("data/inputs/break-glass-register/break-glass-register.csv#/x", "rows are counted from 1")]
    public async Task What_is_not_in_the_bundle_is_said_with_what_may_have_been_meant(string words, string message)
    {
        var result = await AuditCommand.RunAsync(sample.Folder, ["show", sample.Bundle, .. words.Split(' ')]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exception_leads_to_the_rows_the_request_and_the_answer_behind_it()
    {
        var controls = await ShownAsync();
        Assert.Contains("APD-AWS-002", controls, StringComparison.Ordinal);
        Assert.Contains("a REPLAY of exchanges recorded", controls, StringComparison.Ordinal);
        var id = ExceptionOf(await ShownAsync("apd-aws-002"), Person);
        var item = await ShownAsync(id);
        Assert.Equal(item, await ShownAsync("APD-AWS-002", "T1", Person));
        string[] words =
        [
            "arn is the item", "mfa_active: false", "_with_UserName is part of the item, and attribute user_name",
            "as arn:aws:sts::444455556666:assumed-role/AuditReadOnly/auditcli", "request id ",
        ];
        foreach (var word in words)
            Assert.Contains(word, item, StringComparison.Ordinal);
        var record = References.Matches(item).Select(m => m.Value).First(r => r.Contains("#/Content/", StringComparison.Ordinal));
        var exchange = await ShownAsync(record);
        Assert.Contains("Action=GetCredentialReport", exchange, StringComparison.Ordinal);
        Assert.Contains("<GetCredentialReportResponse", exchange, StringComparison.Ordinal);
    }

    /// <summary>Shows every exception of the sample, whatever its provider.</summary>
    [Fact]
    public async Task Every_exception_of_the_sample_has_evidence_that_can_be_shown()
    {
        var without = new List<string>();
        var controls = SampleTests.Results(sample.Bundle).GetProperty("controls").EnumerateArray();
        foreach (var control in controls.Where(c => c.GetProperty("deviations").GetInt64() > 0))
        {
            var id = control.GetProperty("id").GetString()!;
            foreach (var exception in ExceptionIds.Matches(await ShownAsync(id)).Select(m => m.Value).Distinct())
            {
                if (!(await ShownAsync(exception)).Contains("EXCHANGE urn:uuid:", StringComparison.Ordinal))
                    without.Add(exception);
            }
        }
        Assert.Empty(without);
    }

    [Fact]
    public async Task Raw_is_the_body_that_the_record_has_the_digest_of()
    {
        var shown = await ShownAsync(ExceptionOf(await ShownAsync("APD-AWS-002"), Person));
        var record = References.Matches(shown).Select(m => m.Value).First(r => r.Contains('#', StringComparison.Ordinal));
        var digest = BodyDigest.Match(await ShownAsync(record)).Groups[1].Value;
        using var bytes = new MemoryStream();
        var host = AuditCommand.Host(sample.Folder) with { OpenOutput = () => bytes };
        var result = await AuditCommand.RunAsync(host, CancellationToken.None, "show", sample.Bundle, record, "--raw");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("", result.Output);
        Assert.Equal(digest, Digest.Of(bytes.ToArray()).Hex);
        var terminal = await AuditCommand.RunAsync(host with { OutputIsTerminal = true }, CancellationToken.None, "show", sample.Bundle, record, "--raw");
        Assert.Equal(1, terminal.ExitCode);
    }

    [Fact]
    public async Task A_row_of_a_file_and_an_evidence_item_can_be_looked_up()
    {
        var row = await ShownAsync("data/inputs/break-glass-register/break-glass-register.csv#/2");
        Assert.Contains("break-glass-2", row, StringComparison.Ordinal);
        Assert.DoesNotContain("user/break-glass-1", row, StringComparison.Ordinal);
        var evidence = Path.GetFileName(Directory.GetFiles(Path.Combine(sample.Bundle, "data", "tables"), "aws-iam-listusers-*").First()).Split('.')[0];
        Assert.Contains("used by", await ShownAsync(evidence), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show", "BUNDLE", "ID", "--html", "PLACE/card.html")]
    [InlineData("query", "BUNDLE", "SELECT 1 AS one FROM results.controls", "--out", "PLACE/one.txt")]
    [InlineData("query", "BUNDLE", "FROM results.controls", "--format", "parquet", "--out", "PLACE/one.parquet")]
    [InlineData("report", "BUNDLE", "--format", "md", "--allow-unsigned", "--out", "PLACE/reports")]
    public async Task Nothing_is_written_into_a_sealed_bundle_not_even_through_a_link(params string[] words)
    {
        using var folder = new TemporaryFolder();
        var id = ExceptionOf(await ShownAsync("APD-AWS-002"), Person);
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "link"), Path.Combine(sample.Bundle, "data"));
        foreach (var place in new[] { Path.Combine(sample.Bundle, "data"), sample.Bundle, Path.Combine(folder.Path, "link") })
        {
            var command = words.Select(w => w.Replace("BUNDLE", sample.Bundle, StringComparison.Ordinal)
                .Replace("PLACE", place, StringComparison.Ordinal).Replace("ID", id, StringComparison.Ordinal)).ToArray();
            var run = await AuditCommand.RunAsync(folder.Path, command);
            Assert.Equal(1, run.ExitCode);
            Assert.Contains("is inside the bundle, which would break its seal", run.Error, StringComparison.Ordinal);
        }
        Assert.Equal(0, (await AuditCommand.RunAsync(folder.Path, "verify", sample.Bundle, "--allow-unsigned")).ExitCode);
    }

    [Fact]
    public async Task The_evidence_card_is_one_page_that_loads_nothing_and_never_overwrites()
    {
        using var folder = new TemporaryFolder();
        var id = ExceptionOf(await ShownAsync("APD-AWS-002"), Person);
        string[] command = ["show", sample.Bundle, id, "--html", "card.html"];
        var first = await AuditCommand.RunAsync(folder.Path, command);
        Assert.True(first.ExitCode == 0, first.ToString());
        var page = await File.ReadAllTextAsync(Path.Combine(folder.Path, "card.html"));
        foreach (var word in new[] { "REPLAY of exchanges", $"<mark>{Person}</mark>", "GetCredentialReport", "sha256", "AuditReadOnly", "default-src 'none'" })
            Assert.Contains(word, page, StringComparison.Ordinal);
        Assert.DoesNotMatch("<(script|img|link|iframe|object)\\b| (src|href|on[a-z]+)=", page);
        Assert.Equal(1, (await AuditCommand.RunAsync(folder.Path, command)).ExitCode);
        Assert.Equal(page, await File.ReadAllTextAsync(Path.Combine(folder.Path, "card.html")));
    }

    [Fact]
    public async Task Hostile_names_are_shown_harmlessly()
    {
        foreach (var words in new string[][] { [], [HostileRun.Control], [HostileRun.Control, "T1"] })
            HostileRun.IsHarmless((await AuditCommand.RunAsync(hostile.Folder, ["show", hostile.Bundle, .. words])).Output);
        foreach (var name in new[] { HostileRun.Formula, HostileRun.Markup, HostileRun.Escape, HostileRun.Direction, HostileRun.Long })
        {
            var shown = await AuditCommand.RunAsync(hostile.Folder, "show", hostile.Bundle, HostileRun.Control, "T1", name);
            Assert.True(shown.ExitCode == 0, shown.Error);
            HostileRun.IsHarmless(shown.Output);
            Assert.Contains("name is the item", shown.Output, StringComparison.Ordinal);
            var json = await AuditCommand.RunAsync(hostile.Folder, "show", hostile.Bundle, HostileRun.Control, "T1", name, "--output", "json");
            Assert.DoesNotContain(json.Output, c => c is (< ' ' and not ('\n' or '\r')) or > '~');
            Assert.Equal(name, JsonElement.Parse(json.Output).GetProperty("items")[0].GetProperty("item").GetString());
            var card = $"card-{Digest.Of(Encoding.UTF8.GetBytes(name)).Hex[..8]}.html";
            Assert.Equal(0, (await AuditCommand.RunAsync(hostile.Folder, "show", hostile.Bundle, HostileRun.Control, "T1", name, "--html", card)).ExitCode);
            var page = await File.ReadAllTextAsync(Path.Combine(hostile.Folder, card));
            HostileRun.IsHarmless(page);
            Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
        }
        HostileRun.IsHarmless((await AuditCommand.RunAsync(hostile.Folder, "show", hostile.Bundle, "\u001b[31mnothing\u202e")).Error);
    }

    [Fact]
    public async Task As_json_everything_that_can_be_named_is_one_object_from_control_to_answer()
    {
        Assert.Equal(14, (await JsonAsync()).GetProperty("controls").GetArrayLength());
        var control = await JsonAsync("APD-AWS-002");
        Assert.Equal("replay", control.GetProperty("mode").GetString());
        Assert.Equal(
            BundleForgery.Partitions(sample.Bundle, "APD-AWS-002").Select(p => p.GetRawText()),
            control.GetProperty("control").GetProperty("tests").EnumerateArray().Select(t => t.GetRawText()));
        var exception = control.GetProperty("exceptions").EnumerateArray().First(e => e.GetProperty("item").GetString() == Person);
        Assert.Equal(10, (await JsonAsync("APD-AWS-002", "T1")).GetProperty("items").GetArrayLength());
        var item = (await JsonAsync(exception.GetProperty("exception_id").GetString()!)).GetProperty("items")[0];
        var found = item.GetProperty("tables").EnumerateArray()
            .First(t => t.GetProperty("name").GetString() == "credential_report").GetProperty("found")[0].GetProperty("row");
        Assert.Equal(Person, found.GetProperty("arn").GetString());
        var exchange = (await JsonAsync(found.GetProperty("_ref").GetString()!)).GetProperty("exchange");
        Assert.Equal("iam:GetCredentialReport", exchange.GetProperty("asked_for").GetProperty("operation").GetString());
        var body = exchange.GetProperty("response").GetProperty("body").GetString()!;
        Assert.StartsWith("<GetCredentialReportResponse", body, StringComparison.Ordinal);
        Assert.Equal(exchange.GetProperty("body_digest").GetString(), $"sha256:{Digest.Of(Encoding.UTF8.GetBytes(body)).Hex}");
        var asked = await JsonAsync(exchange.GetProperty("asked_for").GetProperty("evidence_id").GetString()!);
        Assert.Equal("iam:GetCredentialReport", asked.GetProperty("evidence")[0].GetProperty("operation").GetString());
        var input = (await JsonAsync("data/inputs/break-glass-register/break-glass-register.csv#/2")).GetProperty("input");
        Assert.Contains("break-glass-2", input.GetProperty("values").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_place_that_a_reference_points_at_stands_beside_the_whole_answer()
    {
        var reference = (await JsonAsync((await JsonAsync("APD-K8S-001")).GetProperty("exceptions")[0].GetProperty("exception_id").GetString()!))
            .GetProperty("items")[0].GetProperty("tables").EnumerateArray().SelectMany(t => t.GetProperty("found").EnumerateArray())
            .Select(f => f.GetProperty("row").GetProperty("_ref").GetString()!).First(r => r.Contains("/items/", StringComparison.Ordinal));
        var exchange = (await JsonAsync(reference)).GetProperty("exchange");
        Assert.Equal(reference.Split('#')[1], exchange.GetProperty("pointer").GetString());
        Assert.Contains("\"metadata\"", exchange.GetProperty("at").GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_answer_has_one_form()
    {
        var both = await AuditCommand.RunAsync(sample.Folder, "show", sample.Bundle, "APD-AWS-002", "--output", "json", "--raw");
        Assert.Equal(1, both.ExitCode);
        Assert.Contains("exclude each other", both.Error, StringComparison.Ordinal);
        var unknown = await AuditCommand.RunAsync(
            sample.Folder, "show", sample.Bundle, "urn:uuid:00000000-0000-0000-0000-000000000000", "--output", "json");
        Assert.Equal(1, unknown.ExitCode);
    }

    private async Task<JsonElement> JsonAsync(params string[] words)
    {
        var shown = await ShownAsync([.. words, "--output", "json"]);
        Assert.True(Ascii.IsValid(shown));
        return JsonElement.Parse(shown);
    }

    private async Task<string> ShownAsync(params string[] words)
    {
        var result = await AuditCommand.RunAsync(sample.Folder, ["show", sample.Bundle, .. words]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    private static string ExceptionOf(string shown, string item) =>
        ExceptionIds.Match(shown.Split('\n').First(l => l.Contains(item, StringComparison.Ordinal) && ExceptionIds.IsMatch(l))).Value;

    [GeneratedRegex("[A-Z]{3}-[A-Z0-9]{3}-[0-9]{3}/X/[0-9a-f]{12}")]
    private static partial Regex ExceptionIds { get; }

    [GeneratedRegex("urn:uuid:[0-9a-f-]{36}(#[^\\s,]*)?")]
    private static partial Regex References { get; }

    [GeneratedRegex("body sha256:([0-9a-f]{64})")]
    private static partial Regex BodyDigest { get; }
}
