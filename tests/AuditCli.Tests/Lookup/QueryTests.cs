using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Lookup;

/// <summary>Tests a user's own SQL on a bundle: every query works, and none reaches anything outside the bundle.</summary>
public sealed class QueryTests(SampleRun sample, HostileRun hostile) : IClassFixture<SampleRun>, IClassFixture<HostileRun>
{
    [Theory]
    [InlineData("SELECT * FROM read_text('/etc/passwd')")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM '/etc/passwd'")]
    [InlineData("SELECT * FROM glob('/*')")]
    [InlineData("SELECT * FROM read_parquet('https://example.com/x.parquet')")]
    [InlineData("SELECT * FROM query('SELECT content FROM read_text(''/etc/passwd'')')")]
    [InlineData("COPY (SELECT 1) TO 'written.csv'")]
    [InlineData("ATTACH 'written.db'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("SET enable_external_access = true")]
    [InlineData("CREATE TABLE x AS SELECT 1")]
    [InlineData("SELECT 1; COPY (SELECT 1) TO 'written.csv'")]
    public async Task No_file_network_or_setting_can_be_reached(string sql)
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(folder.Path, "query", sample.Bundle, sql);
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.StartsWith("the SQL cannot be run: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("root:", result.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    /// <summary>A table that was read and has no rows is a table of no rows to SQL, and to show, although it has no file.</summary>
    [Fact]
    public async Task A_table_without_rows_is_queried_and_shown_as_one()
    {
        var tables = EvidenceIndex.Items(sample.Bundle).SelectMany(i => i.Names.Select(n => (n.Control, n.Name, Item: i)))
            .ToLookup(t => (t.Control, t.Name), t => t.Item);
        var empty = tables.Where(t => t.All(i => i.Table is null) && t.Any(i => !i.Columns.IsEmpty)).ToArray();
        var named = empty.Select(t => $"\"{t.Key.Control}\".{t.Key.Name}")
            .Concat(tables.Where(t => t.Any(i => i.IsPerParent) && t.All(i => i.Calls is null)).Select(t => $"\"{t.Key.Control}\".{t.Key.Name}__calls"))
            .ToArray();
        Assert.NotEmpty(named);
        var result = await AuditCommand.RunAsync(
            sample.Folder, "query", sample.Bundle, string.Join(" UNION ALL ", named.Select(n => $"SELECT count(*) FROM {n}")), "--format", "csv");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(named.Select(_ => "0"), result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(l => l.Trim()));
        var id = empty[0].First().EvidenceId;
        var shown = await AuditCommand.RunAsync(sample.Folder, "show", sample.Bundle, id);
        Assert.True(shown.ExitCode == 0, shown.ToString());
        Assert.Contains(": 0 rows", shown.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SELECT * FROM users", "did you mean \"APD-AWS-002\".users")]
    [InlineData("SELECT * FROM results.itms", "did you mean 'items'")]
    [InlineData("SELECT * FROM \"APD-AWS-003\".users", "did you mean \"APD-AWS-002\".users")]
    [InlineData("SELECT nobody FROM results.items", "nobody")]
    [InlineData("SELEC 1", "syntax error")]
    [InlineData("SELECT * FROM APD-AWS-002.users", "; a name with '-' needs double quotes: \"APD-AWS-002\".")]
    [InlineData("SELECT * FROM read_csv('users.csv')", "; SQL may not read files, only the bundle's tables")]
    [InlineData("SELECT $read_from", "$read_from has no value here; known are $as_of, $period_end, $period_start, and the values of a control's own")]
    [InlineData("SELECT 1 FROM \"APD-AWS-002\".period_days", "did you mean period_days?")]
    public async Task Wrong_sql_is_told_what_is_there(string sql, string hint)
    {
        var result = await AuditCommand.RunAsync(sample.Folder, "query", sample.Bundle, sql);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(hint, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_help_lists_every_verdict()
    {
        var help = await AuditCommand.RunAsync(sample.Folder, "query", "--help");
        Assert.Contains("pass, deviation, approved, undetermined, indicated", help.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_was_changed_after_sealing_is_not_answered_from()
    {
        using var folder = new TemporaryFolder();
        var copy = BundleForgery.Copy(sample.Bundle, folder.Path);
        var table = Directory.GetFiles(Path.Combine(copy, "data", "tables"), "aws-ec2-describesecuritygroups-*.ndjson.gz")[0];
        BundleForgery.ReplaceInTable(table, "\"GroupName\":\"default\"", "\"GroupName\":\"x\"");
        BundleForgery.Reseal(copy);
        var result = await AuditCommand.RunAsync(folder.Path, "query", copy, "SELECT * FROM \"INF-AWS-002\".security_groups");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("aws-ec2-describesecuritygroups-", result.Error, StringComparison.Ordinal);
        // A table that neither the SQL nor a register names is not read, so its forgery goes unnoticed here.
        Assert.Equal(0, (await AuditCommand.RunAsync(folder.Path, "query", copy, "SELECT * FROM results.controls")).ExitCode);
    }

    [Fact]
    public async Task Without_sql_every_table_is_listed_and_each_can_be_asked()
    {
        var list = await AuditCommand.RunAsync(sample.Folder, "query", sample.Bundle);
        Assert.Equal(0, list.ExitCode);
        var tables = list.Output.Split('\n').Where(l => l.Length > 0 && l[0] != ' ').Select(l => l.Split("  ")[0]).ToArray();
        Assert.Contains("\"APD-AWS-002\".mfa_devices__calls", tables);
        Assert.Contains("results.items", tables);
        var sql = string.Join(" UNION ALL ", tables.Select(t => $"SELECT '{t}' AS name, count(*) AS n FROM {t}"));
        var counted = await AuditCommand.RunAsync(sample.Folder, "query", sample.Bundle, sql, "--format", "json");
        Assert.True(counted.ExitCode == 0, counted.ToString());
        foreach (var row in JsonElement.Parse(counted.Output).EnumerateArray())
        {
            var line = list.Output.Split('\n').Single(l => l.Split("  ")[0] == row.GetProperty("name").GetString());
            if (line.Contains("  ", StringComparison.Ordinal))
                Assert.Contains($"  {row.GetProperty("n").GetInt64()} row", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Items_counted_in_sql_are_those_of_the_results()
    {
        var answer = await JsonAsync(
            "SELECT control, count(DISTINCT (account, item)) AS population FROM results.items JOIN results.controls c USING (control) "
            + "WHERE c.population IS NOT NULL GROUP BY ALL ORDER BY ALL");
        var results = SampleTests.Results(sample.Bundle).GetProperty("controls").EnumerateArray()
            .Where(c => c.GetProperty("population") is { ValueKind: JsonValueKind.Number } n && n.GetInt64() > 0);
        Assert.Equal(
            results.Select(c => (c.GetProperty("id").GetString(), c.GetProperty("population").GetInt64())),
            answer.EnumerateArray().Select(r => (r.GetProperty("control").GetString(), r.GetProperty("population").GetInt64())));
    }

    [Fact]
    public async Task The_days_and_moments_of_the_run_are_there_as_for_its_controls()
    {
        var asOf = SampleTests.Results(sample.Bundle).GetProperty("parameters").GetProperty("as_of").GetString();
        var answer = Assert.Single((await JsonAsync(
            "SELECT min(starts_at) = $period_start AND max(ends_at) = $period_end AS whole, "
            + "count(*) = date_diff('day', $period_start, $period_end) AS daily, "
            + $"$as_of = '{asOf}'::TIMESTAMPTZ AS moment, item('a b', 'c') AS item FROM period_days")).EnumerateArray());
        Assert.Equal("""{"whole":true,"daily":true,"moment":true,"item":"a%20b c"}""", answer.ToString());
    }

    [Fact]
    public async Task A_row_can_be_followed_to_its_exchange_in_sql()
    {
        var answer = await JsonAsync("""
            SELECT u.UserName, e.operation, e.status, e.file FROM "APD-AWS-002".users u JOIN evidence.exchanges e ON e.record_id = split_part(u._ref, '#', 1)
            WHERE u.UserName = 'lukas.berg'
            """);
        var row = Assert.Single(answer.EnumerateArray().Select(r => r.ToString()).Distinct());
        Assert.Equal("""{"UserName":"lukas.berg","operation":"iam:ListUsers","status":200,"file":"data/exchanges/dev/iam-aws-global.warc.gz"}""", row);
    }

    [Fact]
    public async Task Csv_and_json_go_to_a_file_that_is_never_overwritten()
    {
        using var folder = new TemporaryFolder();
        string[] command =
        [
            "query", sample.Bundle, "SELECT 'a,\"b\"' AS text, NULL AS nothing, -1 AS number, '-1' AS formula",
            "--format", "csv", "--out", "answer.csv",
        ];
        Assert.Equal(0, (await AuditCommand.RunAsync(folder.Path, command)).ExitCode);
        Assert.Equal("text,nothing,number,formula\r\n\"a,\"\"b\"\"\",,-1,'-1\r\n", await File.ReadAllTextAsync(Path.Combine(folder.Path, "answer.csv")));
        Assert.Equal(1, (await AuditCommand.RunAsync(folder.Path, command)).ExitCode);
    }

    [NeedsFact("node")]
    public async Task Parquet_is_read_by_an_independent_reader_with_the_values_and_the_origin()
    {
        using var folder = new TemporaryFolder();
        const string Sql = """
            SELECT control, test, verdict, count(*) AS n, 12.50::DECIMAL(9,2) AS price, DATE '2026-01-31' AS day,
                TIMESTAMPTZ '2026-01-31 10:00:00+00' AS moment,
                true AS yes, NULL::VARCHAR AS nothing, [1, 2] AS list, 0.1::DOUBLE AS tenth FROM results.items GROUP BY ALL ORDER BY ALL
            """;
        var result = await AuditCommand.RunAsync(folder.Path, "query", sample.Bundle, Sql, "--format", "parquet", "--out", "it's.parquet");
        Assert.True(result.ExitCode == 0, result.ToString());
        var read = await AuditCommand.OtherAsync(Repository.Path("tests", "tools"), "node", "parquet-read.mjs", Path.Combine(folder.Path, "it's.parquet"));
        Assert.True(read.ExitCode == 0, read.ToString());
        var file = JsonElement.Parse(read.Output);
        Assert.Equal(Path.GetFileName(sample.Bundle), file.GetProperty("metadata").GetProperty("auditcli_bundle").GetString());
        var expected = (await JsonAsync(Sql)).EnumerateArray().ToArray();
        var rows = file.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(expected.Length, rows.Length);
        foreach (var (row, wanted) in rows.Zip(expected))
        {
            foreach (var column in new[] { "control", "test", "verdict" })
                Assert.Equal(wanted.GetProperty(column).GetString(), row.GetProperty(column).GetString());
            Assert.Equal(wanted.GetProperty("n").GetInt64(), row.GetProperty("n").GetInt64());
            Assert.Equal(12.5m, row.GetProperty("price").GetDecimal());
            Assert.Equal(0.1, row.GetProperty("tenth").GetDouble());
            Assert.True(row.GetProperty("yes").GetBoolean());
            Assert.Equal(JsonValueKind.Null, row.GetProperty("nothing").ValueKind);
            Assert.Equal("[1,2]", row.GetProperty("list").GetString());
            Assert.StartsWith("2026-01-31T00:00:00", row.GetProperty("day").GetString(), StringComparison.Ordinal);
            Assert.StartsWith("2026-01-31T10:00:00", row.GetProperty("moment").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Hostile_names_are_answered_harmlessly()
    {
        HostileRun.IsHarmless((await AuditCommand.RunAsync(hostile.Folder, "query", hostile.Bundle)).Output);
        var text = await AuditCommand.RunAsync(hostile.Folder, "query", hostile.Bundle, "FROM results.items");
        Assert.Equal(0, text.ExitCode);
        HostileRun.IsHarmless(text.Output);
        var csv = await AuditCommand.RunAsync(
            hostile.Folder, "query", hostile.Bundle, $"SELECT name, note FROM \"{HostileRun.Control}\".names", "--format", "csv");
        Assert.DoesNotMatch("(^|,|\n)\"?[=+@-]", csv.Output);
        Assert.Contains("'=cmd|", csv.Output, StringComparison.Ordinal);
        var json = await AuditCommand.RunAsync(hostile.Folder, "query", hostile.Bundle, $"SELECT name FROM \"{HostileRun.Control}\".names", "--format", "json");
        var names = JsonElement.Parse(json.Output).EnumerateArray().Select(r => r.GetProperty("name").GetString()).ToArray();
        foreach (var name in new[] { HostileRun.Formula, HostileRun.Markup, HostileRun.Escape, HostileRun.Direction, HostileRun.Long })
            Assert.Contains(name, names);
    }

    private async Task<JsonElement> JsonAsync(string sql)
    {
        var result = await AuditCommand.RunAsync(sample.Folder, "query", sample.Bundle, sql, "--format", "json");
        Assert.True(result.ExitCode == 0, result.ToString());
        return JsonElement.Parse(result.Output);
    }
}
