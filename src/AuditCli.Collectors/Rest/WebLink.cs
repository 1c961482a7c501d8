namespace AuditCli.Collectors.Rest;

/// <summary>Reads the Link header field (RFC 8288, section 3).</summary>
internal static class WebLink
{
    /// <summary>Returns the target of the link with the relation <c>next</c>; null if the field has none.</summary>
    /// <param name="field">The field's value; several are joined by commas.</param>
    public static string? Next(string? field)
    {
        var rest = (field ?? "").AsSpan();
        while (rest.IndexOf('<') is >= 0 and var open && rest[open..].IndexOf('>') is > 0 and var length)
        {
            var target = rest.Slice(open + 1, length - 1);
            rest = rest[(open + length + 1)..];
            var end = End(rest);
            if (IsNext(rest[..end]))
                return target.Trim().ToString();
            rest = rest[end..];
        }
        return null;
    }

    /// <summary>Returns where the parameters of a link end: at the comma before the next link, outside quotes.</summary>
    private static int End(ReadOnlySpan<char> parameters)
    {
        var quoted = false;
        for (var i = 0; i < parameters.Length; i++)
        {
            if (quoted && parameters[i] == '\\')
                i++;
            else if (parameters[i] == '"')
                quoted = !quoted;
            else if (parameters[i] == ',' && !quoted)
                return i;
        }
        return parameters.Length;
    }

    private static bool IsNext(ReadOnlySpan<char> parameters)
    {
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim();
            var equals = parameter.IndexOf('=');
            if (equals < 0 || !parameter[..equals].Trim().Equals("rel", StringComparison.OrdinalIgnoreCase))
                continue;
            // Of several rel parameters only the first counts.
            foreach (var relation in parameter[(equals + 1)..].Trim().Trim('"').ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (relation.Equals("next", StringComparison.OrdinalIgnoreCase))
                    return true;
            }
            return false;
        }
        return false;
    }
}
