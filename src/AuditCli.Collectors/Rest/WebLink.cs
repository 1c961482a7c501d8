namespace AuditCli.Collectors.Rest;

/// <summary>Reads the Link header field (RFC 8288, section 3).</summary>
internal static class WebLink
{
    /// <summary>Returns the targets of all links with the relation <c>next</c>; null if the field cannot be read.</summary>
    /// <param name="field">The field's value; several are joined by commas.</param>
    public static IReadOnlyList<string>? Next(string field)
    {
        var found = new List<string>();
        for (var rest = field.Trim(); rest.Length > 0;)
        {
            var close = rest.IndexOf('>', StringComparison.Ordinal);
            if (rest[0] != '<' || close < 0)
                return null;
            var target = rest[1..close].Trim();
            if (Parameters(rest[(close + 1)..], out var after) is not { } parameters)
                return null;
            // Of several rel parameters of a link only the first counts.
            var relation = parameters.FirstOrDefault(p => p.Name.Equals("rel", StringComparison.OrdinalIgnoreCase)).Value ?? "";
            if (parameters.Any(p => p.Name.StartsWith("rel*", StringComparison.OrdinalIgnoreCase)) || relation.Contains('\'', StringComparison.Ordinal))
                return null;
            if (relation.Split(' ').Contains("next", StringComparer.OrdinalIgnoreCase))
                found.Add(target);
            rest = after;
        }
        return found;
    }

    /// <summary>Returns the parameters of one link; null if they cannot be read.</summary>
    /// <param name="rest">What follows the comma after them.</param>
    private static List<(string Name, string Value)>? Parameters(string text, out string rest)
    {
        var parameters = new List<(string, string)>();
        rest = "";
        var at = 0;
        while (Skip(text, ref at) is var next && next != '\0')
        {
            if (next == ',')
            {
                rest = text[(at + 1)..].TrimStart();
                return rest.Length == 0 ? null : parameters;
            }
            if (next != ';')
                return null;
            at++;
            if (Skip(text, ref at) is '\0' or ',' or ';')
                continue;
            var name = Token(text, ref at);
            var value = "";
            if (Skip(text, ref at) == '=')
            {
                at++;
                if ((Skip(text, ref at) == '"' ? Quoted(text, ref at) : Token(text, ref at)) is not { } read)
                    return null;
                value = read;
            }
            if (name.Length == 0)
                return null;
            parameters.Add((name, value));
        }
        return parameters;
    }

    private static char Skip(string text, ref int at)
    {
        while (at < text.Length && (text[at] is ' ' or '\t'))
            at++;
        return at < text.Length ? text[at] : '\0';
    }

    private static string Token(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && text[at] is not (' ' or '\t' or ';' or ',' or '=' or '"'))
            at++;
        return text[start..at];
    }

    /// <summary>Returns the content of a quoted text; null if it has no end.</summary>
    private static string? Quoted(string text, ref int at)
    {
        var content = new System.Text.StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                at++;
                return content.ToString();
            }
            if (text[at] == '\\' && ++at == text.Length)
                return null;
            content.Append(text[at]);
        }
        return null;
    }
}
