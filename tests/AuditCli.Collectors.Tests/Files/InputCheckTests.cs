using System.Collections.Immutable;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Files;

/// <summary>Checks that files from management are read before any request is sent.</summary>
public sealed class InputCheckTests
{
    private static readonly PlannedInput Leavers = new("k", "leavers", [new("id", ColumnType.Text), new("left_on", ColumnType.Date)], []);

    private static readonly PlannedInput Map = new("k", "leavers", [new("id", ColumnType.Text), new("store", ColumnType.Text)], [])
    {
        Keys = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("store", ["aws", "gcp"]),
    };

    private static readonly PlannedInput Register = Leavers with { Approval = ["id", "left_on"] };

    private static (string[] Faults, string[] Remarks) Check(PlannedInput planned, string csv, bool allowSecrets = false, long? stated = null)
    {
        using var folder = new TemporaryFolder();
        folder.Write("leavers.csv", csv);
        var found = InputCheck.Of(
            [planned], [new("leavers", Path.Combine(folder.Path, "leavers.csv"), stated, "inputs/leavers.csv")], allowSecrets,
            CancellationToken.None);
        return ([.. found.Faults], [.. found.Remarks]);
    }

    [Theory]
    [InlineData("id\n1\n", "inputs/leavers.csv:1: no column 'left_on'; the header has 1 column, of which the declared ones are 'id'")]
    [InlineData("id,left_on\n1\n", "inputs/leavers.csv:2: 1 fields where the header has 2")]
    [InlineData(
        "id,left_on\n1,2026-01-01\nx,password: hunter2hunter2\n",
        "inputs/leavers.csv:3: holds what looks like a credential (column left_on); remove it, or use --allow-secrets, which the "
        + "bundle records")]
    public void What_cannot_be_read_as_declared_is_a_fault_with_its_place(string csv, string fault) => Assert.Equal([fault], Check(Leavers, csv).Faults);

    [Fact]
    public void Every_fault_is_found_at_once() => Assert.Equal(2, Check(Leavers, "id\npassword: hunter2hunter2\n").Faults.Length);

    [Fact]
    public void A_credential_that_somebody_allows_is_no_fault() =>
        Assert.Empty(Check(Leavers, "id,left_on\nghp_16C7e42F292c6912E7710c838347Ae178B4a,\n", allowSecrets: true).Faults);

    [Fact]
    public void A_word_that_a_closed_column_does_not_know_is_a_fault()
    {
        Assert.Equal(["inputs/leavers.csv:3: store is not one of aws, gcp"], Check(Map, "id,store\n1,AWS\n2,azure\n").Faults);
        Assert.Empty(Check(Map, "id,store\n1,AWS\n").Remarks);
    }

    [Fact]
    public void A_cell_that_does_not_fit_is_told_before_anything_is_asked()
    {
        var found = Check(Leavers, "id,left_on\n1,soon\n2,later\n");
        Assert.Empty(found.Faults);
        Assert.Equal(["inputs/leavers.csv:2: left_on is not a day (yyyy-MM-dd), and 1 more cell; tests that depend on them are inconclusive"], found.Remarks);
    }

    [Fact]
    public void An_approval_that_lacks_something_does_not_count()
    {
        var found = Check(Register, "id,left_on\n1,\n2,soon\n3,2026-01-01\n");
        Assert.Equal(
            [
                "inputs/leavers.csv:2: no left_on; this approval does not count",
                "inputs/leavers.csv:3: left_on is not a day (yyyy-MM-dd); this approval does not count",
            ],
            found.Remarks);
    }

    [Fact]
    public void Other_rows_than_stated_are_told() =>
        Assert.Equal(
            ["inputs/leavers.csv: 2 rows were stated, but it has 1; tests that depend on it are inconclusive"],
            Check(Leavers, "id,left_on\n1,2026-01-01\n,\n", stated: 2).Remarks[^1..]);

    [Fact]
    public void Remarks_are_bounded_whatever_the_file()
    {
        var found = Check(Register, "id,left_on\n" + string.Concat(Enumerable.Range(0, 5000).Select(n => $"{n},\n")));
        Assert.Equal(21, found.Remarks.Length);
        Assert.Equal("inputs/leavers.csv: 4980 more remarks of these kinds", found.Remarks[^1]);
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_fault() =>
        Assert.StartsWith(
            "inputs/x.csv: cannot be read: ",
            Assert.Single(InputCheck.Of([], [new("x", "/nowhere/x.csv", null, "inputs/x.csv")], false, CancellationToken.None).Faults),
            StringComparison.Ordinal);
}
