using System.Diagnostics;
using System.Globalization;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using Xunit.Abstractions;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Prints how fast a large table loads. It asserts only what is loaded, because timing varies between machines.</summary>
public sealed class LoadFigures(ITestOutputHelper output)
{
    [Fact]
    public async Task Two_hundred_thousand_rows_of_ten_columns_load_and_are_counted()
    {
        const int Rows = 200_000;
        var need = Some.Need("keys",
        [
            new("id", ColumnType.Text), new("user", ColumnType.Text), new("active", ColumnType.Boolean), new("age", ColumnType.Integer),
            new("created", ColumnType.Timestamp), new("tags", ColumnType.Json),
        ]);
        var rows = Enumerable.Range(0, Rows).Select(i => string.Create(CultureInfo.InvariantCulture,
            $$"""{"_target":"prod","_account":"111122223333","_region":"eu-west-1","_ref":"urn:uuid:0#/Keys/{{i}}","id":"AKIA{{i:D16}}","user":"user-{{i}}","active":{{(i % 7 == 0 ? "false" : "true")}},"age":{{i % 400}},"created":"2026-01-01T00:00:00Z","tags":[{"Key":"team","Value":"payments"}]}""")).ToArray();
        var control = Some.Control(Some.Test(
            "SELECT id AS item, active IS TRUE AS pass, 'inactive' AS reason, k.\"user\", age, created, tags, "
                + "_target, _account, _region, _ref FROM keys k")) with
        { Evidence = [need] };

        for (var round = 1; round <= 3; round++)
        {
            var before = Environment.CpuUsage.TotalTime;
            var loading = Stopwatch.StartNew();
            using var database = LockedDatabase.Open("2GB");
            var columns = need.AddedColumns.AddRange(need.Columns);
            database.Execute(TableLoader.Definition("keys", columns));
            await TableLoader.LoadAsync(database, "keys", columns, [TableRows.Of(rows).Read()], _ => true, CancellationToken.None);
            var used = (Environment.CpuUsage.TotalTime - before).TotalMilliseconds;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"load {round}: {loading.ElapsedMilliseconds} ms, {Rows / loading.Elapsed.TotalSeconds:F0} rows/s, processor {used:F0} ms"));
        }

        var whole = Stopwatch.StartNew();
        var outcome = await Some.EvaluateAsync(control, Some.Partition("prod", ("keys", Some.Table(need) with { Rows = TableRows.Of(rows) })));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"evaluate, all rows written: {whole.ElapsedMilliseconds} ms"));
        Assert.Equal((Rows, (Rows + 6) / 7), (outcome.Result.Population, outcome.Result.Deviations));
    }
}
