using System.Text;
using System.Xml.Linq;
using AuditCli.Bundles;

namespace AuditCli.Lookup;

/// <summary>
/// The part of an answer that a reference points at. References have the names of the provider's documentation; in XML those are elements,
/// with lists inside an element of their own or without. A document inside the answer, such as the credential report, is decoded.
/// </summary>
internal static class AnswerPart
{
    /// <summary>The part as text; null where the body has nothing there, or is neither JSON nor XML.</summary>
    public static string? Of(ReadOnlyMemory<byte> body, string pointer)
    {
        if (JsonPointer.Tokens(pointer) is not { Length: > 0 } tokens)
            return null;
        if (ShownBody.Json(body) is { } document)
        {
            using (document)
                return OfJson(document.RootElement, tokens);
        }
        return ShownBody.Xml(body) is { Root: { } root } ? OfXml(root, tokens) : null;
    }

    private static string? OfJson(System.Text.Json.JsonElement value, string[] tokens)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            if (JsonPointer.Find(value, $"/{JsonPointer.Escape(tokens[i])}") is not { } next)
                return value.ValueKind == System.Text.Json.JsonValueKind.String ? Line(RowJson.Text(value), tokens[i..]) : null;
            value = next;
        }
        return value.GetRawText();
    }

    private static string? OfXml(XElement root, string[] tokens)
    {
        // The answer of a query protocol has its members below an element of the operation's name and "Result".
        var at = Named(root, tokens[0]) is null && root.Elements().FirstOrDefault(e => e.Name.LocalName.EndsWith("Result", StringComparison.Ordinal)) is { } result ? result : root;
        for (var i = 0; i < tokens.Length; i++)
        {
            var next = JsonPointer.Index(tokens[i]) is { } index ? Element(at, index) : Named(at, tokens[i]);
            if (next is null)
                return at.HasElements ? null : Line(at.Value, tokens[i..]);
            at = next;
        }
        return at.HasElements ? at.ToString() : at.Value;
    }

    /// <summary>A member by its name; some services shorten it and say what kind of list it is (<c>securityGroupInfo</c>).</summary>
    private static XElement? Named(XElement of, string name) =>
        of.Elements().FirstOrDefault(e => e.Name.LocalName == name)
        ?? of.Elements().FirstOrDefault(e => e.Name.LocalName.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? of.Elements().FirstOrDefault(e => e.Name.LocalName.StartsWith(name.TrimEnd('s'), StringComparison.OrdinalIgnoreCase));

    /// <summary>An element of a list: of those inside this one, or where they stand without one, of those beside it.</summary>
    private static XElement? Element(XElement list, int index)
    {
        var inside = list.Elements().ToArray();
        if (inside.Length > 0 && inside.All(e => e.Name == inside[0].Name))
            return inside.ElementAtOrDefault(index);
        return list.Parent?.Elements(list.Name).ElementAtOrDefault(index);
    }

    /// <summary>A record of a table in base64, with the names of its columns; null where it is none.</summary>
    private static string? Line(string encoded, string[] tokens)
    {
        if (tokens is not [var token] || JsonPointer.Index(token) is not { } index)
            return null;
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded.Trim(), bytes, out var length))
            return null;
        var lines = Encoding.UTF8.GetString(bytes, 0, length).ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (index + 1 >= lines.Length)
            return null;
        var (names, values) = (lines[0].Split(','), lines[index + 1].Split(','));
        return string.Join('\n', names.Zip(values, (name, value) => $"{name}: {value}"));
    }
}
