using AuditCli.Evidence.Tables;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Loading;

/// <summary>Checks what an engagement says about the content of its inputs.</summary>
public sealed class InputLoadingTests
{
    [Theory]
    [InlineData("leavers.csv", "sheet: Leavers", "'sheet' is for .xlsx workbooks")]
    [InlineData("leavers.csv", "rows: /items/*", "'rows' is for .json files")]
    [InlineData("leavers.ndjson", "rows: /items/*", "each line of the file is a row, so leave 'rows' out")]
    [InlineData("leavers.json", "rows: items/*", "'rows' must be a JSON Pointer with at least one '*'")]
    [InlineData("leavers.json", "rows: /items", "'rows' must be a JSON Pointer with at least one '*'")]
    [InlineData("leavers.json", "rows: /a~2/*", "'rows' must be a JSON Pointer with at least one '*'")]
    [InlineData("leavers.csv", "stated_totals: { amount: 1e3 }", "the total of 'amount' must be a plain decimal such as 45000.15")]
    [InlineData(
        "leavers.csv", "stated_totals: { amount: 0.0000000000000000000000000000000000000001 }",
        "the total of 'amount' must be a plain decimal such as 45000.15")]
    [InlineData("leavers.csv", "stated_totals: { _amount: 1 }", "'_amount' is not a column name")]
    public void A_statement_that_does_not_fit_the_file_is_a_fault_with_its_place(string file, string statement, string fault)
    {
        var found = Assert.Single(Load(file, statement).Faults);
        Assert.StartsWith("15:", found, StringComparison.Ordinal);
        Assert.Contains(fault, found, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_rows_are_and_their_totals_are_read()
    {
        var (engagement, faults) = Load("leavers.json", "rows: /a~1b/*, stated_totals: { amount: 45000.15, n: \"12\" }");
        Assert.Empty(faults);
        var input = Assert.Single(engagement!.Inputs);
        Assert.Equal(new InputLayout(null, "/a~1b/*"), input.Layout);
        Assert.Equal(["amount 45000.15", "n 12"], input.StatedTotals.Select(t => $"{t.Key} {t.Value}"));
        Assert.Equal(new InputLayout("Leavers", null), Assert.Single(Load("leavers.xlsx", "sheet: Leavers").Engagement!.Inputs).Layout);
    }

    private static (Engagement? Engagement, string[] Faults) Load(string file, string statement)
    {
        using var folder = new TemporaryFolder();
        folder.Write($"inputs/{file}", "");
        return Samples.Load(folder.WithFolders(Samples.Engagement.Replace(
            "file: inputs/leavers.csv,", $"file: inputs/{file}, {statement},", StringComparison.Ordinal)));
    }
}
