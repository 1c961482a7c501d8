using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Controls.Planning;
using DuckDB.NET.Data;

namespace AuditCli.Tests.Running;

/// <summary>Checks that a register supplied in another format gives the rows and verdicts of the CSV file from which another program made it.</summary>
public sealed partial class InputFormatRunTests : IDisposable
{
    private const string Register = "break-glass-register";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [NeedsTheory("ssconvert", "soffice")]
    [InlineData("gnumeric.xlsx")]
    [InlineData("libreoffice.xlsx")]
    [InlineData("register.json")]
    [InlineData("register.parquet")]
    public async Task A_register_in_another_format_gives_the_same_rows_and_verdicts(string file)
    {
        var (csv, expected) = await RunAsync("csv", null);
        var (other, results) = await RunAsync("other", file);
        Assert.Equal(csv, other);
        Assert.Equal(expected, results);
    }

    private async Task<(string Table, string Results)> RunAsync(string name, string? file)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;
        var edit = (string text) => text;
        if (file is not null)
        {
            Directory.CreateDirectory(Path.Combine(folder, "inputs"));
            await ConvertAsync(Repository.Path("samples", "inputs", $"{Register}.csv"), Path.Combine(folder, "inputs", file));
            edit = text => text.Replace($"file: inputs/{Register}.csv", $"file: inputs/{file}", StringComparison.Ordinal);
        }
        await using var evaluation = AuditCommand.Host(folder).StartEvaluation();
        var run = await WholeSample.RunAsync(evaluation, folder, edit, new PlanFilter(["APD-AWS-002"], []));
        var bundle = AuditCommand.TheBundle(Path.Combine(folder, "out"));
        var item = File.ReadLines(Path.Combine(bundle, "data/evidence/index.jsonl")).Select(l => JsonElement.Parse(l))
            .Single(i => i.GetProperty("operation").GetString() == Register);
        Assert.Equal("complete", item.GetProperty("outcome").GetString());
        using var table = new StreamReader(
            new GZipStream(File.OpenRead(Path.Combine(bundle, item.GetProperty("table").GetString()!)), CompressionMode.Decompress));
        // Each row names the file of which it was made.
        var rows = Reference.Replace(await table.ReadToEndAsync(), "");
        var verdicts = run.Partitions(run.Results.Controls.Single()).Select(t => $"{t.Id} {t.Partition} {t.Conclusion} {t.RowsSha256}");
        return (rows, string.Join('\n', verdicts));
    }

    private async Task ConvertAsync(string csv, string to)
    {
        switch (Path.GetFileName(to))
        {
            case "gnumeric.xlsx":
                var gnumeric = await AuditCommand.OtherAsync(_folder.Path, "ssconvert", csv, to);
                Assert.True(gnumeric.ExitCode == 0, gnumeric.ToString());
                break;
            case "libreoffice.xlsx":
                var office = await AuditCommand.OtherAsync(
                    _folder.Path, "soffice", $"-env:UserInstallation=file://{_folder.Path}/profile", "--headless", "--convert-to", "xlsx",
                    "--outdir", _folder.Path, csv);
                Assert.True(office.ExitCode == 0, office.ToString());
                File.Move(Path.Combine(_folder.Path, $"{Register}.xlsx"), to);
                break;
            default:
                Export(csv, to);
                break;
        }
    }

    private static void Export(string csv, string to)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        var format = Path.GetExtension(to) == ".json" ? "FORMAT json, ARRAY true" : "FORMAT parquet";
        command.CommandText =
            $"COPY (SELECT * FROM read_csv('{csv}', header=true, types={{'approved_on': 'DATE', 'expires': 'DATE'}})) TO '{to}' ({format})";
        command.ExecuteNonQuery();
    }

    [GeneratedRegex("\"_ref\":\"[^\"]*\",")]
    private static partial Regex Reference { get; }
}
