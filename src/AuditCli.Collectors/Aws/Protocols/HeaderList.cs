using System.Text;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>A list of values in one header: between commas, quoted where a value has a comma or a quote of its own.</summary>
internal static class HeaderList
{
    /// <param name="instants">Whether the values are instants in the form of RFC 822, each with one comma inside.</param>
    public static IEnumerable<string> Read(string header, bool instants)
    {
        var parts = Split(header).ToArray();
        return instants && header.EndsWith("GMT", StringComparison.Ordinal)
            ? parts.Chunk(2).Select(p => string.Join(", ", p))
            : parts;
    }

    /// <summary>The form of one value.</summary>
    public static string Quoted(string value) => value.AsSpan().IndexOfAny(',', '"') < 0
        ? value
        : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static IEnumerable<string> Split(string header)
    {
        var value = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < header.Length; i++)
        {
            var letter = header[i];
            if (quoted && letter == '\\' && i + 1 < header.Length)
                value.Append(header[++i]);
            else if (letter == '"')
                quoted = !quoted;
            else if (letter == ',' && !quoted)
            {
                yield return value.ToString().Trim();
                value.Clear();
            }
            else
                value.Append(letter);
        }
        yield return value.ToString().Trim();
    }
}
