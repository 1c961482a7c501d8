using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using System.Xml;
using System.Xml.Linq;
using AuditCli.Evidence.Text;

namespace AuditCli.Lookup;

/// <summary>
/// A message body prepared for display: a bounded number of lines of bounded length, with control characters escaped. JSON and XML are
/// indented; binary data is shown in hexadecimal.
/// </summary>
/// <param name="Form">The detected form: <c>JSON</c>, <c>XML</c>, <c>text</c>, <c>binary</c> or <c>empty</c>.</param>
/// <param name="Before">The number of lines before those shown.</param>
/// <param name="After">The number of lines after those shown.</param>
internal sealed record ShownBody(string Form, long Bytes, ImmutableArray<string> Lines, long Before, long After)
{
    /// <summary>The maximum number of lines shown.</summary>
    public const int MostLines = 120;
    private const int LongestLine = 400;
    private const int MostLaidOut = 16 * 1024 * 1024;
    private const int MostHexadecimal = 512;
    private const int Depth = 256;
    private static readonly JsonWriterOptions Indented =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = Depth };

    /// <summary>Prepares a body for display.</summary>
    /// <param name="near">The lines around the first of these words that occurs are shown; if none occurs, the first lines.</param>
    public static ShownBody Of(ReadOnlyMemory<byte> body, IEnumerable<string> near)
    {
        if (body.IsEmpty)
            return new("empty", 0, [], 0, 0);
        var (form, text) = Read(body);
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var at = near.Where(n => n.Length > 0)
            .Select(n => Array.FindIndex(lines, l => l.Contains(n, StringComparison.Ordinal))).FirstOrDefault(i => i >= 0, 0);
        var first = Math.Clamp(at - (MostLines / 3), 0, Math.Max(0, lines.Length - MostLines));
        var shown = lines.Skip(first).Take(MostLines).Select(l => PrintableText.Of(l, LongestLine)).ToImmutableArray();
        return new(form, body.Length, shown, first, lines.Length - first - shown.Length);
    }

    /// <summary>
    /// Prepares the part of a body at a pointer for display; null if nothing is there, or the body is neither JSON nor XML.
    /// </summary>
    public static ShownBody? At(ReadOnlyMemory<byte> body, string pointer) =>
        body.Length <= MostLaidOut && AnswerPart.Of(body, pointer) is { } part ? Of(Encoding.UTF8.GetBytes(part), []) : null;

    /// <summary>Returns the value at a pointer of a JSON body unchanged; null if there is none.</summary>
    public static JsonElement? ValueAt(ReadOnlyMemory<byte> body, string pointer)
    {
        if (pointer.Length == 0 || body.Length > MostLaidOut || Json(body) is not { } document)
            return null;
        using (document)
            return JsonPointer.Find(document.RootElement, pointer)?.Clone();
    }

    private static (string Form, string Text) Read(ReadOnlyMemory<byte> body)
    {
        if (body.Length <= MostLaidOut && Json(body) is { } document)
        {
            using (document)
                return ("JSON", LaidOut(document) ?? Encoding.UTF8.GetString(body.Span));
        }
        if (!Utf8.IsValid(body.Span) || body.Span.Contains((byte)0))
            return ("binary", Hexadecimal(body.Span));
        var text = Encoding.UTF8.GetString(body.Span);
        return body.Length <= MostLaidOut && text.AsSpan().TrimStart().StartsWith("<") && Xml(text) is { } xml
            ? ("XML", xml.ToString())
            : ("text", text);
    }

    /// <summary>Parses a body that is a JSON object or array; null for any other.</summary>
    public static JsonDocument? Json(ReadOnlyMemory<byte> body)
    {
        if (body.Span.TrimStart(" \t\r\n"u8) is not [(byte)'{' or (byte)'[', ..])
            return null;
        try
        {
            return JsonDocument.Parse(body, new() { MaxDepth = Depth });
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? LaidOut(JsonDocument document)
    {
        using var text = new MemoryStream();
        try
        {
            using var writer = new Utf8JsonWriter(text, Indented);
            document.WriteTo(writer);
        }
        catch (InvalidOperationException)
        {
            return null;  // an unpaired surrogate; the text is shown unformatted
        }
        return Encoding.UTF8.GetString(text.GetBuffer().AsSpan(0, (int)text.Length));
    }

    /// <summary>Parses a body that is XML; null for any other.</summary>
    public static XDocument? Xml(ReadOnlyMemory<byte> body) =>
        body.Length <= MostLaidOut && Utf8.IsValid(body.Span) && body.Span.TrimStart(" \t\r\n"u8) is [(byte)'<', ..]
            ? Xml(Encoding.UTF8.GetString(body.Span))
            : null;

    private static XDocument? Xml(string text)
    {
        try
        {
            var settings = new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                MaxCharactersInDocument = MostLaidOut,
            };
            using var reader = XmlReader.Create(new StringReader(text), settings);
            return XDocument.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static string Hexadecimal(ReadOnlySpan<byte> body)
    {
        var text = new StringBuilder();
        for (var at = 0; at < Math.Min(body.Length, MostHexadecimal); at += 16)
        {
            var row = body[at..Math.Min(body.Length, at + 16)];
            text.Append(CultureInfo.InvariantCulture, $"{at:x6}  ").Append(Convert.ToHexStringLower(row)).Append('\n');
        }
        return text.Append(body.Length > MostHexadecimal ? $"and {body.Length - MostHexadecimal} more bytes" : "").ToString().TrimEnd('\n');
    }
}
