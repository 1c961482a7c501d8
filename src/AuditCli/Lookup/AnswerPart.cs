using System.Text;
using System.Xml.Linq;
using AuditCli.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Lookup;

/// <summary>
/// Extracts the part of a response body that a reference points to. References use the member names of the provider's documentation; in XML
/// these are elements, and a list may or may not have an element of its own. An encoded document inside the response, such as the
/// credential report, is decoded.
/// </summary>
internal static class AnswerPart
{
    /// <summary>Returns the part as text; null if the body has nothing there, or is neither JSON nor XML.</summary>
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
        // A response of the AWS query protocol has its members in an element named after the operation plus "Result".
        var at = Named(root, tokens[0]) is null
            && root.Elements().FirstOrDefault(e => e.Name.LocalName.EndsWith("Result", StringComparison.Ordinal)) is { } result
                ? result
                : root;
        for (var i = 0; i < tokens.Length; i++)
        {
            var next = JsonPointer.Index(tokens[i]) is { } index ? Element(at, index) : Named(at, tokens[i]);
            if (next is null)
                return at.HasElements ? null : Line(at.Value, tokens[i..]);
            at = next;
        }
        return at.HasElements ? at.ToString() : at.Value;
    }

    /// <summary>Returns a member by name. Some services shorten the name and append the kind of list (<c>securityGroupInfo</c>).</summary>
    private static XElement? Named(XElement of, string name) =>
        of.Elements().FirstOrDefault(e => e.Name.LocalName == name)
        ?? of.Elements().FirstOrDefault(e => e.Name.LocalName.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? of.Elements().FirstOrDefault(e => e.Name.LocalName.StartsWith(name.TrimEnd('s'), StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Returns an element of a list: a child of this element or, if the list has no element of its own, a sibling of the same name.
    /// </summary>
    private static XElement? Element(XElement list, int index)
    {
        var inside = list.Elements().ToArray();
        if (inside.Length > 0 && inside.All(e => e.Name == inside[0].Name))
            return inside.ElementAtOrDefault(index);
        return list.Parent?.Elements(list.Name).ElementAtOrDefault(index);
    }

    /// <summary>Returns a record of a base64-encoded CSV table with the names of its columns; null if the text is not one.</summary>
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
