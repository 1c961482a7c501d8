using System.Collections.Immutable;
using System.Reflection;
using System.Text.RegularExpressions;
using AuditCli.Evidence;

namespace AuditCli.Tests;

/// <summary>
/// Compares the codes that the program itself assigns with their constants, with their uses in the source, and with the manual.
/// </summary>
internal static class OwnCodes
{
    /// <summary>Returns the codes as they appear in evidence, sorted and without duplicates. A code with a status gets 404.</summary>
    public static string[] Examples(ImmutableArray<OwnCode> codes) =>
        [.. codes.Select(c => c.HasStatus ? c.Code + "404" : c.Code).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Returns the public constants of a class of codes, by name.</summary>
    public static IEnumerable<(string Name, string Code)> Constants(Type holder) =>
        holder.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly).Where(f => f.IsLiteral)
            .Select(f => (f.Name, (string)f.GetRawConstantValue()!));

    /// <summary>Returns the members of a class of codes, such as <c>Codes.TimedOut</c>, that no source file uses.</summary>
    public static IEnumerable<string> Unused(Type holder, IEnumerable<string> members)
    {
        var source = Source("").Where(f => Path.GetFileNameWithoutExtension(f) != holder.Name).Select(Text).ToArray();
        return members.Select(m => $"{holder.Name}.{m}").Where(m => !source.Any(text => Regex.IsMatch(text, $@"(?<!\w){Regex.Escape(m)}\b")));
    }

    public static IEnumerable<string> Source(string project) =>
        Directory.EnumerateFiles(Repository.Path("src", project), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    /// <summary>Returns the text of a C# file without its comment lines.</summary>
    public static string Text(string file) =>
        string.Join('\n', File.ReadLines(file).Where(l => !l.TrimStart().StartsWith("//", StringComparison.Ordinal)));

    /// <summary>
    /// Compares one section of the page <c>auditcli help codes</c> with a table of codes. <c>AUDITCLI_APPROVE=1</c> rewrites the section;
    /// read it before committing it.
    /// </summary>
    public static void AreInManual(string heading, ImmutableArray<OwnCode> codes)
    {
        var file = Repository.Path("src", "AuditCli", "Help", "codes.md");
        var page = File.ReadAllText(file);
        var start = page.IndexOf($"\n## {heading}\n", StringComparison.Ordinal) + heading.Length + 5;
        Assert.True(start > heading.Length + 4, $"{file} has no part '{heading}'");
        var end = page.IndexOf("\n## ", start, StringComparison.Ordinal) is var next && next < 0 ? page.Length : next;
        GeneratedPart.Matches(file, start, end, $"\n{Table(codes)}");
    }

    private static string Table(ImmutableArray<OwnCode> codes) => string.Concat(
        codes.Select(c => $"| `{c.Shown}` | {c.Kind.ToString().ToLowerInvariant()} | {c.Meaning} | {c.Next} |\n")
            .Prepend("|---|---|---|---|\n").Prepend("| code | kind | what happened | what to do next |\n"));
}
