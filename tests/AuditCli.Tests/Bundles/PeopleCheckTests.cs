using System.Globalization;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using AuditCli.Tests.Commands;

namespace AuditCli.Tests.Bundles;

/// <summary>Edits concluded bundles, consistently, so that every digest agrees.</summary>
public sealed class PeopleCheckTests(AskedBundle asked) : IClassFixture<AskedBundle>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Edits => new()
    {
        { "a sheet", "data/people/1.csv is not the sheet that data/run.json names" },
        { "a sheet and its digest", "and the sheets and the collected bundle give" },
        { "the answerer", "who reviews this audit; another person must answer" },
        { "the reference", "reference must say where a 'yes' can be checked" },
        { "no sheet", "and the sheets and the collected bundle give" },
        { "another sheet", "data/people/2.csv is a sheet that data/run.json does not name" },
        { "the conclusion", "OPS-XSR-901" },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public async Task What_people_are_said_to_have_answered_is_what_their_sheets_say(string edit, string words)
    {
        var bundle = await ConcludeAsync();
        var (sheet, run, results) = (At("people", "1.csv"), At("run.json"), At("results", "results.json"));
        switch (edit)
        {
            case "a sheet":
                Replace(sheet, ",yes,", ",no,");
                break;
            case "a sheet and its digest":
                Replace(sheet, ",yes,", ",no,");
                Name(sheet);
                break;
            case "the answerer":
                Replace(sheet, "A. Preparer", "R. Reviewer");
                Name(sheet);
                Replace(results, "\"answered_by\":\"A. Preparer\"", "\"answered_by\":\"R. Reviewer\"");
                break;
            case "the reference":
                Replace(sheet, ",ticket 7,", ",,");
                Name(sheet);
                Replace(results, ",\"reference\":\"ticket 7\"", "");
                break;
            case "no sheet":
                Directory.Delete(Path.GetDirectoryName(sheet)!, recursive: true);
                Edit(r => r["concluded"]!["sheets"] = new JsonArray());
                break;
            case "another sheet":
                File.Copy(sheet, At("people", "2.csv"));
                break;
            default:
                Replace(results, "\"conclusion\":\"NEEDS_REVIEW\"", "\"conclusion\":\"PASS\"");
                break;
        }
        BundleForgery.Reseal(bundle);
        foreach (var command in new string[][] { ["show", bundle], ["report", bundle, "--format", "md", "--allow-unsigned"], ["query", bundle] })
        {
            var result = await AuditCommand.RunAsync(_folder.Path, command);
            Assert.True(result.ExitCode is 1 or 2, result.ToString());
            Assert.Contains(words, result.Error, StringComparison.Ordinal);
        }
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 2, again.ToString());

        string At(params string[] parts) => Path.Combine([bundle, "data", .. parts]);

        void Name(string file) => Edit(r => r["concluded"]!["sheets"]![0]!["sha256"] = Digest.Of(File.ReadAllBytes(file)).Hex);

        void Edit(Action<JsonNode> change)
        {
            var record = JsonNode.Parse(File.ReadAllText(run))!;
            change(record);
            File.WriteAllText(run, record.ToJsonString());
        }
    }

    [Theory]
    [InlineData("data/evil/any.bin")]
    [InlineData("data/inputs/q/q.csv")]
    [InlineData("data/tables/a.ndjson.gz")]
    [InlineData("data/exchanges/prod/zz.warc.gz")]
    [InlineData("data/results/zz.ndjson")]
    public async Task A_file_that_concluding_does_not_create_is_found(string file)
    {
        var bundle = await ConcludeAsync();
        var path = Path.Combine(bundle, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, "a\n");
        BundleForgery.Reseal(bundle);
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 2, again.ToString());
        Assert.Contains(file, again.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bytes", "has ")]
    [InlineData("units", "read other accounts than its record says")]
    [InlineData("started", "gives other times of ")]
    public async Task A_list_of_shards_that_says_something_else_of_one_is_found_when_the_conclusion_is_repeated(string member, string words)
    {
        var bundle = await ConcludeAsync();
        var list = Path.Combine(bundle, "data", "shards.jsonl");
        var line = JsonNode.Parse(await File.ReadAllTextAsync(list))!;
        line[member] = member switch
        {
            "bytes" => 5,
            "units" => new JsonArray(new JsonObject { ["target"] = "prod", ["account"] = "111122223333" }),
            _ => "2020-01-01T00:00:00Z",
        };
        await File.WriteAllTextAsync(list, line.ToJsonString() + "\n");
        BundleForgery.Reseal(bundle);
        var again = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 2, again.ToString());
        Assert.Contains(words, again.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ghp_16C7e42F292c6912E7710c838347Ae178B4a.csv", null, "the name of a sheet holds what looks like a credential")]
    [InlineData("answers.csv", "https://ghp_16C7e42F292c6912E7710c838347Ae178B4a/x", "--archives-at holds what looks like a credential")]
    public async Task A_credential_in_a_name_or_an_address_is_not_sealed(string name, string? at, string words)
    {
        var sheet = _folder.Write(name, asked.Fill("answers.csv", ("OPS-XSR-901,H1", $"yes,ticket 7,,A. Preparer,{Now}")));
        string[] more = at is null ? [] : ["--archives-at", at];
        var result = await AuditCommand.RunAsync(_folder.Path, ["conclude", asked.Bundle, "--sheet", sheet, "--allow-unsigned", "--out", "out", .. more]);
        Assert.True(result.ExitCode is 1 or 2, result.ToString());
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "out")) && Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, "out")).Any());
    }

    [Theory]
    [InlineData("R. Reviewer", "r reviewer", true)]
    [InlineData("R. Reviewer", "Reviewer, R.", true)]
    [InlineData("R. Reviewer", "\uff32.\uff32eviewer", true)]
    [InlineData("R. Reviewer", "R. Reviews", false)]
    [InlineData("R. Reviewer", "Reviewer", false)]
    public void Names_are_the_same_by_their_words(string one, string other, bool same) => Assert.Equal(same, PersonName.IsSame(one, other));

    public void Dispose() => _folder.Dispose();

    private static string Now => DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    private async Task<string> ConcludeAsync()
    {
        var sheet = _folder.Write("answers.csv", asked.Fill("answers.csv", ("OPS-XSR-901,H1", $"yes,ticket 7,,A. Preparer,{Now}")));
        var done = await AuditCommand.RunAsync(_folder.Path, "conclude", asked.Bundle, "--sheet", sheet, "--allow-unsigned", "--out", "out");
        Assert.True(done.ExitCode == 0, done.ToString());
        return AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
    }

    private static void Replace(string file, string what, string with)
    {
        var text = File.ReadAllText(file);
        Assert.Contains(what, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(what, with, StringComparison.Ordinal));
    }
}
