using System.Collections.Immutable;
using System.Net;
using System.Text;

namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Replaces values in XML without changing any other character. It only needs opening and closing tags; a malformed document is processed
/// up to the first place that cannot be parsed.
/// </summary>
internal static class XmlLeaves
{
    /// <summary>Returns the replacement of the value at a path; null to keep it.</summary>
    public delegate string? Replacement(List<(string? Member, long Index)> path, ReadOnlySpan<char> value);

    private const string Verbatim = "<![CDATA[";

    /// <summary>
    /// Returns the document with the text of each element without child elements replaced; the same text if nothing is replaced.
    /// </summary>
    public static string Replace(string xml, Replacement instead)
    {
        StringBuilder? clean = null;
        var copied = 0;
        Visit(xml, (path, leaf) =>
        {
            if (instead(path, Value(xml.AsSpan(leaf.Start, leaf.Length))) is not { } value)
                return;
            clean = (clean ?? new(xml.Length)).Append(xml, copied, leaf.Start - copied).Append(WebUtility.HtmlEncode(value));
            copied = leaf.End;
        });
        return clean is null ? xml : clean.Append(xml, copied, xml.Length - copied).ToString();
    }

    /// <summary>Returns the places of the texts of elements without child elements whose path fits, in order.</summary>
    public static ImmutableArray<TextPart> Where(string xml, Func<List<(string? Member, long Index)>, bool> fits)
    {
        var found = ImmutableArray.CreateBuilder<TextPart>();
        Visit(xml, (path, leaf) =>
        {
            if (fits(path))
                found.Add(leaf);
        });
        return found.ToImmutable();
    }

    private static void Visit(string xml, Action<List<(string? Member, long Index)>, TextPart> visit)
    {
        var path = new List<(string? Member, long Index)>();
        var names = new HashSet<string>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        var (at, leaf) = (0, -1);
        while (xml.IndexOf('<', at) is >= 0 and var open && End(xml, open) is > 0 and var end)
        {
            at = end;
            if (xml[open + 1] is '!' or '?')
                continue;
            if (xml[open + 1] == '/')
            {
                Leaf(open);
                if (path.Count > 0)
                    path.RemoveAt(path.Count - 1);
            }
            else if (xml[end - 2] != '/')
            {
                path.Add((Name(names, xml.AsSpan(open + 1, end - open - 2)), -1));
                leaf = end;
                continue;
            }
            leaf = -1;
        }
        Leaf(xml.Length);

        void Leaf(int close)
        {
            if (leaf >= 0 && leaf < close)
                visit(path, new(leaf, close - leaf));
        }
    }

    /// <summary>Returns the place after the markup that begins at a place; -1 if it does not end.</summary>
    private static int End(string xml, int open)
    {
        var rest = xml.AsSpan(open);
        var last = rest.StartsWith("<!--", StringComparison.Ordinal) ? "-->" : rest.StartsWith(Verbatim, StringComparison.Ordinal) ? "]]>" : ">";
        return xml.IndexOf(last, open, StringComparison.Ordinal) is >= 0 and var at ? at + last.Length : -1;
    }

    /// <summary>Returns the element name without prefix and attributes, as the same string for equal names.</summary>
    private static string Name(HashSet<string>.AlternateLookup<ReadOnlySpan<char>> names, ReadOnlySpan<char> tag)
    {
        var name = tag.IndexOfAny(" \t\r\n") is >= 0 and var blank ? tag[..blank] : tag;
        name = name[(name.IndexOf(':') + 1)..];
        if (!names.TryGetValue(name, out var known))
            names.Add(known = name.ToString());
        return known;
    }

    private static ReadOnlySpan<char> Value(ReadOnlySpan<char> text) =>
        text.StartsWith(Verbatim, StringComparison.Ordinal) && text.EndsWith("]]>", StringComparison.Ordinal)
            ? text[Verbatim.Length..^3]
            : text.Contains('&') ? WebUtility.HtmlDecode(text.ToString()) : text;
}
