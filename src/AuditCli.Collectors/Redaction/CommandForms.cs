using System.Collections.Immutable;

namespace AuditCli.Collectors.Redaction;

/// <summary>Finds secrets that commands take as arguments without a name, and those of statements and settings of tools.</summary>
internal static class CommandForms
{
    private const int MostBefore = 128;

    public static ImmutableArray<CredentialForm> All { get; } =
    [
        new("docker login", (text, at) => ToolForms.Behind(text, at, " -p "), From: 5),
        new("az login", (text, at) => ToolForms.Behind(text, at, " -p ")),
        new("openssl enc", Encryption, From: 3),
        new("unzip", (text, at) => ToolForms.Behind(text, at, " -P "), From: 1),
        new("sqlcmd", (text, at) => ToolForms.Behind(text, at, " -P "), From: 2),
        new("htpasswd", PasswordFile),
        new("sudo -S", Piped),
        new("by '", Identified, AnyCase: true, From: 1),
        new("by \"", Identified, AnyCase: true, From: 1),
        new("_auth", Registry),
        new("psk", Wireless, AnyCase: true),
    ];

    private static TextPart Encryption(ReadOnlySpan<char> text, int at) =>
        ToolForms.Behind(text, at, " -k ") is { Length: > 0 } found ? found : ToolForms.Behind(text, at, " -K ");

    /// <summary>Reads the last argument of <c>htpasswd -b file user x</c>.</summary>
    private static TextPart PasswordFile(ReadOnlySpan<char> text, int at)
    {
        var line = ToolForms.Line(text, at).TrimEnd(" \t\r\"'");
        var words = line.Count(' ');
        var option = line["htpasswd".Length..] is [' ', '-', .. var rest] ? rest[..(rest.IndexOf(' ') is >= 0 and var blank ? blank : rest.Length)] : default;
        if (!option.Contains('b') || words < (option.Contains('n') ? 3 : 4))
            return TextPart.None;
        var last = line.LastIndexOfAny(" \"'") + 1;
        return ToolForms.Judged(at + last, line[last..]);
    }

    /// <summary>Reads the password that is piped into sudo.</summary>
    private static TextPart Piped(ReadOnlySpan<char> text, int at)
    {
        const string Echo = "echo ";
        var first = Math.Max(0, at - MostBefore);
        if (text[first..at].TrimEnd() is not [.., '|'] || text[first..at].LastIndexOf(Echo) is not (>= 0 and var echo))
            return TextPart.None;
        var start = first + echo + Echo.Length;
        start += text[start..].StartsWith("-n ") ? "-n ".Length : 0;
        start = NamedForms.SkipQuote(text, start, out _);
        var value = start < at ? text[start..at].TrimEnd(" |\"'\\") : default;
        return value.IsEmpty || value.ContainsAny(" |;\n") ? TextPart.None : ToolForms.Judged(start, value);
    }

    /// <summary>Reads <c>IDENTIFIED BY 'x'</c>.</summary>
    private static TextPart Identified(ReadOnlySpan<char> text, int at) =>
        text[..at].TrimEnd().EndsWith("identified", StringComparison.OrdinalIgnoreCase) ? LayoutForms.InQuotes(text, at + 3) : TextPart.None;

    /// <summary>Reads user and password in base64, as npm keeps them.</summary>
    private static TextPart Registry(ReadOnlySpan<char> text, int at)
    {
        var start = at + "_auth".Length;
        NamedForms.SkipBlanks(text, ref start);
        if (start >= text.Length || text[start] != '=')
            return TextPart.None;
        start++;
        NamedForms.SkipBlanks(text, ref start);
        start = NamedForms.SkipQuote(text, start, out _);
        var length = FormLetters.Run(text, start, FormLetters.Base64, 1024);
        return NamedForms.IsUserAndPassword(text.Slice(start, length)) ? new(start, length) : TextPart.None;
    }

    /// <summary>Reads the key of a wireless network or a tunnel: <c>psk=x</c> and <c>: PSK "x"</c>.</summary>
    private static TextPart Wireless(ReadOnlySpan<char> text, int at)
    {
        var start = at + "psk".Length;
        if (at > 0 && char.IsAsciiLetterOrDigit(text[at - 1]) || start >= text.Length)
            return TextPart.None;
        if (text[start] == '=')
        {
            start = NamedForms.SkipQuote(text, start + 1, out _);
            return ToolForms.Judged(start, NamedForms.BeforeEnd(text.Slice(start, Math.Min(256, text.Length - start))));
        }
        return text[start] == ' ' && start + 1 < text.Length && text[start + 1] == '"' && text[..at].TrimEnd() is [.., ':']
            ? LayoutForms.InQuotes(text, start + 1) : TextPart.None;
    }
}
