using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using AuditCli.Evidence.Text;

namespace AuditCli.Text;

/// <summary>
/// The only writer to stdout and stderr. Control characters and invisible characters are written as <c>\uXXXX</c>, whatever their source;
/// only line ends and tabs are kept. JSON remains equivalent: such characters occur only in its strings, and this is their JSON escape.
/// </summary>
public sealed partial class TerminalText : TextWriter
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c), '\n', '\t']);
    private readonly TextWriter _terminal;
    private readonly bool _draws;

    /// <summary>A high surrogate whose low surrogate has not been written yet.</summary>
    private char? _half;

    public TerminalText(TextWriter terminal)
        : this(terminal, draws: false)
    {
    }

    private TerminalText(TextWriter terminal, bool draws) => (_terminal, _draws) = (terminal, draws);

    public override Encoding Encoding => _terminal.Encoding;

    /// <summary>
    /// Returns a writer to the same terminal for a console that colours its text and redraws lines: it also passes the control sequences
    /// for that, and no others.
    /// </summary>
    public static TerminalText Drawing(TextWriter writer) => new(writer is TerminalText text ? text._terminal : writer, draws: true);

    public override void Write(char value) => Write([value]);

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (_half is null && !buffer.ContainsAnyExcept(Plain))
            _terminal.Write(buffer);
        else
            _terminal.Write(Harmless(buffer));
    }

    /// <summary>Writes text and line end in one call, so that lines of several threads do not mix.</summary>
    public override void WriteLine(string? value) => Write(value + _terminal.NewLine);

    public override void Flush()
    {
        if (_half is { } half)
            _terminal.Write(PrintableText.Of(half.ToString()));
        _half = null;
        _terminal.Flush();
    }

    private string Harmless(ReadOnlySpan<char> text)
    {
        var all = _half + text.ToString();
        _half = all is [.., var last] && char.IsHighSurrogate(last) ? last : null;
        text = all.AsSpan(0, all.Length - (_half is null ? 0 : 1));
        var shown = new StringBuilder(text.Length + 16);
        while (!text.IsEmpty)
        {
            var kept = Kept(text);
            if (kept > 0)
                shown.Append(text[..kept]);
            else
                shown.Append(PrintableText.Of(text[..(kept = Words(text))].ToString()));
            text = text[kept..];
        }
        return shown.ToString();
    }

    /// <summary>Returns how many characters at the beginning are a line end, a tab or a permitted control sequence.</summary>
    private int Kept(ReadOnlySpan<char> text) => text switch
    {
        ['\n' or '\t', ..] => 1,
        ['\r', '\n', ..] => 2,
        ['\r', ..] when _draws => 1,
        ['\u001b', ..] when _draws => Strokes(text),
        _ => 0,
    };

    /// <summary>Returns how many characters precede the next one that <see cref="Kept"/> may keep.</summary>
    private static int Words(ReadOnlySpan<char> text) => text[1..].IndexOfAny("\r\n\t\u001b") is >= 0 and var end ? end + 1 : text.Length;

    private static int Strokes(ReadOnlySpan<char> text)
    {
        foreach (var stroke in Stroke().EnumerateMatches(text))
            return stroke.Length;
        return 0;
    }

    /// <summary>Matches colours, erasing a line, moving the cursor up, and hiding or showing it.</summary>
    [GeneratedRegex(@"\A\u001b\[([0-9;]{0,32}m|[0-9]{0,4}A|[0-2]?K|\?25[hl])", RegexOptions.CultureInvariant)]
    private static partial Regex Stroke();
}
