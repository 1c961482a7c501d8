using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Copies a supplied file with a keyed digest in the place of each value of its personal columns. Only the copy is kept and read, so that
/// the values reach neither the bundle nor anything that is made of it. A file that is not exactly what it should be is not copied, because
/// a value might then be taken for that of another column.
/// </summary>
internal static class PersonalCopy
{
    private const int LeastKeyBytes = 32;
    private const string Needs = "personal columns need a .csv or .ndjson file, in which a value can be replaced and the rest stays as it is; supply it as one";

    /// <summary>Returns why a file with personal columns cannot be copied; null where it can.</summary>
    public static string? Refusal(string path) => InputFormats.Of(path) is InputFormat.Csv or InputFormat.Ndjson ? null : Needs;

    /// <summary>Returns the personal columns of an input: those of any control that reads it.</summary>
    public static ImmutableSortedSet<string> ColumnsOf(string input, IEnumerable<PlannedInput> planned) =>
        planned.Where(p => p.Input == input).SelectMany(p => p.Personal).ToImmutableSortedSet(StringComparer.Ordinal);

    /// <summary>Writes the copy.</summary>
    /// <exception cref="InvalidDataException">The file is not of its format, or of a format in which values cannot be replaced.</exception>
    public static void Write(SuppliedInput input, Stream target, ImmutableSortedSet<string> columns, ReadOnlySpan<byte> key)
    {
        if (key.Length < LeastKeyBytes)
            throw new ArgumentException($"the key has {key.Length} bytes, and a shorter one than {LeastKeyBytes} can be guessed", nameof(key));
        if (Refusal(input.Path) is { } refusal)
            throw new InvalidDataException($"{input.Shown}: {refusal}");
        using var source = File.OpenRead(input.Path);
        if (InputFormats.Of(input.Path) == InputFormat.Csv)
            Csv(source, input.Shown, target, columns, key);
        else
            Ndjson(source, input.Shown, target, columns, key);
    }

    private static void Csv(Stream source, string shown, Stream target, ImmutableSortedSet<string> columns, ReadOnlySpan<byte> key)
    {
        using var csv = new CsvReader(source, shown);
        var line = new StringBuilder();
        Line(csv.Header);
        foreach (var record in csv.Records())
        {
            var fields = new string[record.Fields.Length];
            for (var i = 0; i < fields.Length; i++)
                fields[i] = columns.Contains(csv.Header[i]) ? Replaced(record.Fields[i], key) : record.Fields[i];
            Line(fields);
        }

        void Line(IEnumerable<string> fields)
        {
            line.Clear();
            line.AppendJoin(',', fields.Select(Quoted)).Append('\n');
            target.Write(Encoding.UTF8.GetBytes(line.ToString()));
        }
    }

    private static void Ndjson(Stream source, string shown, Stream target, ImmutableSortedSet<string> columns, ReadOnlySpan<byte> key)
    {
        var (output, number) = (new ArrayBufferWriter<byte>(), 0L);
        foreach (var (content, _) in NdjsonFile.Lines(source, shown, JsonTokens.LargestRow))
        {
            var text = ++number == 1 ? JsonTokens.WithoutMark(content.Span) : content.Span;
            output.Clear();
            if (text.ContainsAnyExcept(" \t\r"u8))
            {
                var row = JsonTokens.Row(text, shown, number);
                if (row.ValueKind != JsonValueKind.Object)
                    throw new InvalidDataException($"{shown}:{number}: a row is {JsonTokens.Word(row.ValueKind)} and must be an object");
                using var json = new Utf8JsonWriter(output, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
                json.WriteStartObject();
                foreach (var member in row.EnumerateObject())
                {
                    json.WritePropertyName(member.Name);
                    if (!columns.Contains(member.Name) || member.Value.ValueKind == JsonValueKind.Null)
                        json.WriteRawValue(member.Value.GetRawText(), skipInputValidation: true);
                    else
                        json.WriteStringValue(Replaced(JsonMember.TextOrRaw(member.Value), key));
                }
                json.WriteEndObject();
            }
            target.Write(output.WrittenSpan);
            target.WriteByte((byte)'\n');
        }
    }

    /// <summary>Returns the digest of a value as a key is read, so that two files that write it differently agree; an empty value stays empty.</summary>
    private static string Replaced(string value, ReadOnlySpan<byte> key) =>
        InputTable.Key(value, []) is (var seen, null) ? seen is null ? "" : KeyedDigest.Of(key, seen) : KeyedDigest.Of(key, value);

    private static string Quoted(string field) =>
        field.AsSpan().ContainsAny("\",\r\n") ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
