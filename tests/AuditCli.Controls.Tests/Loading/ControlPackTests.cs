using System.Collections.Immutable;
using System.Text;
using AuditCli.Controls.Loading;

namespace AuditCli.Controls.Tests.Loading;

/// <summary>Tests what a pack says that it stands for.</summary>
public sealed class ControlPackTests
{
    private const string Pack = "schema: 1\ntitle: Mine\ncontrols: [APD-AWS-001]\n";

    private static readonly FrameworkList Frameworks = FrameworkList.Load([], [new("frameworks/house.yaml", Encoding.UTF8.GetBytes("""
        schema: 1
        title: House rules
        publisher: Example Exchange
        version: "1"
        complete: true
        listed: All.
        clauses: { H1.1: Keys, H1.2: Doors, H2.1: Lights }
        """), "house.yaml")]);

    [Theory]
    [InlineData("frameworks: { house: [H3.1] }", "mine.yaml:3:33: house has no clause 'H3.1'; did you mean 'H1.1'?")]
    [InlineData("frameworks: { house: [\"H3.*\"] }", "mine.yaml:3:33: house has no clause 'H3.*'")]
    [InlineData("frameworks: { hose: [H1.1] }", "mine.yaml:3:25: there is no framework 'hose'; did you mean 'house'?")]
    [InlineData("frameworks: { house: [] }", "mine.yaml:3:32: 'house' must have at least one item")]
    [InlineData("domains: [computer-operation]", "mine.yaml:3:21: an item of 'domains' must be one of")]
    [InlineData("clauses: {}", "mine.yaml:3:11: unknown key 'clauses'")]
    public void What_a_pack_cannot_stand_for_is_an_error_with_its_place(string covers, string fault)
    {
        var (pack, faults) = Read($"covers: {{ {covers} }}");
        Assert.Null(pack);
        Assert.StartsWith(fault, Assert.Single(faults).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_glob_stands_for_every_clause_that_it_matches_in_the_order_of_the_framework()
    {
        var (pack, faults) = Read("covers: { domains: [data-integrity, computer-operations], frameworks: { house: [H2.1, \"H1.*\"] } }");
        Assert.Empty(faults);
        Assert.Equal([ItgcDomain.ComputerOperations, ItgcDomain.DataIntegrity], pack!.Domains.ToArray());
        Assert.Equal(["H1.1", "H1.2", "H2.1"], pack.Clauses["house"].ToArray());
    }

    [Fact]
    public void A_pack_need_not_say_what_it_stands_for()
    {
        var (pack, faults) = Read("");
        Assert.Empty(faults);
        Assert.Empty(pack!.Domains);
        Assert.Empty(pack.Clauses);
    }

    [Fact]
    public void What_cannot_be_read_as_a_pack_is_a_fault_and_not_a_pack_that_does_not_exist()
    {
        using var folder = new AuditCli.Tests.TemporaryFolder();
        var outside = folder.Write("outside.yaml", Pack);
        folder.Write("library/packs/mine.yaml", Pack);
        folder.Write("library/packs/README.md", "what these are");
        folder.Write("library/packs/large.yaml", new string('#', (1 << 20) + 1));
        folder.Write("library/packs/mine.yml", Pack);
        folder.Write("library/packs/deeper/mine.yaml", Pack);
        File.CreateSymbolicLink(Path.Combine(folder.Path, "library", "packs", "linked.yaml"), outside);

        var (files, faults) = LibraryFile.ReadPacks(Path.Combine(folder.Path, "library"));

        Assert.Equal("packs/mine.yaml", Assert.Single(files).Path);
        string[] said =
        [
            "large.yaml:1:1: the file has 1048577 bytes; at most", "linked.yaml:1:1: links are not followed",
            $"{Path.Combine("deeper", "mine.yaml")}:1:1: a pack must be packs/<name>.yaml", "mine.yml:1:1: a pack must be packs/<name>.yaml",
        ];
        Assert.Equal(said.Length, faults.Length);
        Assert.All(said, text => Assert.Contains(faults, f => f.ToString().Contains(text, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("packs")]
    [InlineData("frameworks")]
    public void A_folder_of_a_library_that_is_a_link_is_not_followed(string name)
    {
        using var folder = new AuditCli.Tests.TemporaryFolder();
        folder.Write("elsewhere/mine.yaml", Pack);
        Directory.CreateDirectory(Path.Combine(folder.Path, "library"));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "library", name), Path.Combine(folder.Path, "elsewhere"));
        var (files, faults) = name == "packs"
            ? LibraryFile.ReadPacks(Path.Combine(folder.Path, "library"))
            : LibraryFile.ReadFrameworks(Path.Combine(folder.Path, "library"));
        Assert.Empty(files);
        Assert.EndsWith(
            $"{name}:1:1: links are not followed in a library of controls; put the folder itself here",
            Assert.Single(faults).ToString(), StringComparison.Ordinal);
    }

    private static (ControlPack? Pack, ImmutableArray<Diagnostic> Faults) Read(string covers)
    {
        var library = Samples.Library(Samples.File("APD-AWS-001", Samples.Minimal()));
        var yaml = $"schema: 1\ntitle: Mine\n{covers}\ncontrols: [APD-AWS-001]\n";
        return ControlPack.Read(new("packs/mine.yaml", Encoding.UTF8.GetBytes(yaml), "mine.yaml"), [.. library.Controls.Select(c => c.Control)], Frameworks);
    }
}
