using System.Text;
using System.Text.Json;

namespace AuditCli.Collectors.Aws.Catalogue;

/// <summary>
/// A part of a catalogue file with one line for each entry, <c>"Name":{...}</c>, as <c>generate.py</c> writes it. Each entry is searched by
/// name and parsed alone, because usually only one or two of a service's hundreds of entries are used.
/// </summary>
/// <param name="lines">The entries, each beginning with a line feed; the bytes must not change.</param>
internal sealed class CatalogueLines(ReadOnlyMemory<byte> lines)
{
    /// <summary>The names, in file order.</summary>
    public IEnumerable<string> Names
    {
        get
        {
            for (var rest = lines; rest.Span.IndexOf("\n\""u8) is >= 0 and var at; rest = rest[(at + 2)..])
                yield return Encoding.UTF8.GetString(rest.Span[(at + 2)..][..rest.Span[(at + 2)..].IndexOf((byte)'"')]);
        }
    }

    /// <summary>Returns the entry of that name; null if there is none.</summary>
    public JsonElement? Find(string name)
    {
        // A name with a delimiter in it could match across entries and return a wrong one.
        if (name.AsSpan().IndexOfAny('"', '\n') >= 0)
            return null;
        var start = Encoding.UTF8.GetBytes($"\n\"{name}\":");
        var at = lines.Span.IndexOf(start);
        if (at < 0)
            return null;
        var entry = lines[(at + start.Length)..];
        if (entry.Span.IndexOf((byte)'\n') is >= 0 and var end)
            entry = entry[..end];
        return JsonDocument.Parse(entry.Span.EndsWith(","u8) ? entry[..^1] : entry).RootElement;
    }
}
