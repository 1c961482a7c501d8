using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Libraries;

namespace AuditCli.Tests.Libraries;

/// <summary>Tests the shipped frameworks and packs, and the index of the shipped controls.</summary>
public sealed class ShippedFrameworksTests
{
    private const string Heading = "| control | title | domain | source | frameworks |\n|---|---|---|---|---|\n";

    private static readonly AuditHost Host = AuditCommand.Host(Path.GetTempPath());
    private static readonly ControlLibrary Library = ChosenLibrary.Load(folder: null, Host);
    private static readonly FrameworkList Frameworks = ChosenLibrary.Frameworks(folder: null, Host);

    public static TheoryData<string> Ids => [.. ShippedLibrary.Ids];

    [Fact]
    public void Every_shipped_framework_loads_and_says_what_it_lists()
    {
        Assert.Empty(Frameworks.Faults);
        Assert.True(Frameworks.Frameworks.Length >= 17, $"only {Frameworks.Frameworks.Length} were found");
        Assert.All(Frameworks.Frameworks, f =>
        {
            Assert.EndsWith(".", f.Listed, StringComparison.Ordinal);
            Assert.Equal(f.Clauses.Length, f.Clauses.DistinctBy(c => c.Id).Count());
        });
    }

    /// <summary>Our own words are short; what is longer may be a standard's sentence.</summary>
    [Fact]
    public void Every_clause_has_words_that_are_short_and_end_without_a_stop() => Assert.All(
        Frameworks.Frameworks.SelectMany(f => f.Clauses.Select(c => (f.Key, c.Id, c.Words))),
        c =>
        {
            Assert.True(c.Words.Length <= 90, $"{c.Key} {c.Id}: {c.Words}");
            Assert.False(c.Words.EndsWith('.'), $"{c.Key} {c.Id}: {c.Words}");
        });

    /// <summary>A count in the sentence on what is listed is the count of the clauses.</summary>
    [Fact]
    public void A_framework_lists_as_many_clauses_as_it_says() => Assert.All(
        Frameworks.Frameworks.Where(f => f.Listed.Any(char.IsAsciiDigit)),
        f => Assert.Contains($"{f.Clauses.Length}", f.Listed, StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Ids))]
    public void Every_reference_of_a_shipped_control_resolves(string id)
    {
        var loaded = Library.Controls.Single(c => c.Control.Id == id);
        Assert.NotEmpty(loaded.Control.References);
        Assert.Empty(Frameworks.FaultsOf(loaded));
    }

    [Theory]
    [InlineData("sox-itgc")]
    [InlineData("soc2")]
    [InlineData("iso-27001")]
    public void A_shipped_pack_says_what_it_stands_for(string name)
    {
        var (packs, faults) = ChosenLibrary.FindPacks(name, folder: null, Library, Frameworks, Host);
        Assert.Empty(faults);
        Assert.NotEmpty(Assert.Single(packs).Clauses);
    }

    [Fact]
    public void The_index_of_the_guide_is_made_from_the_shipped_controls()
    {
        var file = Repository.Path("controls", "README.md");
        var guide = File.ReadAllText(file);
        var start = guide.IndexOf(Heading, StringComparison.Ordinal) + Heading.Length;
        var end = guide.IndexOf("\n## ", start, StringComparison.Ordinal);
        Assert.True(start > Heading.Length && end > 0, "controls/README.md has no index");
        GeneratedPart.Matches(file, start, end, string.Concat(Library.Controls.Select(c => Row(c.Control))));
    }

    private static string Row(Control control) =>
        $"| {control.Id} | {control.Title} | {ControlFilter.WordOf(control.Domain)} | {string.Join(", ", ControlFilter.SourcesOf(control))} "
        + $"| {string.Join("; ", control.References.Select(r => $"{r.Key} {string.Join(", ", r.Value)}"))} |\n";
}
