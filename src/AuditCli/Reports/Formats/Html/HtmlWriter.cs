using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using AuditCli.Text;

namespace AuditCli.Reports.Formats.Html;

/// <summary>Writes markup in which every hole is encoded: there is no way to put a value in as markup.</summary>
internal sealed class HtmlWriter(TextWriter output)
{
    /// <summary>Characters of one value that are shown.</summary>
    public const int TextShown = 2000;

    /// <summary>Markup with values in it.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "The handler writes to this writer.")]
    public void Write([InterpolatedStringHandlerArgument("")] HtmlHandler html) => _ = html;

    /// <summary>Markup without values.</summary>
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

/// <summary>Takes an interpolated string apart: its literals are markup, its holes are text.</summary>
[InterpolatedStringHandler]
internal readonly ref struct HtmlHandler
{
    private readonly HtmlWriter _html;

    [SuppressMessage("Style", "IDE0060", Justification = "The compiler passes the lengths.")]
    public HtmlHandler(int literalLength, int formattedCount, HtmlWriter html) => _html = html;

    public void AppendLiteral(string markup) => _html.Literal(markup);

    public void AppendFormatted(string? value) => _html.Text(value ?? "");

    public void AppendFormatted(long value) => _html.Text(value.ToString("#,0", CultureInfo.InvariantCulture));

    /// <summary>A number of a drawing.</summary>
    public void AppendFormatted(double value) => _html.Text(value.ToString("0.###", CultureInfo.InvariantCulture));
}
