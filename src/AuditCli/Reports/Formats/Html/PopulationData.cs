using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats.Html;

/// <summary>
/// Writes the populations as data that the page unpacks when a reader opens one: JSON, gzip-compressed, in base64. Items are streamed and
/// not held in memory.
/// </summary>
internal static class PopulationData
{
    /// <summary>The maximum number of items in one page, over all controls.</summary>
    public const int Most = 500_000;
    private const int TextShown = 1000;
    private const int FlushAt = 64 * 1024;

    /// <summary>Writes one control's items and leaves the stream open.</summary>
    /// <param name="left">The number of items that the page can still take.</param>
    /// <returns>The number of items written, and the number of items in the populations.</returns>
    public static (long Written, long All) Write(
        Workpaper workpaper, WorkpaperControl control, Stream output, long left, CancellationToken cancellationToken)
    {
        var (written, all) = (0L, 0L);
        using var base64 = new CryptoStream(output, new ToBase64Transform(), CryptoStreamMode.Write, leaveOpen: true);
        using (var gzip = new GZipStream(base64, CompressionLevel.Optimal, leaveOpen: true))
        using (var json = new Utf8JsonWriter(gzip))
        {
            json.WriteStartArray();
            foreach (var test in control.Tests)
            {
                foreach (var row in workpaper.Bundle.Rows(control.Result.Id, test))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (++all > left)
                        continue;
                    written++;
                    Write(json, test, row, control.SaidOf(row));
                    if (json.BytesPending > FlushAt)
                        json.Flush();
                }
            }
            json.WriteEndArray();
        }
        base64.FlushFinalBlock();
        return (written, all);
    }

    private static void Write(Utf8JsonWriter json, string test, PopulationRow row, string? said)
    {
        json.WriteStartArray();
        json.WriteStringValue(Terminal.Line(test, TextShown));
        json.WriteStringValue(Terminal.Line(Wording.Place(row.Target, row.Account), TextShown));
        json.WriteStringValue(Terminal.Line(row.Item, TextShown));
        json.WriteStringValue(row.Result);
        json.WriteStringValue(Terminal.Line(row.ExceptionId ?? "", TextShown));
        json.WriteStringValue(Terminal.Line(row.Reason ?? "", TextShown));
        json.WriteStringValue(Terminal.Line(string.Join("; ", new[] { row.ApprovalWords, said ?? "" }.Where(w => w.Length > 0)), TextShown));
        json.WriteStartArray();
        foreach (var (name, value) in row.AttributeValues())
        {
            json.WriteStringValue(Terminal.Line(name, TextShown));
            json.WriteStringValue(Terminal.Line(value.Text, TextShown));
        }
        json.WriteEndArray();
        json.WriteEndArray();
    }
}
