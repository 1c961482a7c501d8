using System.Text;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Text;

namespace AuditCli.Lookup;

/// <summary>The forms in which <c>query</c> prints its answer.</summary>
internal static class AnswerText
{
    private const int WidestCell = 60;
    private const int MostRows = 1000;

    /// <summary>An aligned table of at most a thousand rows and cells of bounded width, harmless on a terminal; NULL says so.</summary>
    public static async Task WriteTableAsync(TextWriter output, BundleQuery answer, CancellationToken cancellationToken)
    {
        var rows = new List<string[]> { answer.Columns.Select(c => PrintableText.Of(c.Name, WidestCell)).ToArray() };
        await foreach (var line in answer.ReadAsync(cancellationToken))
        {
            if (rows.Count > MostRows)
                break;
            rows.Add([.. Cells(line).Select(c => PrintableText.Of(c ?? "NULL", WidestCell))]);
        }
        var widths = answer.Columns.Select((_, i) => rows.Max(r => r[i].Length)).ToArray();
        foreach (var row in rows)
            await output.WriteLineAsync(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
        await output.WriteLineAsync(answer.Rows >= rows.Count
            ? $"({answer.Rows} rows, of which the first {MostRows} are shown; --format csv, json or parquet has all of them)"
            : answer.Rows == 1 ? "(1 row)" : $"({answer.Rows} rows)");
    }

    /// <summary>
    /// RFC 4180 with a header, UTF-8. A text that a spreadsheet would take for a formula has an apostrophe before it, and what nobody sees or
    /// what steers a terminal is <c>\uXXXX</c>; JSON and Parquet have every text as it is. NULL is an empty cell.
    /// </summary>
    public static async Task WriteCsvAsync(TextWriter output, BundleQuery answer, CancellationToken cancellationToken)
    {
        await output.WriteAsync(string.Join(',', answer.Columns.Select(c => Cell(c.Name))) + "\r\n");
        await foreach (var line in answer.ReadAsync(cancellationToken))
            await output.WriteAsync(string.Join(',', Cells(line).Zip(answer.Columns, (cell, column) => cell is null ? "" : column.IsText ? Cell(cell) : Csv.Quoted(cell))) + "\r\n");
    }

    /// <summary>One array with an object per row, a line each.</summary>
    public static async Task WriteJsonAsync(TextWriter output, BundleQuery answer, CancellationToken cancellationToken)
    {
        var before = "[\n";
        await foreach (var line in answer.ReadAsync(cancellationToken))
        {
            await output.WriteAsync(before);
            await output.WriteAsync(Encoding.UTF8.GetString(line.Span));
            before = ",\n";
        }
        await output.WriteAsync(before == "[\n" ? "[]\n" : "\n]\n");
    }

    private static string Cell(string text) => Csv.Cell(Terminal.Of(text, int.MaxValue));

    private static string?[] Cells(ReadOnlyMemory<byte> line)
    {
        var row = JsonElement.Parse(line.Span, new JsonDocumentOptions { MaxDepth = 512 });
        return [.. row.EnumerateObject().Select(m => m.Value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => m.Value.GetString(),
            _ => m.Value.GetRawText(),
        })];
    }
}
