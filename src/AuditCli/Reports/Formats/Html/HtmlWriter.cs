using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using AuditCli.Text;

namespace AuditCli.Reports.Formats.Html;

/// <summary>Writes HTML. Every interpolated value is encoded; there is no method that writes a value as markup.</summary>
internal sealed class HtmlWriter(TextWriter output)
{
    /// <summary>The maximum number of characters shown of one value.</summary>
    public const int TextShown = 2000;

    /// <summary>Writes markup with interpolated values.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "The handler writes to this writer.")]
    public void Write([InterpolatedStringHandlerArgument("")] HtmlHandler html) => _ = html;

    /// <summary>Writes constant markup.</summary>
    public void Markup([ConstantExpected] string markup) => output.Write(markup);

    internal void Literal(string markup) => output.Write(markup);

    internal void Text(string value)
    {
        foreach (var c in Terminal.Of(value, TextShown))
        {
            switch (c)
            {
                case '&':
                    output.Write("&amp;");
                    break;
                case '<':
                    output.Write("&lt;");
                    break;
                case '>':
                    output.Write("&gt;");
                    break;
                case '"':
                    output.Write("&quot;");
                    break;
                case '\'':
                    output.Write("&#39;");
                    break;
                default:
                    output.Write(c);
                    break;
            }
        }
    }
}

/// <summary>An interpolated string handler for <see cref="HtmlWriter"/>: literals are markup, interpolated values are text.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlHandler
{
    private readonly HtmlWriter _html;

    [SuppressMessage("Style", "IDE0060", Justification = "The compiler passes the lengths.")]
    public HtmlHandler(int literalLength, int formattedCount, HtmlWriter html) => _html = html;

    public void AppendLiteral(string markup) => _html.Literal(markup);

    public void AppendFormatted(string? value) => _html.Text(value ?? "");

    public void AppendFormatted(long value) => _html.Text(value.ToString("#,0", CultureInfo.InvariantCulture));

    /// <summary>Appends a number of a drawing.</summary>
    public void AppendFormatted(double value) => _html.Text(value.ToString("0.###", CultureInfo.InvariantCulture));
}
