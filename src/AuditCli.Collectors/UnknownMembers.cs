using System.Text.Json;

namespace AuditCli.Collectors;

/// <summary>
/// Members of an answer that its model does not know. A source may add members at any time, so that most of them mean nothing; some
/// are the sign that what is looked for stands there under another name.
/// </summary>
internal static class UnknownMembers
{
    private static readonly string[] WordsOfMore = ["token", "marker", "cursor", "next", "continu", "truncat", "more", "remaining"];

    /// <summary>The first member whose name is a known one but for its case, with the known one: no source has both. Null for none.</summary>
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

    /// <summary>The first member that is none of these and says that more follows, to whoever knows how to read on. Null for none.</summary>
    public static string? OfMore(JsonElement holder, params ReadOnlySpan<string> known)
    {
        foreach (var member in holder.EnumerateObject())
        {
            if (!IsKnown(member, known) && SaysSomething(member.Value) && SpeaksOfMore(member.Name))
                return member.Name;
        }
        return null;
    }

    /// <summary>Whether a name is one that sources give to tokens, and to flags and counts of what follows.</summary>
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

    private static bool SaysSomething(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetRawText().Length > 2,
        JsonValueKind.Number => !value.TryGetDouble(out var number) || number != 0,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.GetPropertyCount() > 0,
        _ => value.ValueKind == JsonValueKind.True,
    };
}
