using System.Text;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>A list of values in one header, separated by commas; a value with a comma or quote is quoted.</summary>
internal static class HeaderList
{
    /// <param name="instants">Whether the values are RFC 822 dates, each of which contains one comma.</param>
    public static IEnumerable<string> Read(string header, bool instants)
    {
        var parts = Split(header).ToArray();
        return instants && header.EndsWith("GMT", StringComparison.Ordinal)
            ? parts.Chunk(2).Select(p => string.Join(", ", p))
            : parts;
    }

    /// <summary>Returns one value, quoted if necessary.</summary>
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
