using System.Text;
using AuditCli.Controls.Loading;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Loading;

/// <summary>Tests the frameworks of a library, and the references of controls to their clauses.</summary>
public sealed class FrameworkListTests
{
    /// <summary>A framework with every key.</summary>
    private const string Own = """
        schema: 1
        title: House rules
        publisher: Example Exchange
        version: "3.1"
        complete: false
        listed: Two of nine.
        clauses:
          H.1: Keys are kept
          H.2: Doors are shut
        """;

    [Theory]
    [InlineData("complete: false", "complete: perhaps", "house.yaml:5:11: 'complete' must be true or false, but is 'perhaps'")]
    [InlineData("publisher: Example Exchange\n", "", "house.yaml:1:1: the key 'publisher' is missing")]
    [InlineData(
        "publisher:",
        "publischer:",
        "house.yaml:1:1: the key 'publisher' is missing|house.yaml:3:1: unknown key 'publischer'; did you mean 'publisher'?")]
    [InlineData("H.2: Doors are shut", "H.1: Doors are shut", "house.yaml:9:3: the key 'H.1' is repeated here; the first is on line 8")]
    [InlineData("H.2: Doors are shut", "H.2:", "house.yaml:9:7: 'H.2' is empty")]
    [InlineData("H.2: Doors are shut", "H.*: Doors are shut", "house.yaml:9:3: in 'clauses', 'H.*' is not a clause such as CC6.1")]
    [InlineData("schema: 1", "schema: 2", "house.yaml:1:9: schema 2 is newer than this auditcli understands (1); use a newer auditcli")]
    public void A_fault_of_a_framework_is_named_with_its_place(string text, string broken, string faults)
    {
        var list = FrameworkList.Load([], [File("house", Own.Replace(text, broken, StringComparison.Ordinal))]);
        Assert.Empty(list.Frameworks);
        var expected = faults.Split('|');
        Assert.Equal(expected.Length, list.Faults.Length);
        Assert.All(expected.Zip(list.Faults), f => Assert.StartsWith(f.First, f.Second.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("frameworks/House.yaml")]
    [InlineData("frameworks/house.yml")]
    [InlineData("frameworks/deeper/house.yaml")]
    public void A_file_that_is_not_called_by_a_key_is_no_framework(string path)
    {
        var list = FrameworkList.Load([], [new(path, Encoding.UTF8.GetBytes(Own), path)]);
        Assert.Empty(list.Frameworks);
        Assert.StartsWith($"{path}:1:1: a framework must be frameworks/<key>.yaml", Assert.Single(list.Faults).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "{ house: [H.3] }",
        "23: house has no clause 'H.3'; did you mean 'H.1'?; it lists a selection, and frameworks/house.yaml of the library may list more")]
    [InlineData(
        "{ hause: [H.1] }",
        "15: there is no framework 'hause'; did you mean 'house'?; add frameworks/hause.yaml to the library, or name one of house")]
    [InlineData("{ house: [H.1, H.2, H.1] }", "33: house H.1 is listed twice")]
    [InlineData("{ house: [H.1, H.2] }", null)]
    [InlineData("{}", null)]
    public void A_clause_that_does_not_exist_is_an_error_with_its_place(string references, string? fault)
    {
        var yaml = Samples.Minimal().Replace("references: {}\n", $"references: {references}\n", StringComparison.Ordinal);
        var library = Samples.Library(Samples.File("APD-AWS-001", yaml));
        Assert.Empty(library.Faults);

        var faults = FrameworkList.Load([], [File("house", Own)]).FaultsOf(Assert.Single(library.Controls));
        Assert.Equal(fault is null ? [] : [$"APD-AWS-001.yaml:14:{fault}"], faults.Select(f => f.ToString()));
    }

    [Fact]
    public void What_refers_to_a_framework_with_faults_is_not_checked_because_those_come_first()
    {
        var yaml = Samples.Minimal().Replace("references: {}", "references: { house: [H.9] }", StringComparison.Ordinal);
        var list = FrameworkList.Load([], [File("house", Own.Replace("schema: 1", "schema: 9", StringComparison.Ordinal))]);
        Assert.Single(list.Faults);
        Assert.Empty(list.FaultsOf(Assert.Single(Samples.Library(Samples.File("APD-AWS-001", yaml)).Controls)));
    }

    [Fact]
    public void A_framework_of_the_library_wins_over_a_shipped_one_by_its_key()
    {
        var list = FrameworkList.Load(
            [File("house", Own), File("other", Own)],
            [File("house", Own.Replace("H.2: Doors are shut", "H.9: Windows are shut", StringComparison.Ordinal))]);
        Assert.Empty(list.Faults);
        Assert.Equal(["house", "other"], list.Frameworks.Select(f => f.Key));
        Assert.Equal(["H.1", "H.9"], list.Find("house")!.Clauses.Select(c => c.Id));
        Assert.Equal(["H.1", "H.2"], list.Find("other")!.Clauses.Select(c => c.Id));
        Assert.Equal(("House rules", "Example Exchange", "3.1", false, "Two of nine."), Head(list.Find("house")!));
    }

    [Fact]
    public void A_link_among_the_frameworks_is_not_followed()
    {
        using var folder = new TemporaryFolder();
        var outside = folder.Write("outside.yaml", Own);
        folder.Write("library/frameworks/own.yaml", Own);
        System.IO.File.CreateSymbolicLink(Path.Combine(folder.Path, "library", "frameworks", "linked.yaml"), outside);

        var (files, faults) = LibraryFile.ReadFrameworks(Path.Combine(folder.Path, "library"));
        Assert.Equal("frameworks/own.yaml", Assert.Single(files).Path);
        Assert.Contains("linked.yaml:1:1: links are not followed", Assert.Single(faults).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_library_without_frameworks_has_none_of_its_own()
    {
        using var folder = new TemporaryFolder();
        var (files, faults) = LibraryFile.ReadFrameworks(folder.Path);
        Assert.Empty(files);
        Assert.Empty(faults);
    }

    private static LibraryFile File(string key, string yaml) => new($"frameworks/{key}.yaml", Encoding.UTF8.GetBytes(yaml), $"{key}.yaml");

    private static (string, string, string, bool, string) Head(Framework f) => (f.Title, f.Publisher, f.Version, f.Complete, f.Listed);
}
