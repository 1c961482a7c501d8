using System.Text;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Text;
using AuditCli.Reports;
using AuditCli.Text;

namespace AuditCli.Lookup;

/// <summary>Formats the result of <c>query</c>.</summary>
internal static class AnswerText
{
    private const int WidestCell = 60;
    private const int MostRows = 1000;

    /// <summary>
    /// Writes an aligned table of at most a thousand rows, with cells of bounded width and control characters escaped. NULL is written as
    /// NULL.
    /// </summary>
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
            : $"({Wording.Count(answer.Rows, "row")})");
    }

    /// <summary>
    /// Writes CSV (RFC 4180) in UTF-8 with a header. A text that a spreadsheet would evaluate as a formula gets a leading apostrophe, and
    /// invisible and control characters are written as <c>\uXXXX</c>; JSON and Parquet have every text unchanged. NULL is an empty cell.
    /// </summary>
    public static async Task WriteCsvAsync(TextWriter output, BundleQuery answer, CancellationToken cancellationToken)
    {
        await output.WriteAsync(string.Join(',', answer.Columns.Select(c => Cell(c.Name))) + "\r\n");
        await foreach (var line in answer.ReadAsync(cancellationToken))
        {
            var cells = Cells(line).Zip(answer.Columns, (cell, column) => cell is null ? "" : column.IsText ? Cell(cell) : Csv.Quoted(cell));
            await output.WriteAsync(string.Join(',', cells) + "\r\n");
        }
    }

    /// <summary>Writes one JSON array with an object per row, one row per line.</summary>
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
