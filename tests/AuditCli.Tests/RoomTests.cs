using System.Text.RegularExpressions;
using AuditCli.Collectors;
using AuditCli.Controls;
using AuditCli.Evidence;

namespace AuditCli.Tests;

/// <summary>
/// Compares the architecture page (<c>src/README.md</c>) with the code: projects, rooms, the direction of their references, and the flow.
/// </summary>
public sealed partial class RoomTests
{
    private static readonly string Page = File.ReadAllText(Repository.Path("src", "README.md"));

    /// <summary>The rooms of each project, in the page's order; below them the folders of the sources, which the page does not list.</summary>
    private static readonly Dictionary<string, string[]> Rooms = SectionPattern().Matches(Page).ToDictionary(
        s => s.Groups[1].Value,
        s => RoomPattern().Matches(s.Groups[2].Value).Select(r => r.Groups[1].Value).Concat(SourcesOf(s.Groups[1].Value)).ToArray());

    private static IEnumerable<string> SourcesOf(string project) =>
        CollectorCatalog.All.Select(c => c.Implementation).Where(i => i.Assembly.GetName().Name == project).Select(i => i.Namespace!.Split('.')[^1]);

    public static TheoryData<string> Projects => [.. Rooms.Keys];

    [Fact]
    public void Every_project_has_its_section() => Assert.Equal(
        Directory.GetDirectories(Repository.Path("src")).Select(Path.GetFileName).Order(StringComparer.Ordinal), Rooms.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_folder_with_code_is_a_room(string project) => Assert.Equal(
        Directory.GetDirectories(Repository.Path("src", project))
            .Where(d => Directory.EnumerateFiles(d, "*.cs", SearchOption.AllDirectories).Any() && Path.GetFileName(d) is not ("bin" or "obj"))
            .Select(Path.GetFileName).Order(StringComparer.Ordinal),
        Rooms[project].Order(StringComparer.Ordinal));

    /// <summary>Tests of one room are in the folder of its name; secrets pass through many rooms and have a folder of their own.</summary>
    [Theory]
    [MemberData(nameof(Projects))]
    public void The_folders_of_the_tests_are_rooms(string project) => Assert.All(
        Directory.GetDirectories(Repository.Path("tests", $"{project}.Tests")).Select(d => Path.GetFileName(d)!)
            .Where(d => d is not ("bin" or "obj" or "TestResults" or "Golden" or "Vectors" or "Secrets")),
        folder => Assert.Contains(folder, Rooms[project]));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_namespace_is_its_folder(string project) => Assert.All(Files(project), file =>
    {
        var (path, text) = file;
        var folder = Path.GetDirectoryName(Path.GetRelativePath(Repository.Path("src"), path))!.Replace(Path.DirectorySeparatorChar, '.');
        Assert.Equal(NamespacePattern().Match(text) is { Success: true } stated ? stated.Groups[1].Value : "AuditCli", folder);
    });

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_room_uses_only_rooms_above_it(string project)
    {
        var rooms = Rooms[project];
        var found = new List<string>();
        foreach (var (path, text) in Files(project))
        {
            var at = Array.IndexOf(rooms, Path.GetRelativePath(Repository.Path("src", project), path).Split(Path.DirectorySeparatorChar)[0]);
            if (at < 0)
                continue;  // a file in the project's root folder
            var used = UsesOf(project, text).Select(room => Array.IndexOf(rooms, room)).Where(i => i > at).Distinct();
            found.AddRange(used.Select(i => $"{path}: {rooms[at]} uses {rooms[i]}"));
        }
        Assert.Equal("", string.Join('\n', found));
    }

    /// <summary>The program's root folder holds its entry point, its composition and what every room needs.</summary>
    [Fact]
    public void At_most_five_files_are_loose_in_the_program() =>
        Assert.InRange(Directory.GetFiles(Repository.Path("src", "AuditCli"), "*.cs").Length, 1, 5);

    [Fact]
    public void The_flow_names_functions_and_files_that_exist()
    {
        var flow = FlowPattern().Match(Page).Groups[1].Value.Split("->", StringSplitOptions.TrimEntries);
        Assert.True(flow.Length >= 6, string.Join(' ', flow));
        var types = new[] { typeof(EvidenceItem), typeof(Control), typeof(ICollector), typeof(Composition) }.SelectMany(t => t.Assembly.GetTypes()).ToArray();
        Assert.All(flow, step =>
        {
            var parts = step.Split('.');
            var type = Assert.Single(types, t => t.Name == parts[0]);
            Assert.Contains(type.GetMethods(), m => m.Name == parts[1]);
            var file = Regex.Match(Page, $@"\| `{Regex.Escape(step)}` \| `([^`]+)` \|").Groups[1].Value;
            Assert.Equal(type.Namespace, Path.GetDirectoryName(file)!.Replace(Path.DirectorySeparatorChar, '.'));
            Assert.Contains($" {parts[0]}", File.ReadAllText(Repository.Path(["src", .. file.Split('/')])), StringComparison.Ordinal);
        });
    }

    /// <summary>Checks that every file that a developer page names in backticks exists.</summary>
    [Theory]
    [InlineData("src/README.md", "src")]
    [InlineData("src/AuditCli.Collectors/README.md", "src/AuditCli.Collectors")]
    [InlineData("tests/README.md", "tests")]
    public void A_page_names_files_that_exist(string page, string folder) => Assert.All(
        FilePattern().Matches(File.ReadAllText(Repository.Path(page.Split('/')))).Select(m => m.Groups[1].Value).Distinct(),
        file => Assert.True(
            new[] { folder, "src", "tests", "." }.Any(f => File.Exists(Repository.Path([.. f.Split('/'), .. file.Split('/')]))), $"{page} names {file}"));

    /// <summary>Returns the rooms of the project that a file uses: in a using, or in the qualified name of a type.</summary>
    private static IEnumerable<string> UsesOf(string project, string text)
    {
        var usings = Regex.Matches(text, $@"^using (?:static |\w+ = )?{Regex.Escape(project)}\.(\w+)", RegexOptions.Multiline).Select(m => m.Groups[1].Value);
        var code = Regex.Replace(text, @"^\s*(?:using|namespace|//).*$", "", RegexOptions.Multiline);
        return usings.Concat(Regex.Matches(code, $@"(?<![\w.""])(?:{Regex.Escape(project)}\.)?([A-Z]\w*)\.(?=[A-Z])").Select(m => m.Groups[1].Value)
            .Where(name => Rooms[project].Contains(name)));
    }

    private static IEnumerable<(string Path, string Text)> Files(string project) =>
        Directory.EnumerateFiles(Repository.Path("src", project), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(f => (f, File.ReadAllText(f)));

    [GeneratedRegex(@"^### (AuditCli[.\w]*)\n((?:(?!^#).*\n)*)", RegexOptions.Multiline)]
    private static partial Regex SectionPattern();

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex RoomPattern();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespacePattern();

    [GeneratedRegex(@"## One flow\n\n```\n(.*)\n```")]
    private static partial Regex FlowPattern();

    [GeneratedRegex(@"`([\w./-]+\.(?:cs|py|md|json|sh|mjs))`")]
    private static partial Regex FilePattern();
}
