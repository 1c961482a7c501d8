using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using DuckDB.NET.Data;

namespace AuditCli.Tests.Running;

/// <summary>
/// Numbers that no computer word holds, from a supplied file of each format through tables, SQL and results to the reports: they arrive
/// digit for digit, and a file of another format gives the same table and the same results.
/// </summary>
public sealed partial class ExactNumberRunTests : IDisposable
{
    /// <summary>2 to the power of 256, less 1.</summary>
    private const string Most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    private const string Amount = "12345678901234567890.123456789012345678";

    private const string Limit = "12345678901234567890.123456789012345677";

    private static readonly string[] Formats = ["csv", "ndjson", "json", "xlsx", "parquet"];

    private static readonly string Control = $$"""
        schema: 1
        id: DAT-XSR-901
        version: 1.0.0
        title: Each token has the supply that the ledger says
        objective: The supply is what was issued.
        risk: More is in circulation than is covered.
        domain: data-integrity
        nature: { type: detective, execution: automated }
        frequency: daily
        kind: operating-effectiveness
        mode: period
        key_control: false
        owner: Finance
        references: { soc2-tsc: [CC6.1] }
        parameters:
          most: { type: whole, default: 1, min: 0, max: "{{Most}}", why: What the contract issued. }
          limit: { type: decimal(18), default: "0.000000000000000001", min: 0, max: "99999999999999999999.999999999999999999", why: Small amounts are dust. }
        evidence:
          ledger: { file: ledger, columns: { id: text, amount: decimal(18), supply: whole } }
        completeness:
          - name: what was issued is what is there
            sql: SELECT sum(l.supply) FROM ledger l
            equals: SELECT sum(l.supply) FROM ledger l JOIN ledger k ON k.supply = l.supply AND k.amount = l.amount
        tests:
          - id: T1
            title: The supply is that of the contract, and the amount is above a limit
            sql: |
              SELECT l.id AS item, l.supply = $most AND l.amount > $limit AS pass,
                  'another supply' AS reason, l.amount, l.supply
              FROM ledger l
        recommendation: Burn what was not issued.
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_number_with_a_digit_too_many_leaves_the_control_inconclusive_whatever_the_format()
    {
        foreach (var format in Formats)
        {
            var run = await RunAsync($"wrong-{format}", format, ("a", Amount + "9", Most), ("b", "1.5", "5"));
            Assert.True(run.ExitCode == 3, $"{format}: {run}");
            var item = Assert.Single(Index(run.Bundle));
            Assert.Equal("incomplete", item.GetProperty("outcome").GetString());
            Assert.Equal("ValueDoesNotFit", item.GetProperty("code").GetString());
            Assert.DoesNotContain(Amount, BundleForgery.ReadTable(Path.Combine(run.Bundle, item.GetProperty("table").GetString()!)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_format_gives_one_table_one_result_and_every_digit_in_every_report()
    {
        var seen = new List<(string Table, string Rows)>();
        foreach (var format in Formats)
        {
            var run = await RunAsync(format, format, ("a", Amount, Most), ("b", "-0.000000000000000001", "-" + Most), ("c", "2", "9007199254740993"));
            Assert.True(run.ExitCode == 2, $"{format}: {run}");
            var item = Assert.Single(Index(run.Bundle));
            Assert.Equal("complete", item.GetProperty("outcome").GetString());
            Assert.Contains("""{"name":"amount","type":"decimal","scale":18}""", item.GetProperty("columns").EnumerateArray().Select(c => c.GetRawText()));
            // Each row names the file of which it was made.
            var table = Reference().Replace(BundleForgery.ReadTable(Path.Combine(run.Bundle, item.GetProperty("table").GetString()!)), "");
            var rows = await File.ReadAllTextAsync(Path.Combine(run.Bundle, "data/results/dat-xsr-901.t1.ndjson"));
            seen.Add((table, rows));
            Assert.Contains($"\"item\":\"a\",\"pass\":true", rows, StringComparison.Ordinal);
            Assert.Contains($"\"attributes\":{{\"amount\":{Amount},\"supply\":{Most}}}", rows, StringComparison.Ordinal);
            Assert.Contains($"\"attributes\":{{\"amount\":-0.000000000000000001,\"supply\":-{Most}}}", rows, StringComparison.Ordinal);
        }
        Assert.All(seen, s => Assert.Equal(seen[0], s));
        var results = await File.ReadAllTextAsync(Path.Combine(AuditCommand.TheBundle(Path.Combine(_folder.Path, "csv", "out")), "data/results/results.json"));
        Assert.Contains(
            $$"""{"name":"limit","type":"decimal","value":"{{Limit}}","by":"R. Reviewer","why":"The policy says so","scale":18}""", results, StringComparison.Ordinal);
        Assert.Contains(
            $$"""{"name":"most","type":"whole","value":"{{Most}}","by":"R. Reviewer","why":"The contract says so"}""", results, StringComparison.Ordinal);
        await EveryReportHoldsAsync(Path.Combine(_folder.Path, "csv"), Amount, Most, "-" + Most, "9007199254740993");

        var again = await AuditCommand.RunAsync(
            _folder.Path, "reperform", AuditCommand.TheBundle(Path.Combine(_folder.Path, "csv", "out")), "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
        var queried = await AuditCommand.RunAsync(
            _folder.Path, "query", AuditCommand.TheBundle(Path.Combine(_folder.Path, "csv", "out")), "--format", "json",
            "SELECT sum(l.amount) AS amount, max(l.supply) AS supply FROM \"DAT-XSR-901\".ledger l");
        Assert.Contains("12345678901234567892.123456789012345677", queried.Output, StringComparison.Ordinal);
        Assert.Contains(Most, queried.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("most: { value: 1.5,", "must be a whole number of at most 10000 digits, but is '1.5'")]
    [InlineData("most: { value: 115792089237316195423570985008687907853269984665640564039457584007913129639936,", "must be a whole number from 0 to 1157")]
    [InlineData(
        "limit: { value: 0.0000000000000000001,",
        "must be a decimal number of at most 20 digits before the point and 18 after it, but is '0.0000000000000000001'")]
    public async Task A_parameter_of_the_engagement_that_does_not_fit_ends_the_run_with_its_place(string value, string message)
    {
        await RunAsync("fits", "csv", ("a", Amount, Most));
        var path = Path.Combine(_folder.Path, "fits", "engagement.yaml");
        var (name, text) = (value.Split(':')[0], File.ReadAllText(path));
        File.WriteAllText(path, Regex.Replace(text, $@"\b{name}: \{{ value: [^,]*,", value));
        var run = await AuditCommand.RunAsync(Path.GetDirectoryName(path)!, "run", "engagement.yaml", "--out", "again");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"parameter '{name}' of DAT-XSR-901 {message}", run.Error, StringComparison.Ordinal);
        Assert.Matches(@"engagement\.yaml:1[0-9]:[0-9]+: ", run.Error);
    }

    /// <summary>Checks the reports that list items; in the workbook numbers of so many digits are texts.</summary>
    private static async Task EveryReportHoldsAsync(string folder, params string[] numbers)
    {
        var reports = Path.Combine(AuditCommand.TheBundle(Path.Combine(folder, "out")), "data/reports");
        var csv = await File.ReadAllTextAsync(Path.Combine(reports, "results.csv"));
        var sheet = await WorkbookTextAsync(Path.Combine(reports, "workpaper.xlsx"));
        Assert.All(numbers, n => Assert.Contains(n, csv, StringComparison.Ordinal));
        Assert.All(numbers, n => Assert.Contains($">{n}</x:t>", sheet, StringComparison.Ordinal));
        foreach (var report in Directory.EnumerateFiles(reports))
        {
            var text = Path.GetExtension(report) == ".xlsx" ? sheet : await File.ReadAllTextAsync(report);
            Assert.DoesNotContain("1.15792", text, StringComparison.Ordinal);
            Assert.DoesNotContain("9007199254740992", text, StringComparison.Ordinal);
        }
    }

    private static async Task<string> WorkbookTextAsync(string path)
    {
        using var zip = await System.IO.Compression.ZipFile.OpenReadAsync(path);
        var texts = new List<string>();
        foreach (var entry in zip.Entries.Where(e => e.FullName.Contains("worksheets/", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(await entry.OpenAsync());
            texts.Add(await reader.ReadToEndAsync());
        }
        return string.Join('\n', texts);
    }

    private static JsonElement[] Index(string bundle) =>
    [
        .. File.ReadLines(Path.Combine(bundle, "data/evidence/index.jsonl")).Select(l => JsonElement.Parse(l))
            .Where(i => i.GetProperty("source").GetString() == "file"),
    ];

    private async Task<(int ExitCode, string Bundle, string Words)> RunAsync(
        string name, string format, params (string Id, string Amount, string Supply)[] rows)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;
        _folder.Write($"{name}/library/data-integrity/DAT-XSR-901.yaml", Control);
        _folder.Write($"{name}/engagement.yaml", $$"""
            schema: 1
            entity: Example Exchange
            name: Supply
            period: { start: 2026-09-01, end: 2026-11-15 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            library: library
            controls:
              parameters:
                DAT-XSR-901:
                  most: { value: "{{Most}}", by: R. Reviewer, why: The contract says so }
                  limit: { value: {{Limit}}, by: R. Reviewer, why: The policy says so }
            inputs:
              ledger: { file: ledger.{{format}}, obtained_from: Finance, obtained_on: 2026-11-16, how: watched by the auditor }
            targets:
              prod: { aws: { regions: [us-east-1] } }
            """);
        Write(Path.Combine(folder, $"ledger.{format}"), rows);
        var result = await AuditCommand.RunAsync(folder, "run", "engagement.yaml", "--out", "out");
        return (result.ExitCode, Directory.Exists(Path.Combine(folder, "out")) ? AuditCommand.TheBundle(Path.Combine(folder, "out")) : "", result.ToString());
    }

    private static void Write(string path, (string Id, string Amount, string Supply)[] rows)
    {
        switch (Path.GetExtension(path))
        {
            case ".csv":
                File.WriteAllText(path, "id,amount,supply\n" + string.Concat(rows.Select(r => $"{r.Id},{r.Amount},{r.Supply}\n")));
                break;
            case ".ndjson":
                File.WriteAllText(path, string.Concat(rows.Select(r => $"{{\"id\":\"{r.Id}\",\"amount\":{r.Amount},\"supply\":{r.Supply}}}\n")));
                break;
            case ".json":
                var all = rows.Select(r => $"{{\"id\":\"{r.Id}\",\"amount\":\"{r.Amount}\",\"supply\":\"{r.Supply}\"}}");
                File.WriteAllText(path, $"[{string.Join(',', all)}]");
                break;
            case ".xlsx":
                var cells = rows.Prepend(("id", "amount", "supply")).Select((r, i) => Row(i + 1, r));
                File.WriteAllBytes(path, WrittenWorkbook.Of([("Ledger", "", $"<sheetData>{string.Concat(cells)}</sheetData>")]));
                break;
            case ".parquet":
                using (var connection = new DuckDBConnection("DataSource=:memory:"))
                {
                    connection.Open();
                    using var command = connection.CreateCommand();
                    // Parquet has no whole numbers of so many digits, and no decimals of more than 38.
                    var type = rows.All(r => r.Amount.Length <= Amount.Length) ? "DECIMAL(38,18)" : "VARCHAR";
                    var values = string.Join(", ", rows.Select(r => $"('{r.Id}', '{r.Amount}', '{r.Supply}')"));
                    command.CommandText =
                        $"COPY (SELECT id, amount::{type} AS amount, supply FROM (VALUES {values}) t(id, amount, supply)) TO '{path}' (FORMAT parquet)";
                    command.ExecuteNonQuery();
                }
                break;
            default:
                throw new ArgumentException($"no format {path}", nameof(path));
        }
    }

    private static string Row(int number, (string, string, string) row)
    {
        string[] texts = [row.Item1, row.Item2, row.Item3];
        var cells = texts.Select((t, i) => string.Create(
            CultureInfo.InvariantCulture, $"<c r=\"{(char)('A' + i)}{number}\" t=\"inlineStr\"><is><t>{t}</t></is></c>"));
        return string.Create(CultureInfo.InvariantCulture, $"<row r=\"{number}\">{string.Concat(cells)}</row>");
    }

    [GeneratedRegex("\"_ref\":\"[^\"]*\",?")]
    private static partial Regex Reference();
}
