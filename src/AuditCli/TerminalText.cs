using System.Text;
using AuditCli.Evidence;

namespace AuditCli;

/// <summary>
/// Writes to a terminal what providers and files of strangers say: everything that could steer it is shown as <c>\uXXXX</c>, and only line
/// ends and tabs stay. What draws on purpose takes the writer below.
/// </summary>
public sealed class TerminalText(TextWriter terminal) : TextWriter
{
    public override Encoding Encoding => terminal.Encoding;

    /// <summary>The terminal itself, where the writer is one of these; else the writer.</summary>
    public static TextWriter Below(TextWriter writer) => writer is TerminalText text ? text.Terminal : writer;

    public override void Write(char value) => terminal.Write(char.IsSurrogate(value) ? value.ToString() : Harmless([value]));

    public override void Write(char[] buffer, int index, int count) => terminal.Write(Harmless(buffer.AsSpan(index, count)));

    public override void Write(ReadOnlySpan<char> buffer) => terminal.Write(Harmless(buffer));

    public override void Write(string? value) => terminal.Write(Harmless(value));

    public override void WriteLine(string? value) => terminal.Write(Harmless(value) + terminal.NewLine);

    public override void Flush() => terminal.Flush();

    private TextWriter Terminal => terminal;

    private static string Harmless(ReadOnlySpan<char> text)
    {
        var shown = new StringBuilder(text.Length);
        while (text.IndexOfAny("\r\n\t") is >= 0 and var end)
        {
            shown.Append(PrintableText.Of(text[..end].ToString())).Append(text[end]);
            text = text[(end + 1)..];
        }
        return shown.Append(PrintableText.Of(text.ToString())).ToString();
    }
}
