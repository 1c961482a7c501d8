using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Copies a supplied file with a keyed digest in the place of each value of its personal columns. Only the copy is kept and read, so that
/// the values reach neither the bundle nor anything that is made of it. A file that is not exactly what it should be is not copied, because
/// a value might then be taken for that of another column.
/// </summary>
internal static class PersonalCopy
{
    private const int LeastKeyBytes = 32;

    /// <summary>Returns why a file with personal columns cannot be copied; null where it can.</summary>
    public static string? Refusal(SuppliedInput input, ImmutableSortedSet<string> columns) =>
        columns.Contains(JsonCells.Key) && input.Layout.Rows is { } rows && rows.Split('/')[^1] != JsonInput.Each
            ? $"'{JsonCells.Key}' is personal, but 'rows' ({rows}) names the one member itself; end it with {JsonInput.Each}"
            : null;

    /// <summary>Returns the personal columns of an input: those of any control that reads it.</summary>
    public static ImmutableSortedSet<string> ColumnsOf(string input, IEnumerable<PlannedInput> planned) =>
        planned.Where(p => p.Input == input).SelectMany(p => p.Personal).ToImmutableSortedSet(StringComparer.Ordinal);

    /// <summary>Writes the copy.</summary>
    /// <param name="target">The full path of a file that does not exist.</param>
    /// <exception cref="InvalidDataException">The file is not of its format, or has no such column.</exception>
    public static void Write(SuppliedInput input, string target, ImmutableSortedSet<string> columns, ReadOnlyMemory<byte> key)
    {
        if (key.Length < LeastKeyBytes)
            throw new ArgumentException($"the key has {key.Length} bytes, and a shorter one than {LeastKeyBytes} can be guessed", nameof(key));
        if (Refusal(input, columns) is { } refusal)
            throw new InvalidDataException($"{input.Shown}: {refusal}");
        string Replaced(string value) => InputTable.Digested(value, key.Span);
        var format = InputFormats.Of(input.Path);
        if (format == InputFormat.Parquet)
        {
            ParquetInput.Copy(input.Path, input.Shown, target, columns, Replaced);
            return;
        }
        using var written = new FileStream(target, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        switch (format)
        {
            case InputFormat.Json:
                Json(input, new(written, columns, Replaced), columns);
                break;
            case InputFormat.Ndjson:
                Ndjson(input, new(written, columns, Replaced));
                break;
            case InputFormat.Workbook:
                WorkbookCopy.Write(input, written, columns, Replaced);
                break;
            default:
                Csv(input, written, columns, Replaced);
                break;
        }
    }

    private static void Csv(SuppliedInput input, Stream target, ImmutableSortedSet<string> columns, Func<string, string> replaced)
    {
        using var csv = new CsvReader(RegularFile.OpenRead(input.Path), input.Shown);
        var line = new StringBuilder();
        Line(csv.Header);
        foreach (var record in csv.Records())
        {
            var fields = new string[record.Fields.Length];
            for (var i = 0; i < fields.Length; i++)
                fields[i] = columns.Contains(csv.Header[i]) ? replaced(record.Fields[i]) : record.Fields[i];
            Line(fields);
        }

        void Line(IEnumerable<string> fields)
        {
            line.Clear();
            line.AppendJoin(',', fields.Select(Quoted)).Append('\n');
            target.Write(Encoding.UTF8.GetBytes(line.ToString()));
        }
    }

    private static void Json(SuppliedInput input, JsonCopy copy, ImmutableSortedSet<string> columns)
    {
        using var json = new JsonInput(
            RegularFile.OpenRead(input.Path), input.Shown, input.Layout.Rows, [.. columns.Select(c => new Column(c, ColumnType.Text))], copy);
        foreach (var _ in json.Records())
        {
            // Reading a row copies it.
        }
    }

    private static void Ndjson(SuppliedInput input, JsonCopy copy)
    {
        using var source = RegularFile.OpenRead(input.Path);
        var number = 0L;
        foreach (var (content, _) in NdjsonFile.Lines(source, input.Shown, JsonTokens.LargestRow))
        {
            var text = ++number == 1 ? JsonTokens.WithoutMark(content.Span) : content.Span;
            if (text.ContainsAnyExcept(" \t\r"u8))
            {
                var row = JsonTokens.Row(text, input.Shown, number);
                if (row.ValueKind != JsonValueKind.Object)
                    throw new InvalidDataException($"{input.Shown}:{number}: a row is {JsonTokens.Word(row.ValueKind)} and must be an object");
                copy.Row(text);
            }
            copy.Write("\n"u8);
        }
    }

    private static string Quoted(string field) =>
        field.AsSpan().ContainsAny("\",\r\n") ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}
