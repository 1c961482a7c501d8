using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AuditCli.Evidence;

/// <summary>
/// Finds one value of a row: that of a column, or of a member inside a column that holds JSON, such as <c>head.sha</c>. Without
/// it, what a provider nests could be neither passed on to another request nor compared. A name that has a dot of its own stands in
/// quotation marks, as in SQL: <c>labels."app.kubernetes.io/name"</c>.
/// </summary>
/// <param name="Members">The names of the members inside the column, outermost first; empty for the column itself.</param>
public sealed partial record MemberPath(string Column, ImmutableArray<string> Members)
{
    private readonly ImmutableArray<byte[]> _names = [.. Members.Prepend(Column).Select(Encoding.UTF8.GetBytes)];

    /// <summary>
    /// Splits a path at its dots. The longest beginning that is a column's name is the column, because such names may have dots;
    /// where none is, the column is the first name.
    /// </summary>
    /// <exception cref="FormatException">The path has a <see cref="FaultOf"/>.</exception>
    public static MemberPath Of(string path, Func<string, bool> isColumn)
    {
        var (column, rest) = Split(path, isColumn);
        var names = NamesIn(rest) ?? throw new FormatException($"'{path}' {FaultOf(path, isColumn)}");
        return column is null ? new(names[0], names[1..]) : new(column, names);
    }

    /// <summary>Returns what is wrong with the quotation marks of a path, as the end of a sentence; null where nothing is.</summary>
    public static string? FaultOf(string path, Func<string, bool> isColumn)
    {
        var (_, rest) = Split(path, isColumn);
        if (rest is null || NamesIn(rest) is not null)
            return null;
        var wrong = rest[Sound.Match(rest).Length..];
        return wrong[0] != '"' ? "has a quotation mark inside a name; put the whole name in quotation marks, and write the one inside it twice"
            : Quoted.Match(wrong) is { Success: true } whole ? $"goes on without a dot after {whole.Value}"
            : "has a quotation mark that is not closed";
    }

    /// <summary>
    /// Returns the value; null where there is none: a member is absent or null, or what should have it is not an object.
    /// </summary>
    /// <exception cref="InvalidOperationException">A member's name is not well-formed Unicode.</exception>
    public JsonElement? In(JsonElement row)
    {
        var at = row;
        foreach (var name in _names)
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out var member))
                return null;
            at = member;
        }
        return at.ValueKind == JsonValueKind.Null ? null : at;
    }

    /// <summary>Returns the path as an author writes it.</summary>
    public override string ToString() => string.Join('.', Members.Select(Written).Prepend(Column));

    /// <summary>Returns the column, null where it is the first of the names, and the names after it, null where there are none.</summary>
    private static (string? Column, string? Names) Split(string path, Func<string, bool> isColumn)
    {
        for (var end = path.Length; end > 0; end = path.LastIndexOf('.', end - 1))
        {
            if (isColumn(path[..end]))
                return (path[..end], end == path.Length ? null : path[(end + 1)..]);
        }
        return (null, path);
    }

    /// <summary>Returns the names between the dots; null where a quotation mark is wrong.</summary>
    private static ImmutableArray<string>? NamesIn(string? rest) => rest is null ? []
        : AllNames.Match(rest) is { Success: true } names ? [.. names.Groups["name"].Captures.Select(n => NameOf(n.Value))]
        : null;

    private static string NameOf(string written) =>
        written.StartsWith('"') ? written[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : written;

    private static string Written(string name) =>
        name.AsSpan().ContainsAny('.', '"') ? $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : name;

    private const string InQuotes = @"""(?:[^""]|"""")*""";
    private const string Name = InQuotes + @"|[^.""]*";

    [GeneratedRegex(@"\A(?<name>" + Name + @")(?:\.(?<name>" + Name + @"))*\z", RegexOptions.CultureInvariant)]
    private static partial Regex AllNames { get; }

    /// <summary>Matches the names before the first wrong one, each with its dot.</summary>
    [GeneratedRegex(@"\A(?:(?>" + Name + @")\.)*", RegexOptions.CultureInvariant)]
    private static partial Regex Sound { get; }

    [GeneratedRegex(@"\A" + InQuotes, RegexOptions.CultureInvariant)]
    private static partial Regex Quoted { get; }
}
