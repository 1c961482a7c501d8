using System.Text.RegularExpressions;
using AuditCli.Collectors;

namespace AuditCli.Tests;

/// <summary>
/// Checks that a source consists of a folder and a line of <c>CollectorCatalog.cs</c>, and that no other code names a source.
/// </summary>
public sealed partial class SourceNameTests
{
    /// <summary>The history of the evaluation rules. It explains changes to readers of old bundles, so it may name sources.</summary>
    private const string History = "EvaluationRules.cs";
    private const string Catalogue = "CollectorCatalog.cs";

    [Fact]
    public void No_code_outside_its_folder_and_its_line_names_a_source()
    {
        var files = Files().ToArray();
        Assert.True(files.Length > 300, $"only {files.Length} files were found");
        var found = CollectorCatalog.All.SelectMany(entry =>
        {
            // The scheme of a URL has the name of a source; code that names the source by it would also name its folder.
            var name = entry.Source.Name == Uri.UriSchemeHttp ? FolderOf(entry) : Regex.Escape(entry.Source.Name);
            var named = new Regex($@"(?<!\w){name}(?!\w)|(?<!\w){FolderOf(entry)}(?:[A-Z]\w*)?(?!\w)");
            return files.SelectMany(f => named.Matches(f.Code).Select(m => $"{f.Path}: {m.Value}"));
        });
        Assert.Equal("", string.Join('\n', found));
    }

    [Fact]
    public void The_catalogue_has_one_line_for_each_source() => Assert.All(CollectorCatalog.All, entry =>
    {
        var lines = File.ReadLines(Repository.Path("src", "AuditCli.Collectors", Catalogue));
        Assert.Single(lines, line => line.Trim() == $"{FolderOf(entry)}Entry.Create(),");
    });

    [Fact]
    public void No_source_uses_another() => Assert.All(CollectorCatalog.All, entry =>
    {
        var others = string.Join('|', CollectorCatalog.All.Where(o => o != entry).Select(FolderOf));
        Assert.All(
            Directory.EnumerateFiles(Repository.Path("src", "AuditCli.Collectors", FolderOf(entry)), "*.cs", SearchOption.AllDirectories),
            file => Assert.DoesNotMatch($@"\bAuditCli\.Collectors\.(?:{others})\b|(?<![\w.""])(?:{others})\.[A-Z]", File.ReadAllText(file)));
    });

    [Fact]
    public void Every_source_says_everything_that_others_need_to_know_of_it() => Assert.All(CollectorCatalog.All, entry =>
    {
        Assert.All(
            new[]
            {
                entry.Title, entry.PermissionForm, entry.Call.Description, entry.Call.Operation, entry.Call.Details, entry.Starter.Name,
                entry.Quick.Description, entry.NewControl.Code, entry.NewControl.Item,
            },
            text => Assert.False(string.IsNullOrWhiteSpace(text)));
        Assert.All(entry.Source.TargetSettings, s => Assert.EndsWith(".", s.Description, StringComparison.Ordinal));
        Assert.EndsWith(".", entry.Source.TargetDescription, StringComparison.Ordinal);
        Assert.EndsWith(".", entry.Source.OperationDescription, StringComparison.Ordinal);
        var settings = entry.Source.TargetSettings.Select(s => s.Name).ToHashSet();
        Assert.All(entry.Call.Settings.Append(entry.Quick.Needs).OfType<SettingOption>(), o => Assert.Contains(o.Setting, settings));
        Assert.Equal(entry.Quick.Needs is null, entry.Quick.Missing.Length == 0);
        Assert.NotEmpty(entry.Fields.RequestIds);
        var first = entry.Source.FindOperation(entry.NewControl.Operation);
        Assert.Contains(first!.Columns, c => c.Name == entry.NewControl.Item);
    });

    private static string FolderOf(CollectorEntry entry) => entry.Implementation.Namespace!.Split('.')[^1];

    /// <summary>
    /// Returns the code outside the sources' folders, without comments and raw strings. Raw strings hold help texts, whose examples may
    /// name a source.
    /// </summary>
    private static IEnumerable<(string Path, string Code)> Files() =>
        new[] { "*.cs", "*.csproj" }.SelectMany(p => Directory.EnumerateFiles(Repository.Path("src"), p, SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && Path.GetFileName(f) is not (Catalogue or History)
                && !CollectorCatalog.All.Any(c => f.Split(Path.DirectorySeparatorChar).Contains(FolderOf(c))))
            .Select(f => (f, CommentPattern().Replace(RawStringPattern().Replace(PackagePattern().Replace(File.ReadAllText(f), ""), "\"\""), "")));

    [GeneratedRegex("\"\"\".*?\"\"\"", RegexOptions.Singleline)]
    private static partial Regex RawStringPattern();

    [GeneratedRegex(@"(?<![:""])//.*$|<!--.*?-->", RegexOptions.Multiline)]
    private static partial Regex CommentPattern();

    [GeneratedRegex("<PackageReference [^>]*>")]
    private static partial Regex PackagePattern();
}
