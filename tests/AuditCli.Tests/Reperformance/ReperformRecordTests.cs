using System.Text;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Tests.Reperformance;

/// <summary>
/// What a signer changes beside evidence and results: the record of the run, the log, what the bundle holds at all. Verification holds, and doing
/// the run again names it.
/// </summary>
public sealed class ReperformRecordTests(OneAccount account, RedactedSample sample)
    : IClassFixture<OneAccount>, IClassFixture<RedactedSample>, IDisposable
{
    private const string Log = "data/log.clef";
    private const string Run = "data/run.json";
    private const string Index = "data/evidence/index.jsonl";
    private const string Exchanges = "data/exchanges/prod/iam-aws-global.warc.gz";
    private const string Sts = "data/exchanges/prod/sts-aws-global.warc.gz";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>By name: the round, the change, and what must be said of it. Changes of one round do not hide each other.</summary>
    private static readonly Dictionary<string, (int Round, Action<string> Change, string Said)> Changes = new(StringComparer.Ordinal)
    {
        ["the log is emptied"] = (1, b => File.WriteAllBytes(Path.Combine(b, Log), []), "data/log.clef: line data/log.clef is empty -> nothing"),
        ["the log is removed"] = (2, b => File.Delete(Path.Combine(b, Log)), "data/log.clef: file nothing -> there"),
        ["a line of the log is removed"] = (
            5,
            b => Lines(b, Log, l => l.Where(t =>
                !t.Contains("\"Operation\":\"iam:ListUsers\",\"Account\"", StringComparison.Ordinal)
                || !t.Contains("\"Outcome\"", StringComparison.Ordinal))),
            "data/log.clef: iam:ListUsers 111122223333"),
        ["a line of the log is changed"] = (
            5,
            b => BundleForgery.Replace(b, Log, "\"Identity\":\"arn", "\"Identity\":\"nrn"), "data/log.clef: prod 111122223333 nrn"),
        ["a line of the log is added"] = (
            5,
            b => Lines(b, Log, l => l.Append(l.First(t => t.Contains("evidence items to collect", StringComparison.Ordinal)))),
            "evidence items to collect 2 times -> 1 times"),
        ["the log is cut off"] = (3, b => Lines(b, Log, l => l.Take(3)), "data/log.clef: Concluded 1 controls 0 times -> 1 times"),
        ["the log is no log"] = (
            4,
            b => File.WriteAllText(Path.Combine(b, Log), "nothing happened\n"), "data/log.clef: line data/log.clef:1 is not an event -> nothing"),
        ["the rules of evaluation are taken out"] = (
            9,
            b => BundleForgery.Replace(b, Run, "\"evaluation\":2,", ""),
            "data/run.json: stated rules none -> nothing"),
        ["a clock's offset is changed"] = (
            5,
            b => Edit(b, r => r["clock_offset_seconds"]!.AsObject()["127.0.0.1"] = -4000),
            "data/run.json: clock_offset_seconds 127.0.0.1 -4000 -> "),
        ["a clock's offset is removed"] = (
            6,
            b => Edit(b, r => r["clock_offset_seconds"] = new JsonObject()),
            "data/run.json: clock_offset_seconds 127.0.0.1 nothing -> "),
        ["a clock's offset in the index is changed"] = (
            6,
            b => BundleForgery.Replace(b, Index, "\"clock_offset_seconds\":0", "\"clock_offset_seconds\":86400"),
            ": clock_offset_seconds 86400 -> 0"),
        ["the tool's version is changed"] = (6, b => Edit(b, r => r["tool"]!["version"] = "9.9.9"), "data/run.json: tool auditcli 9.9.9 -> auditcli "),
        ["the tool's version is changed after the plus sign"] = (
            1,
            b => Edit(b, r => r["tool"]!["version"] = $"{Tool}+0123abcd"),
            "is byte for byte what this program writes, but run.json names a different program"),
        ["the tool's name is changed"] = (5, b => Edit(b, r => r["tool"]!["name"] = "othertool"), "data/run.json: tool othertool "),
        ["the tool's runtime is changed"] = (
            2,
            b => Edit(b, r => r["tool"]!["runtime"] = ".NET 99"),
            "is byte for byte what this program writes, but run.json names a different program"),
        ["the tool's system is changed"] = (
            3,
            b => Edit(b, r => r["tool"]!["system"] = "win-x64"),
            "is byte for byte what this program writes, but run.json names a different program"),
        ["the tool's version is changed wherever it is named"] = (4, b =>
        {
            Edit(b, r => r["tool"]!["version"] = "9.9.9");
            BundleForgery.Replace(b, "bag-info.txt", $"auditcli {Tool}", "auditcli 9.9.9");
            foreach (var file in new[] { Exchanges, Sts })
            {
                BundleForgery.EditExchanges(Path.Combine(b, file), r => r.Type == "warcinfo"
                    ? Honest(r, Text(r).Replace($"auditcli/{Tool}", "auditcli/9.9.9", StringComparison.Ordinal))
                    : r);
            }
        }, "is byte for byte what this program writes, but run.json names a different program"),
        ["the recorder of a file is changed"] = (
            7,
            b => BundleForgery.EditExchanges(Path.Combine(b, Exchanges), r => r.Type == "warcinfo"
                ? Honest(r, Text(r).Replace("auditcli/", "othercli/", StringComparison.Ordinal))
                : r),
            "data/exchanges/prod/iam-aws-global.warc.gz says otherwise"),
        ["a server's date is moved on"] = (7, b => Dated(b, 1, TimeSpan.FromDays(20)), ": Date 2"),
        ["a server's date is moved back"] = (1, b => Dated(b, 1, TimeSpan.FromDays(-20)), "data/run.json: clock_offset_seconds 127.0.0.1 "),
        ["all dates of servers are moved back"] = (3, b => Dated(b, int.MaxValue, TimeSpan.FromDays(-20)), "data/run.json: clock_offset_seconds 127.0.0.1 "),
        ["the run is moved to another day"] = (7, b => Edit(b, r =>
        {
            foreach (var member in new[] { "started", "finished" })
                r[member] = "2026-01-05T08:00:00Z";
        }), "data/exchanges: last request 2026-01-05T08:00:00Z -> "),
        ["the moment of the tests is changed"] = (6, b => Edit(b, r => r["as_of"] = "2026-01-05T08:00:00Z"), "data/run.json: as_of 2026-01-05T08:00:00Z -> "),
        ["the bundle has another name in its record"] = (6, b => Edit(b, r => r["bundle_id"] = "another"), "data/run.json: bundle_id another -> "),
        ["the identity of a target is changed"] = (
            5,
            b => Edit(b, r => r["targets"]![0]!["identity"] = "arn:aws:iam::111122223333:user/somebody"),
            "identity arn:aws:iam::111122223333:user/somebody -> "),
        ["the regions of a target are changed"] = (
            5,
            b => Edit(b, r => r["targets"]![0]!["regions"] = new JsonArray("us-east-1", "ap-south-1")),
            " regions 1 ap-south-1 -> nothing"),
        ["an exchange of a target is removed from the record"] = (
            6,
            b => Edit(b, r => r["targets"]![0]!["exchanges"]!.AsArray().Clear()), "data/run.json: targets prod"),
        ["an unusual endpoint is kept quiet"] = (
            6,
            b => Edit(b, r => r["unusual_endpoints"]!.AsArray().Clear()),
            "data/run.json: unusual_endpoints 0 nothing -> http://127.0.0.1"),
        ["the entity is another"] = (5, b => Edit(b, r => r["entity"] = "Another"), "data/run.json: entity Another -> "),
        ["the period is another"] = (5, b => Edit(b, r => r["period"]!["start"] = "2020-01-01"), "data/run.json: period start 2020-01-01 -> "),
        ["a note lies in the bundle"] = (1, b => File.WriteAllText(Path.Combine(b, "data/note.txt"), "all is well"), "data/note.txt: file there -> nothing"),
        ["a file of exchanges that nobody asked for is added"] = (
            2,
            b => File.Copy(Path.Combine(b, Exchanges), Path.Combine(b, "data/exchanges/prod/iam-aws-other.warc.gz")),
            "data/exchanges/prod/iam-aws-other.warc.gz: file there -> nothing"),
        ["something else lies with the exchanges"] = (
            3,
            b => File.WriteAllText(Path.Combine(b, "data/exchanges/prod/readme.txt"), "x"),
            "data/exchanges/prod/readme.txt: file there -> nothing"),
        ["a table that the index does not name is added"] = (
            4,
            b => File.Copy(Directory.GetFiles(Path.Combine(b, "data/tables"))[0], Path.Combine(b, "data/tables/other.ndjson.gz")),
            "data/tables/other.ndjson.gz: file there -> nothing"),
        ["a control that did not run is added"] = (
            5,
            b => File.Copy(Path.Combine(b, "data/controls/apd-aws-004.yaml"), Path.Combine(b, "data/controls/apd-aws-999.yaml")),
            "data/controls/apd-aws-999.yaml: file there -> nothing"),
        ["an input that nobody handed in is added"] = (
            4,
            b => Write(b, "data/inputs/other/other.csv", "a\n1\n"), "data/inputs/other/other.csv: file there -> nothing"),
        ["rows of a test that did not run are added"] = (
            5,
            b => File.WriteAllText(Path.Combine(b, "data/results/apd-aws-004.t9.ndjson"), ""),
            "data/results/apd-aws-004.t9.ndjson: file there -> nothing"),
        ["a line is added to the bag's description"] = (
            1,
            b => File.WriteAllLines(
                Path.Combine(b, "bag-info.txt"), File.ReadAllLines(Path.Combine(b, "bag-info.txt")).Append("External-Description: all is well")),
            "bag-info.txt: External-Description all is well -> nothing"),
        ["something lies before the record"] = (
            8,
            b => File.WriteAllText(Path.Combine(b, Run), " " + File.ReadAllText(Path.Combine(b, Run))),
            "data/run.json: form other bytes -> the record's own"),
        ["a report of one's own is added"] = (
            5,
            b => File.WriteAllText(Path.Combine(b, "data/reports/opinion.html"), "all is well"),
            "data/reports/opinion.html: file there -> nothing"),
    };

    /// <summary>One bundle for all changes of a round; in <c>.ci/long</c> one for each change besides.</summary>
    public static TheoryData<string> Rounds =>
        [.. Changes.Values.Select(c => $"round {c.Round}").Distinct(), .. LongRun.IsWhole ? Changes.Keys : Enumerable.Empty<string>()];

    private static string Tool => AuditCli.Tool.Version.Split('+')[0];

    [Theory]
    [MemberData(nameof(Rounds))]
    public async Task What_the_signer_changed_in_the_record_is_named(string which)
    {
        var bundle = BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, "copy"));
        var made = Changes.Where(c => c.Key == which || $"round {c.Value.Round}" == which).ToArray();
        foreach (var (_, (_, change, _)) in made)
            change(bundle);
        var result = await ResealedAsync(bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("bundle   verifies", result.Output, StringComparison.Ordinal);
        // Each has a line that speaks of no other, and that is more than a note.
        var lines = result.Output.Split('\n').Where(l => !l.StartsWith("note: ", StringComparison.Ordinal)).ToArray();
        var unsaid = made.Where(c => !lines.Any(l => made.Where(m => l.Contains(m.Value.Said, StringComparison.Ordinal)).SequenceEqual([c])));
        Assert.True(!unsaid.Any(), $"not named: {string.Join("; ", unsaid.Select(c => $"{c.Key} ('{c.Value.Said}')"))}\n{result}");
    }

    [Fact]
    public async Task A_record_of_rules_that_are_not_known_is_not_compared()
    {
        var bundle = BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, "copy"));
        Edit(bundle, r => r["evaluation"] = 99);
        var result = await ResealedAsync(bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("evaluated under rules 99, and this version knows those up to ", result.Output + result.Error, StringComparison.Ordinal);
    }

    /// <summary>All of them in <c>.ci/long</c>; here each digest and each type once.</summary>
    public static TheoryData<string> Digests => [.. LongRun.Sample(
    [
        "WARC-Block-Digest request", "WARC-Block-Digest response", "WARC-Payload-Digest request", "WARC-Payload-Digest response",
    ], 3)];

    [Theory]
    [MemberData(nameof(Digests))]
    public async Task A_record_without_its_digests_is_not_read_again(string which)
    {
        var (digest, type) = (which.Split(' ')[0], which.Split(' ')[1]);
        var bundle = BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, "copy"));
        BundleForgery.EditExchanges(Path.Combine(bundle, Exchanges), r => r.Type == type ? new([.. r.Fields.Where(f => f.Key != digest)], r.Block) : r);
        var result = await ResealedAsync(bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        var told = $"NOT COMPARED  {Exchanges}: <?urn:uuid:[^ ]* has no {digest}";
        Assert.True(System.Text.RegularExpressions.Regex.IsMatch(result.Output, told), result.ToString());

        _folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004") + $"\nreplay: {Path.Combine(bundle, "data/exchanges")}\n");
        var replay = await AuditCommand.RunAsync(_folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(replay.ExitCode == 1, replay.ToString());
        Assert.Contains($"has no {digest}", replay.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redactions_that_were_changed_moved_miscounted_or_removed_are_named()
    {
        var bundle = BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "copy"));
        var lines = IndexOf(bundle);
        var redacted = lines.Where(l => l["redactions"] is JsonArray { Count: > 1 }).ToArray();
        var first = redacted[0]["redactions"]!;
        first[0]!["digest"] = $"hmac-sha256:{new string('0', 64)}";
        first[1]!["pointer"] = first[1]!["pointer"]!.GetValue<string>() + "x";
        redacted[0]["redacted"] = 4711;
        redacted[1]["redactions"]!.AsArray().RemoveAt(0);
        WriteIndex(bundle, lines);
        var result = await ResealedAsync(bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        string[] said =
        [
            $"iam:ListVirtualMFADevices in {TargetOf(redacted[0])} aws-global: redactions 0 digest hmac-sha256:000",
            $"iam:ListVirtualMFADevices in {TargetOf(redacted[0])} aws-global: redactions 1 pointer ",
            $"iam:ListVirtualMFADevices in {TargetOf(redacted[0])} aws-global: redacted 4711 -> ",
            $"iam:ListVirtualMFADevices in {TargetOf(redacted[1])} aws-global: redactions 3 nothing -> ",
        ];
        foreach (var words in said)
            Assert.True(result.Output.Contains(words, StringComparison.Ordinal), $"{words}\n{result}");

        static string TargetOf(JsonObject line) => $"{line["target"]} {line["account"]}";
    }

    [Fact]
    public async Task Redactions_that_were_removed_with_what_the_record_says_of_them_leave_marks()
    {
        var bundle = BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "copy"));
        var lines = IndexOf(bundle);
        foreach (var line in lines)
        {
            line["redactions"] = new JsonArray();
            line.Remove("redacted");
        }
        foreach (var file in Directory.GetFiles(Path.Combine(bundle, "data/exchanges"), "*.warc.gz", SearchOption.AllDirectories))
        {
            using (var stream = File.OpenRead(file))
            {
                if (new WarcReader(stream).ReadAll().All(r => r.Record[WarcFormat.RedactedPayloadDigest] is null))
                    continue;
            }
            BundleForgery.EditExchanges(file, r => r[WarcFormat.RedactedPayloadDigest] is null
                ? r
                : new([.. r.Fields.Where(f => f.Key != WarcFormat.RedactedPayloadDigest)], r.Block));
        }
        WriteIndex(bundle, lines);
        var result = await ResealedAsync(bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.True(
            result.Output.Contains("contains redaction marks but is not recorded as redacted", StringComparison.Ordinal), result.ToString());
    }

    /// <summary>The engagement in the bundle says that it replays recordings, whatever the record says of its times.</summary>
    [Fact]
    public async Task A_replay_that_calls_itself_live_is_named()
    {
        var bundle = BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "live"));
        Edit(bundle, r =>
        {
            (r["started"], r["finished"]) = (r["recorded"]!["first"]!.DeepClone(), r["recorded"]!["last"]!.DeepClone());
            (r["mode"], r["recorded"]) = ("live", null);
        });
        var result = await ResealedAsync(bundle);
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.True(result.Output.Contains("data/run.json: mode live -> replay", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public async Task What_cannot_be_derived_is_said()
    {
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", account.Bundle, "--allow-unsigned");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("record   identical", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            "not derivable from the exchanges, so only the signer vouches for it: in run.json bundle_id, run_by, started, finished",
            result.Output,
            StringComparison.Ordinal);
    }

    private async Task<CommandResult> ResealedAsync(string bundle)
    {
        BundleForgery.Reseal(bundle);
        return await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--allow-unsigned");
    }

    private static JsonObject[] IndexOf(string bundle) => [.. File.ReadAllLines(Path.Combine(bundle, Index)).Select(l => JsonNode.Parse(l)!.AsObject())];

    private static void WriteIndex(string bundle, JsonObject[] lines)
    {
        var options = new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        File.WriteAllText(Path.Combine(bundle, Index), string.Concat(lines.Select(l => l.ToJsonString(options) + "\n")));
    }

    private static void Edit(string bundle, Action<JsonObject> change)
    {
        var path = Path.Combine(bundle, Run);
        var run = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(run);
        File.WriteAllText(path, run.ToJsonString());
    }

    private static void Lines(string bundle, string file, Func<string[], IEnumerable<string>> change)
    {
        var path = Path.Combine(bundle, file);
        var lines = File.ReadAllLines(path);
        string[] other = [.. change(lines)];
        Assert.NotEqual(lines, other);
        File.WriteAllLines(path, other);
    }

    private static void Write(string bundle, string file, string content)
    {
        var path = Path.Combine(bundle, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    /// <summary>Moves the dates that servers wrote into some answers, with honest digests.</summary>
    private static void Dated(string bundle, int most, TimeSpan by)
    {
        var left = most;
        foreach (var file in Directory.GetFiles(Path.Combine(bundle, "data/exchanges"), "*.warc.gz", SearchOption.AllDirectories).Where(_ => left > 0))
        {
            BundleForgery.EditExchanges(file, r =>
            {
                if (r.Type != "response" || left == 0)
                    return r;
                left--;
                var text = Text(r);
                var start = text.IndexOf("Date: ", StringComparison.Ordinal) + "Date: ".Length;
                var end = text.IndexOf("\r\n", start, StringComparison.Ordinal);
                var date = DateTimeOffset.Parse(text[start..end], System.Globalization.CultureInfo.InvariantCulture) + by;
                return Honest(r, text[..start] + date.ToString("r", System.Globalization.CultureInfo.InvariantCulture) + text[end..]);
            });
        }
    }

    private static string Text(WarcRecord record) => Encoding.UTF8.GetString(record.Block.Span);

    /// <summary>The record with another block, and the digest and length that go with it.</summary>
    private static WarcRecord Honest(WarcRecord record, string text)
    {
        var block = Encoding.UTF8.GetBytes(text);
        return new([.. record.Fields.Select(f => f.Key switch
        {
            "WARC-Block-Digest" => new(f.Key, $"sha256:{Digest.Of(block)}"),
            "Content-Length" => new(f.Key, $"{block.Length}"),
            _ => f,
        })], block);
    }
}

/// <summary>A run of the one control of the sample whose evidence holds what is redacted.</summary>
public sealed class RedactedSample : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Bundle { get; private set; } = "";

    public async Task InitializeAsync()
    {
        var run = await AuditCommand.RunAsync(
            _folder.Path, "run", Repository.Path("samples", "engagement.yaml"), "--control", "APD-AWS-001", "--out", "out");
        Assert.True(run.ExitCode is 0 or 2 or 3, run.ToString());
        Bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}
