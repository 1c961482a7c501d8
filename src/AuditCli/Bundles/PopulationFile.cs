using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>Reads a test's rows file (NDJSON) one population item at a time, so that memory does not grow with the population.</summary>
internal static class PopulationFile
{
    /// <summary>Returns the path of a test's rows file relative to the bundle's root.</summary>
    /// <exception cref="InvalidDataException">The names cannot be those of a test.</exception>
    public static string PathOf(string control, string test)
    {
        try
        {
            return BundleLayout.Rows(control, test);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"results.json names a test '{PrintableText.Of(control)}' '{PrintableText.Of(test)}', which has no file", e);
        }
    }

    /// <summary>
    /// Yields every item of a test in the file's order, with its line, whose memory is only valid until the next one is read.
    /// </summary>
    /// <param name="open">Opens the file at its beginning.</param>
    /// <param name="relative">The path of the file relative to the bundle's root.</param>
    /// <exception cref="InvalidDataException">A line is not a row of a test; the message has the file and the line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<(ReadOnlyMemory<byte> Line, PopulationRow Row)> Lines(Func<Stream> open, string relative, string control, string test)
    {
        var number = 0L;
        using var file = open();
        foreach (var (line, ended) in NdjsonFile.Lines(file, relative))
        {
            number++;
            yield return ended
                ? (line, Parse(line, control, test, number, relative))
                : throw new InvalidDataException($"{relative}:{number}: the last line is incomplete");
        }
    }

    private static PopulationRow Parse(ReadOnlyMemory<byte> line, string control, string test, long number, string file)
    {
        try
        {
            return Row(line, control, test, number, file) ?? throw new InvalidDataException($"{file}:{number}: the line is not a row of a test");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{file}:{number}: the line is not a row of a test: {e.Message}", e);
        }
    }

    private static PopulationRow? Row(ReadOnlyMemory<byte> line, string control, string test, long number, string file)
    {
        var reader = new Utf8JsonReader(line.Span);
        string? target = null, account = null, item = null, claim = null, reason = null;
        ItemVerdict? verdict = null;
        bool? passed = null;
        Approval? approval = null;
        ReadOnlyMemory<byte>? attributes = null;
        var seen = new List<string>(8);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = RowJson.Text(ref reader);
            if (seen.Contains(name))
                throw new JsonException($"'{PrintableText.Of(name)}' occurs twice");
            seen.Add(name);
            switch (name)
            {
                case "target":
                    target = Next(ref reader);
                    break;
                case "account":
                    account = Next(ref reader);
                    break;
                case "item":
                    item = Next(ref reader);
                    break;
                case "pass":
                    passed = Truth(ref reader);
                    break;
                case "verdict":
                    verdict = Verdict(Next(ref reader));
                    break;
                case "exception_id":
                    claim = Next(ref reader);
                    break;
                case "reason":
                    reason = Next(ref reader);
                    break;
                case "waiver":
                    approval = Waiver(ref reader);
                    break;
                case "attributes":
                    attributes = Object(ref reader, line);
                    break;
                default:
                    reader.Read();
                    reader.Skip();
                    break;
            }
        }
        // Copy the attributes: the line's buffer is reused when the next line is read, and callers keep rows longer.
        return target is null || account is null || item is null || verdict is null || attributes is null || !seen.Contains("pass")
            ? null
            : new(control, test, number, target, account, item, passed, verdict.Value, claim, reason, approval, attributes.Value.ToArray())
            {
                File = file,
            };
    }

    private static ItemVerdict? Verdict(string? word) => word switch
    {
        "pass" => ItemVerdict.Pass,
        "deviation" => ItemVerdict.Deviation,
        "approved" => ItemVerdict.Approved,
        "undetermined" => ItemVerdict.Undetermined,
        "indicated" => ItemVerdict.Indicated,
        _ => null,
    };

    private static Approval? Waiver(ref Utf8JsonReader reader)
    {
        var words = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("'waiver' is not an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            words[RowJson.Text(ref reader)] = Next(ref reader);
        string Word(string name) => words.GetValueOrDefault(name) ?? "";
        return new(Word("approved_by"), Word("approved_on"), Word("expires"), Word("reason"));
    }

    private static ReadOnlyMemory<byte> Object(ref Utf8JsonReader reader, ReadOnlyMemory<byte> line)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("'attributes' is not an object");
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return line[start..(int)reader.BytesConsumed];
    }

    private static bool? Truth(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False => false,
            JsonTokenType.Null => null,
            _ => throw new JsonException("'pass' is neither true, false nor null"),
        };
    }

    private static string? Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.String => RowJson.Text(ref reader),
            JsonTokenType.Null => null,
            _ => throw new JsonException("a text is expected"),
        };
    }
}

/// <summary>Reads text values of rows without trusting that they are valid Unicode.</summary>
internal static class RowJson
{
    /// <summary>Returns the text of a string; an unpaired surrogate escape, which GetString rejects, is kept as the surrogate.</summary>
    public static string Text(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(text.GetRawText()[1..^1]);
        }
    }

    /// <summary>Returns the text of a string or property name; an unpaired surrogate escape is kept as the surrogate.</summary>
    public static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    /// <summary>Returns the text of a string without quotes, and any other value as it is written.</summary>
    public static string TextOrRaw(JsonElement value) => value.ValueKind == JsonValueKind.String ? Text(value) : value.GetRawText();

    private static string Unescape(string raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            var escaped = raw[++i];
            if (escaped == 'u')
            {
                text.Append((char)ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
                continue;
            }
            text.Append(escaped switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\b', 'f' => '\f', _ => escaped });
        }
        return text.ToString();
    }
}
