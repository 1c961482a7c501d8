using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Copies a JSON document byte for byte, but for the values of personal columns: each is replaced where it stands, so that white space, lines
/// and the literals of other values stay as they are.
/// </summary>
/// <param name="columns">The personal columns.</param>
/// <param name="replaced">Returns what stands in the place of a value.</param>
internal sealed class JsonCopy(Stream target, ImmutableSortedSet<string> columns, Func<string, string> replaced)
{
    private const int MaxDepth = 64;
    private readonly ImmutableArray<byte[]> _columns = [.. columns.Select(Encoding.UTF8.GetBytes)];

    /// <summary>Copies bytes as they are.</summary>
    public void Write(ReadOnlySpan<byte> text) => target.Write(text);

    /// <summary>Copies a row, an object that was parsed before, with the values of its personal columns replaced.</summary>
    public void Row(ReadOnlySpan<byte> row)
    {
        var reader = new Utf8JsonReader(row, new JsonReaderOptions { MaxDepth = MaxDepth });
        var copied = 0;
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName)
                continue;
            var isPersonal = IsPersonal(ref reader);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!isPersonal || reader.TokenType == JsonTokenType.Null)
                continue;
            var end = (int)reader.BytesConsumed;
            Write(row[copied..start]);
            Write(InPlaceOf(row[start..end]));
            copied = end;
        }
        Write(row[copied..]);
    }

    /// <summary>Returns what stands in the place of the name of a row that is a member of an object; null where the name stays.</summary>
    public byte[]? KeyOf(string name) => columns.Contains(JsonCells.Key) ? Quoted(replaced(name)) : null;

    private bool IsPersonal(ref Utf8JsonReader reader)
    {
        foreach (var column in _columns)
        {
            if (reader.ValueTextEquals(column))
                return true;
        }
        return false;
    }

    /// <summary>
    /// Returns what is written in the place of a value. What no text column can hold stays such a value, without its content: a digest
    /// would make a cell readable that is not, and the table complete.
    /// </summary>
    private ReadOnlySpan<byte> InPlaceOf(ReadOnlySpan<byte> value)
    {
        if (value[0] == '{')
            return "{}"u8;
        if (value[0] == '[')
            return "[]"u8;
        try
        {
            return Quoted(replaced(JsonMember.TextOrRaw(JsonElement.Parse(value))));
        }
        catch (InvalidOperationException)
        {
            return "\"\\ud800\""u8;
        }
    }

    private static byte[] Quoted(string text) => JsonSerializer.SerializeToUtf8Bytes(text);
}
