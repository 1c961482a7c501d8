using System.Text.Json;

namespace AuditCli.Collectors;

/// <summary>
/// Finds members of a response that its model does not contain. A source may add members at any time, so most of them mean nothing; some
/// indicate that the wanted member is present under another name.
/// </summary>
internal static class UnknownMembers
{
    private static readonly string[] WordsOfMore =
    [
        "token", "marker", "cursor", "next", "continu", "truncat", "more", "remaining", "partial", "incomplete", "unreachable", "unavailable",
    ];

    /// <summary>
    /// Returns the first member whose name differs from a known one only by case, with the known name, since no source uses both; null if
    /// there is none.
    /// </summary>
    public static (string Found, string Known)? InAnotherCase(JsonElement holder, params ReadOnlySpan<string> known)
    {
        foreach (var member in holder.EnumerateObject())
        {
            if (IsKnown(member, known))
                continue;
            foreach (var name in known)
            {
                if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                    return (member.Name, name);
            }
        }
        return null;
    }

    /// <summary>
    /// Returns the first non-empty member whose name is not known and suggests that more follows, such as a page token; null if there is
    /// none.
    /// </summary>
    public static string? OfMore(JsonElement holder, params ReadOnlySpan<string> known)
    {
        foreach (var member in holder.EnumerateObject())
        {
            if (!IsKnown(member, known) && !IsEmpty(member.Value) && SpeaksOfMore(member.Name))
                return member.Name;
        }
        return null;
    }

    /// <summary>Whether a name is typical for page tokens, or for flags and counts of further pages.</summary>
    public static bool SpeaksOfMore(string name) => WordsOfMore.Any(w => name.Contains(w, StringComparison.OrdinalIgnoreCase));

    private static bool IsKnown(JsonProperty member, ReadOnlySpan<string> known)
    {
        foreach (var name in known)
        {
            if (member.NameEquals(name))
                return true;
        }
        return false;
    }

    /// <summary>Whether a value says nothing: it is null, false, zero, or an empty text, list or object.</summary>
    public static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetRawText().Length <= 2,
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        _ => value.ValueKind != JsonValueKind.True,
    };
}
