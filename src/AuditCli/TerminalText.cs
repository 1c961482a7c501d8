using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using AuditCli.Evidence;

namespace AuditCli;

/// <summary>
/// The one way to stdout and stderr: whatever could steer a terminal or is not seen there is shown as <c>\uXXXX</c>, whoever said it, and only
/// line ends and tabs stay. JSON stays the same JSON: there such characters are in texts alone, and this is how JSON spells them itself.
/// </summary>
public sealed partial class TerminalText : TextWriter
{
    private static readonly SearchValues<char> Plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c), '\n', '\t']);
    private readonly TextWriter _terminal;
    private readonly bool _draws;

    /// <summary>The first half of a pair of which the other half has not been written yet.</summary>
    private char? _half;

    public TerminalText(TextWriter terminal)
        : this(terminal, draws: false)
    {
    }

    private TerminalText(TextWriter terminal, bool draws) => (_terminal, _draws) = (terminal, draws);

    public override Encoding Encoding => _terminal.Encoding;

    /// <summary>
    /// The same terminal for a console that colours its text and redraws its lines: of all sequences that steer a terminal those pass which do
    /// this, and nothing more.
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

    /// <summary>In one piece, so that lines of several threads do not mix.</summary>
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

    /// <summary>How much of the beginning is a line end, a tab or what a console draws with.</summary>
    private int Kept(ReadOnlySpan<char> text) => text switch
    {
        ['\n' or '\t', ..] => 1,
        ['\r', '\n', ..] => 2,
        ['\r', ..] when _draws => 1,
        ['\u001b', ..] when _draws => Strokes(text),
        _ => 0,
    };

    /// <summary>How many characters come before the next one that <see cref="Kept"/> may keep.</summary>
    private static int Words(ReadOnlySpan<char> text) => text[1..].IndexOfAny("\r\n\t\u001b") is >= 0 and var end ? end + 1 : text.Length;

    private static int Strokes(ReadOnlySpan<char> text)
    {
        foreach (var stroke in Stroke().EnumerateMatches(text))
            return stroke.Length;
        return 0;
    }

    /// <summary>Colours, a line that is erased, a cursor that goes up or is hidden.</summary>
    [GeneratedRegex(@"\A\u001b\[([0-9;]{0,32}m|[0-9]{0,4}A|[0-2]?K|\?25[hl])", RegexOptions.CultureInvariant)]
    private static partial Regex Stroke();
}
