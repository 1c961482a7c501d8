using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using AuditCli.Bundles;
using AuditCli.Lookup;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Lookup;

/// <summary>Traces every exception of the sample, from each report, to the one place in the raw evidence on which it is based.</summary>
public sealed partial class TraceTests(SampleRun sample) : IClassFixture<SampleRun>
{
    private readonly AuditHost _host = AuditCommand.Host(sample.Folder);
    private readonly OpenedBundle _opened = Opened(sample.Bundle);

    /// <summary>Suffixes of items that name which of several attributes is tested.</summary>
    private static readonly string[] Suffixes = ["age", "use"];

    [Fact]
    public void Workbook_page_card_show_and_oscal_name_the_same_place_for_every_exception()
    {
        var rows = Exceptions();
        Assert.InRange(rows.Length, 30, 100);
        Assert.All(
            Enum.GetValues<ItemVerdict>().Where(v => v is ItemVerdict.Deviation or ItemVerdict.Approved or ItemVerdict.Undetermined),
            v => Assert.Contains(rows, r => r.Verdict == v));
        var (workbook, page, oscal) = (Workbook(), Page(), Oscal());
        Assert.Equal(rows.Length, workbook.Length);
        Assert.Equal(rows.Length, page.Length);
        Assert.Equal(rows.Length, oscal.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var (row, place) = (rows[i], workbook[i]);
            Assert.DoesNotContain("data/inputs/", place, StringComparison.Ordinal);
            Assert.Equal(place, page[i]);
            Assert.Equal(place, oscal[i]);
            Assert.Equal(place, ReferencesOf(row)[0].GetProperty("reference").GetString());
            var line = Shown(row).Split('\n').First(l => l.StartsWith("raw evidence ", StringComparison.Ordinal));
            Assert.Equal(place, References.Match(line).Value);
            Assert.Equal(place, References.Match(Card(row).Split("<h2>Raw evidence</h2>")[1]).Value);
        }
    }

    [Fact]
    public void The_place_holds_the_object_that_was_tested()
    {
        foreach (var (row, place) in Exceptions().Zip(Workbook()))
        {
            var (record, pointer) = place.Split('#', 2) is [var r, var p] ? (r, p) : (place, "");
            var exchange = FoundExchange.Of(_opened, record, [], CancellationToken.None)!.Recorded.Exchange;
            var names = row.Item.Split(' ', '/').Where(w => w.Length > 4 && !Suffixes.Contains(w)).Append(row.Item)
                .Concat(row.AttributeValues().Where(a => a.Key is "work_email").Select(a => a.Value.Text)).ToArray();
            if (row.Verdict == ItemVerdict.Undetermined)
            {
                Assert.Contains(" 403 ", exchange.Response!.StartLine, StringComparison.Ordinal);
                Assert.Contains(names, n => exchange.Uri.OriginalString.Contains(n, StringComparison.Ordinal));
                continue;
            }
            var part = pointer.Length == 0 ? Encoding.UTF8.GetString(exchange.Response!.Body.Span) : AnswerPart.Of(exchange.Response!.Body, pointer);
            Assert.True(part is not null, $"{row.Control} {row.Item}: nothing is at {place}");
            // The response to a request about a single resource does not repeat its name, so the URI is searched too.
            var asked = pointer.Length == 0 ? exchange.Uri.OriginalString : "";
            Assert.True(
                names.Any(n => part.Contains(n, StringComparison.Ordinal) || asked.Contains(n, StringComparison.Ordinal)),
                $"{row.Control} {row.Item}: {place} is {part[..Math.Min(300, part.Length)]}");
        }
    }

    [Theory]
    [InlineData("APD-AWS-002", "arn:aws:iam::444455556666:user/lukas.berg", "credential_report", "mfa_active: false")]
    [InlineData("APD-AWS-006", "arn:aws:iam::111122223333:role/OrgAdmin", "auth_details", "arn:aws:iam::aws:policy/AdministratorAccess")]
    [InlineData("APD-GCP-002", "settlement@nq-ledger-prod.iam.gserviceaccount.com/c08b5f7712", "keys", "USER_MANAGED")]
    [InlineData("APD-K8S-001", "User lukas.berg@northquay.example", "rights", "migration-2026-07")]
    [InlineData("APD-XSR-001", "E-1042/kubernetes", "kubernetes_bindings", "jonas.keller@northquay.example")]
    [InlineData("APD-XSR-001", "E-1077/gcp/projects/nq-ledger-prod/user:mira.solano@northquay.example", "gcp_policy_changes", "REMOVE")]
    [InlineData("INF-AWS-002", "eu-west-1/sg-b7276023f760f9c71", "security_groups", "::/0")]
    [InlineData("INF-K8S-002", "settlement/Pod/debug-lukas/shell", "containers", "docker.sock")]
    public void The_provider_s_answer_with_the_tested_value_comes_first(string control, string item, string table, string value)
    {
        var row = Exceptions().First(r => r.Control == control && r.Item == item);
        var first = ReferencesOf(row)[0];
        Assert.Equal(table, first.GetProperty("name").GetString());
        Assert.Equal("answer", first.GetProperty("kind").GetString());
        var exchange = Json(first.GetProperty("reference").GetString()!).GetProperty("exchange");
        var at = exchange.GetProperty("at");
        Assert.Contains(value, at.ValueKind == JsonValueKind.String ? at.GetString()! : at.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_item_that_could_not_be_determined_leads_to_the_call_that_was_refused()
    {
        foreach (var row in Exceptions().Where(r => r.Verdict == ItemVerdict.Undetermined))
        {
            var first = ReferencesOf(row)[0];
            Assert.Equal("refused", first.GetProperty("kind").GetString());
            Assert.Equal("policy_status", first.GetProperty("name").GetString());
            Assert.Contains("(not read: AccessDenied, HTTP 403)", Shown(row), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Approvals_come_after_what_the_provider_answered()
    {
        foreach (var row in Exceptions().Where(r => r.Verdict == ItemVerdict.Approved))
        {
            var kinds = ReferencesOf(row).Select(r => r.GetProperty("kind").GetString()).ToArray();
            Assert.NotEqual("register", kinds[0]);
            Assert.Equal("register", kinds[^1]);
        }
    }

    [Fact]
    public void A_row_that_is_a_whole_answer_is_shown_as_the_element_that_fits()
    {
        var shown = Shown(Exceptions().First(r => r.Control == "APD-AWS-006" && r.Item == "arn:aws:iam::444455556666:role/OrgAdmin"));
        Assert.Contains("RoleDetailList/1: ", shown, StringComparison.Ordinal);
        Assert.Contains("RoleName: OrgAdmin", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("UserDetailList: [", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("c5bfd39532a7")]
    [InlineData("C5BF")]
    [InlineData("X/c5bfd3")]
    [InlineData("apd-xsr-001/x/c5bf")]
    [InlineData("e-1042/KUBERNETES")]
    public void An_exception_is_found_by_its_first_digits_or_its_name_in_any_case(string words)
    {
        var items = Json(words).GetProperty("items");
        Assert.Equal("APD-XSR-001/X/c5bfd39532a7", items[0].GetProperty("exception_id").GetString());
    }

    [Fact]
    public async Task A_name_that_several_have_is_not_guessed()
    {
        var result = await AuditCommand.RunAsync(sample.Folder, "show", sample.Bundle, "OrgAdmin");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("name one of them: APD-AWS-006 arn:aws:iam::444455556666:role/OrgAdmin", result.Error, StringComparison.Ordinal);
        var json = Json("apd-aws-002", "LUKAS.berg");
        Assert.Equal("arn:aws:iam::444455556666:user/lukas.berg", json.GetProperty("items")[0].GetProperty("item").GetString());
    }

    [Fact]
    public void A_card_marks_the_tested_column_reads_the_report_and_says_how_it_is_read_again()
    {
        var card = Card(Exceptions().First(r => r.Control == "APD-AWS-002" && r.Verdict == ItemVerdict.Deviation));
        Assert.Contains("<mark>mfa_active</mark></th><td><mark>false</mark>", card, StringComparison.Ordinal);
        Assert.Contains("mfa_active: false", card, StringComparison.Ordinal);
        Assert.Contains("auditcli call aws iam:GetCredentialReport --engagement ENGAGEMENT --target dev", card, StringComparison.Ordinal);
        Assert.Contains("auditcli call aws iam:ListMFADevices UserName=lukas.berg --engagement ENGAGEMENT --target dev", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Oscal_has_an_observation_per_item_with_subject_time_and_hashed_evidence()
    {
        var results = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(sample.Bundle, "data/reports/results.oscal.json")))
            .RootElement.GetProperty("assessment-results");
        var rows = Rows().ToArray();
        var result = results.GetProperty("results")[0];
        var observations = result.GetProperty("observations").EnumerateArray().ToArray();
        Assert.Equal(rows.Length, observations.Length);
        var items = result.GetProperty("local-definitions").GetProperty("inventory-items").EnumerateArray()
            .Select(i => i.GetProperty("uuid").GetString()).ToHashSet();
        Assert.Equal(rows.Select(r => (r.Target, r.Account, r.Item)).Distinct().Count(), items.Count);
        var resources = results.GetProperty("back-matter").GetProperty("resources").EnumerateArray().ToDictionary(
            r => $"#{r.GetProperty("uuid").GetString()}", r => (Title: r.GetProperty("title").GetString()!, Link: r.GetProperty("rlinks")[0]));
        var end = result.GetProperty("end").GetString();
        Assert.All(observations, o =>
        {
            Assert.Contains(o.GetProperty("subjects")[0].GetProperty("subject-uuid").GetString(), items);
            Assert.NotEqual(end, o.GetProperty("collected").GetString());
            Assert.All(
                o.GetProperty("relevant-evidence").EnumerateArray(),
                e => Assert.Contains(e.GetProperty("links")[0].GetProperty("href").GetString()!, resources.Keys));
        });
        Assert.Contains(resources.Values, r => r.Title.EndsWith(".warc.gz", StringComparison.Ordinal));
        foreach (var (title, link) in resources.Values)
        {
            var file = Path.GetFullPath(Path.Combine(sample.Bundle, "data/reports", link.GetProperty("href").GetString()!));
            Assert.Equal(Path.Combine(sample.Bundle, title.Replace("\\", "", StringComparison.Ordinal)), file);
            Assert.Equal(Evidence.Digest.Of(File.ReadAllBytes(file)).Hex, link.GetProperty("hashes")[0].GetProperty("value").GetString());
        }
        Assert.Equal("data/engagement.yaml", resources[results.GetProperty("import-ap").GetProperty("href").GetString()!].Title);
    }

    private IEnumerable<PopulationRow> Rows()
    {
        return _opened.Results.Controls.SelectMany(c => OpenedBundle.TestsOf(c).SelectMany(t => _opened.Rows(c.Id, t)));
    }

    private static OpenedBundle Opened(string path)
    {
        var files = BundleFolder.Sealed(path);
        return OpenedBundle.Open(files, files.Read(Evidence.Bundles.BundleLayout.Run));
    }

    private PopulationRow[] Exceptions() => [.. Rows().Where(r => r.Verdict != ItemVerdict.Pass)];

    /// <summary>Returns the first reference of each line of the workbook's exceptions sheet.</summary>
    private string[] Workbook()
    {
        using var zip = ZipFile.OpenRead(Path.Combine(sample.Bundle, "data/reports/workpaper.xlsx"));
        var sheet = zip.Entries.Where(e => e.FullName.Contains("worksheets", StringComparison.Ordinal)).Select(e => XDocument.Load(e.Open()))
            .First(x => Cells(x.Descendants().First(e => e.Name.LocalName == "row")).Contains("raw evidence (record id # place in the response)"));
        return [.. sheet.Descendants().Where(e => e.Name.LocalName == "row").Skip(1).Select(r => References.Match(Cells(r)[9]).Value)];

        static string[] Cells(XElement row) =>
            [.. row.Elements().Select(c => string.Concat(c.Descendants().Where(d => d.Name.LocalName is "t" or "v").Select(d => d.Value)))];
    }

    private string[] Page() =>
    [
        .. File.ReadAllText(Path.Combine(sample.Bundle, "data/reports/report.html")).Split("<details class=\"exception\"").Skip(1)
            .Select(d => WebUtility.HtmlDecode(References.Match(d.Split("<dt>Record and place</dt>")[1]).Value)),
    ];

    private string[] Oscal() =>
    [
        .. JsonDocument.Parse(File.ReadAllBytes(Path.Combine(sample.Bundle, "data/reports/results.oscal.json")))
            .RootElement.GetProperty("assessment-results").GetProperty("results")[0]
            .GetProperty("observations").EnumerateArray().Where(o => o.GetProperty("types")[0].GetString() == "finding")
            .Select(o => o.GetProperty("relevant-evidence")[0].GetProperty("props").EnumerateArray()
                .First(p => p.GetProperty("name").GetString() == "reference").GetProperty("value").GetString()!),
    ];

    private JsonElement[] ReferencesOf(PopulationRow row) =>
    [
        .. Json(row.Control, row.Test, row.Item).GetProperty("items").EnumerateArray()
            .First(i => i.GetProperty("account").GetString() == row.Account)
            .GetProperty("references").EnumerateArray(),
    ];

    private string Shown(PopulationRow row)
    {
        using var output = new StringWriter();
        var items = Assert.IsType<Selection.OfItems>(Selected(Words(row)));
        var text = new ShowText(output, _opened, sample.Bundle);
        foreach (var item in items.Rows)
            text.Item(ItemView.Of(_opened, _host, items.Control, item, CancellationToken.None));
        return output.ToString();
    }

    private string Card(PopulationRow row)
    {
        var item = Assert.IsType<Selection.OfItems>(Selected(Words(row)));
        var card = EvidenceCard.Of(_opened, _host, ItemView.Of(_opened, _host, item.Control, Assert.Single(item.Rows), CancellationToken.None));
        return WebUtility.HtmlDecode(card).Replace("<tr><th scope=\"row\">", "\n", StringComparison.Ordinal);
    }

    private static string[] Words(PopulationRow row) => row.ExceptionId is { } id ? [id] : [row.Control, row.Test, row.Item];

    private JsonElement Json(params string[] words)
    {
        using var output = new StringWriter();
        using (var json = new ShowJson(output, _opened, _host))
        {
            var selection = Selected(words);
            var exchange = selection is Selection.OfExchange(var named, _) ? FoundExchange.Of(_opened, named, [], CancellationToken.None) : null;
            json.Write(selection, exchange, mostItems: 20, CancellationToken.None);
        }
        return JsonElement.Parse(output.ToString());
    }

    private Selection Selected(string[] words)
    {
        var (found, wrong) = Selection.Of(_opened, [.. words]);
        Assert.True(found is not null, wrong);
        return found;
    }

    [GeneratedRegex("(urn:uuid:[0-9a-f-]{36}(#[^\\s,<]*)?|data/inputs/[^\\s<]*)")]
    private static partial Regex References { get; }
}
