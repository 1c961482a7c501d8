using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace AuditCli.Evidence;

/// <summary>
/// Finds one value of a row: that of a column, or of a member inside a column that holds JSON, such as <c>head.sha</c>. Without
/// it, what a provider nests could be neither passed on to another request nor compared.
/// </summary>
/// <param name="Members">The names of the members inside the column, outermost first; empty for the column itself.</param>
public sealed record MemberPath(string Column, ImmutableArray<string> Members)
{
    private readonly ImmutableArray<byte[]> _names = [.. Members.Prepend(Column).Select(Encoding.UTF8.GetBytes)];

    /// <summary>
    /// Splits a path at its dots. The longest beginning that is a column's name is the column, because such names may have dots;
    /// where none is, the column is the part before the first dot.
    /// </summary>
    public static MemberPath Of(string path, Func<string, bool> isColumn)
    {
        for (var end = path.Length; end > 0; end = path.LastIndexOf('.', end - 1))
        {
            if (isColumn(path[..end]))
                return Split(path, end);
        }
        var dot = path.IndexOf('.', StringComparison.Ordinal);
        return Split(path, dot < 0 ? path.Length : dot);
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

    public override string ToString() => string.Join('.', Members.Prepend(Column));

    private static MemberPath Split(string path, int end) =>
        new(path[..end], end == path.Length ? [] : [.. path[(end + 1)..].Split('.')]);
}
