namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Finds the value of a secret's name where the layout puts it apart from the name: on the next line, in the next cell of a table, in an
/// attribute or element, or quoted in a statement of SQL.
/// </summary>
internal static class LayoutForms
{
    private const int Longest = 512;
    private const int MostBefore = 128;
    private const int MostBlanks = 64;
    private const int MostBlanksOnLine = 8;

    /// <summary>Reads the value of a name behind which stands no sign of an assignment.</summary>
    /// <param name="start">The place at which the name begins.</param>
    /// <param name="end">The place after the name.</param>
    /// <param name="at">The place after the quote of the name and the blanks that follow it.</param>
    public static TextPart Behind(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name, int end, int at)
    {
        if (at >= text.Length || SecretNames.Of(name) is not NameSays.Secret and not NameSays.Perhaps)
            return TextPart.None;
        return text[at] switch
        {
            '\r' or '\n' => InPair(text, start, name, at),
            '*' => Emphasised(text, start, name, end),
            '|' => InTable(text, start, name, at),
            '<' => InElements(text, start, name, at),
            '"' or '\'' when at > end => Quoted(text, start, name, at),
            '>' when IsAttribute(text, start) => Word(text, at + 1, "<", name),
            'v' or 'V' when IsAttribute(text, start) => Attribute(text, name, at),
            _ => TextPart.None,
        };
    }

    /// <summary>Returns the place of a value that is alone on the line after its name; the given place if there is none.</summary>
    public static int OnNextLine(ReadOnlySpan<char> text, int at)
    {
        var next = at;
        while (next < text.Length && next - at < MostBlanksOnLine && text[next] is '\r' or '\n' or ' ' or '\t')
            next++;
        if (next == at)
            return at;
        var line = text.Slice(next, Math.Min(Longest, text.Length - next));
        line = line[..(line.IndexOfAny('\r', '\n') is >= 0 and var end ? end : line.Length)].TrimEnd(" \t\"'");
        return !line.ContainsAny("=: \t") && line.ContainsAny(SecretNames.Digits) && line.ContainsAny(SecretNames.Letters) ? next : at;
    }

    /// <summary>Returns the place of a value that is alone on an indented line after <c>name:</c>; the given place if there is none.</summary>
    public static int OnIndentedLine(ReadOnlySpan<char> text, int at)
    {
        var line = at < text.Length && text[at] == '\r' ? at + 1 : at;
        return line + 1 < text.Length && text[line] == '\n' && text[line + 1] is ' ' or '\t' ? OnNextLine(text, at) : at;
    }

    /// <summary>Whether a quoted name is the first argument of a call, such as <c>define('NAME', 'x')</c>.</summary>
    public static bool IsArgument(ReadOnlySpan<char> text, int start) =>
        text[..start].TrimEnd("\"'\\`") is [.., '('] before && before.Length < start;

    /// <summary>
    /// Whether a value follows the name without a sign: in a line of netrc, in the settings of Redis, and in <c>aws configure set</c>.
    /// </summary>
    public static bool IsDirective(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name) =>
        name is "requirepass" or "masterauth" || name is "password" && IsBehindLogin(text, start)
        || text[Math.Max(0, start - MostBefore)..start].TrimEnd(" \t") is var before && before.EndsWith("configure set", StringComparison.Ordinal);

    /// <summary>Whether the name stands after <c>login NAME</c>, as in a line of netrc.</summary>
    private static bool IsBehindLogin(ReadOnlySpan<char> text, int start)
    {
        var before = text[Math.Max(0, start - MostBefore)..start].TrimEnd(" \t\r\n");
        before = before[..(before.LastIndexOfAny(" \t\r\n") is >= 0 and var blank ? blank : 0)].TrimEnd(" \t\r\n");
        return before.EndsWith("login", StringComparison.Ordinal);
    }

    /// <summary>Reads <c>value: x</c> on the line after <c>name: NAME</c>, as in the variables of a container.</summary>
    private static TextPart InPair(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name, int at)
    {
        var before = text[Math.Max(0, start - MostBefore)..start].TrimEnd(" \t\"'");
        if (!before.EndsWith("name:", StringComparison.OrdinalIgnoreCase) && !before.EndsWith("key:", StringComparison.OrdinalIgnoreCase))
            return TextPart.None;
        at = SkipSpace(text, at);
        if (!text[at..].StartsWith("value:", StringComparison.OrdinalIgnoreCase))
            return TextPart.None;
        at += "value:".Length;
        NamedForms.SkipBlanks(text, ref at);
        at = NamedForms.SkipQuote(text, at, out _);
        var value = NamedForms.BeforeEnd(text.Slice(at, Math.Min(Longest, text.Length - at)));
        return SecretNames.Holds(SecretNames.Of(name), value, assigned: true) ? new(at, value.Length) : TextPart.None;
    }

    /// <summary>Reads <c>**password**: x</c>, and a cell of which the name is emphasised.</summary>
    private static TextPart Emphasised(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name, int end)
    {
        var at = end;
        while (at < text.Length && at - end < 2 && text[at] == '*')
            at++;
        if (at < text.Length && text[at] == ':')
            return Word(text, at + 1, "\r\n", name);
        NamedForms.SkipBlanks(text, ref at);
        return at < text.Length && text[at] == '|' ? InTable(text, start, name, at) : TextPart.None;
    }

    /// <summary>Reads the cell after that of the name, in a table of Markdown or a terminal.</summary>
    private static TextPart InTable(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name, int at) =>
        text[Math.Max(0, start - MostBlanks)..start].TrimEnd(" \t*`") is [.., '|'] ? Word(text, at + 1, "|", name) : TextPart.None;

    /// <summary>Reads the element after that of the name: a cell of a table or a value.</summary>
    private static TextPart InElements(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name, int at)
    {
        if (text[Math.Max(0, start - MostBlanks)..start].TrimEnd() is not [.., '>'] || !text[at..].StartsWith("</"))
            return TextPart.None;
        var line = text.Slice(at, Math.Min(Longest, text.Length - at));
        if (line.IndexOf('>') is not (> 0 and var close))
            return TextPart.None;
        var next = SkipSpace(text, at + close + 1);
        line = text.Slice(next, Math.Min(Longest, text.Length - next));
        if (line is not ['<', ..] || line.IndexOf('>') is not (> 1 and var open))
            return TextPart.None;
        var tag = line[1..open];
        tag = tag[..(tag.IndexOf(' ') is >= 0 and var blank ? blank : tag.Length)];
        return tag is "td" or "th" or "dd" or "value" or "Value" or "string" ? Word(text, next + open + 1, "<", name) : TextPart.None;
    }

    /// <summary>Reads the attribute after that of the name: <c>key="NAME" value="x"</c>.</summary>
    private static TextPart Attribute(ReadOnlySpan<char> text, ReadOnlySpan<char> name, int at)
    {
        if (!text[at..].StartsWith("value=", StringComparison.OrdinalIgnoreCase))
            return TextPart.None;
        at = NamedForms.SkipQuote(text, at + "value=".Length, out var quote);
        var value = NamedForms.BeforeEnd(text.Slice(at, Math.Min(Longest, text.Length - at)));
        return quote != '\0' && at + value.Length < text.Length && text[at + value.Length] != ' '
            && SecretNames.Holds(SecretNames.Of(name), value, assigned: true)
            ? new(at, value.Length) : TextPart.None;
    }

    private static bool IsAttribute(ReadOnlySpan<char> text, int start)
    {
        var before = text[Math.Max(0, start - MostBefore)..start].TrimEnd("\"'\\");
        return before.EndsWith("key=", StringComparison.OrdinalIgnoreCase) || before.EndsWith("name=", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads the text of <c>WITH PASSWORD 'x'</c>; a sentence may quote a word in the same way.</summary>
    private static TextPart Quoted(ReadOnlySpan<char> text, int start, ReadOnlySpan<char> name, int at)
    {
        if (!name.Equals("password", StringComparison.OrdinalIgnoreCase))
            return TextPart.None;
        var before = text[Math.Max(0, start - MostBefore)..start];
        var isSql = before.Contains("role ", StringComparison.OrdinalIgnoreCase) || before.Contains("user ", StringComparison.OrdinalIgnoreCase)
            || before.Contains("login ", StringComparison.OrdinalIgnoreCase) || before.TrimEnd().EndsWith("with", StringComparison.OrdinalIgnoreCase);
        return isSql ? InQuotes(text, at) : TextPart.None;
    }

    /// <summary>Reads a quoted word as a secret.</summary>
    /// <param name="at">The place of the opening quote.</param>
    public static TextPart InQuotes(ReadOnlySpan<char> text, int at)
    {
        var line = text.Slice(at + 1, Math.Min(Longest, text.Length - at - 1));
        return line.IndexOf(text[at]) is > 0 and var end && line[..end] is var value && !value.ContainsAny(" \t\r\n")
            && !ValueName.IsTicketOrDate(value) && SecretNames.Holds(NameSays.Secret, value.TrimEnd('\\'), assigned: true)
            ? new(at + 1, value.TrimEnd('\\').Length) : TextPart.None;
    }

    /// <summary>Reads one word up to a sign, which is a secret by its own look too, because descriptions stand in such places as well.</summary>
    private static TextPart Word(ReadOnlySpan<char> text, int at, ReadOnlySpan<char> signs, ReadOnlySpan<char> name)
    {
        var rest = text.Slice(at, Math.Min(Longest, text.Length - at));
        if (rest.IndexOfAny(signs) is >= 0 and var end)
            rest = rest[..end];
        var value = rest.Trim(" \t\r\n`*\"");
        return ValueName.IsPair(name, value) ? new(at + rest.IndexOf(value), value.Length) : TextPart.None;
    }

    private static int SkipSpace(ReadOnlySpan<char> text, int at)
    {
        var from = at;
        while (at < text.Length && at - from < MostBlanks && text[at] is ' ' or '\t' or '\r' or '\n')
            at++;
        return at;
    }
}
