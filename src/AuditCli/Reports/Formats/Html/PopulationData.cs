using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Html;

/// <summary>
/// The populations as data that the page unpacks when a reader opens one: JSON, compressed, in base64. Items are written as they are
/// read; nothing is held.
/// </summary>
internal static class PopulationData
{
    /// <summary>How many items a page carries.</summary>
    public const int Most = 500_000;
    private const int TextShown = 1000;
    private const int FlushAt = 64 * 1024;

    /// <summary>Writes one control's items; the stream stays open.</summary>
    /// <param name="left">How many items the page can still take.</param>
    /// <returns>How many were written, and how many there are.</returns>
    public static (long Written, long All) Write(Workpaper workpaper, WorkpaperControl control, Stream output, long left, CancellationToken cancellationToken)
    {
        var (written, all) = (0L, 0L);
        using var base64 = new CryptoStream(output, new ToBase64Transform(), CryptoStreamMode.Write, leaveOpen: true);
        using (var gzip = new GZipStream(base64, CompressionLevel.Optimal, leaveOpen: true))
        using (var json = new Utf8JsonWriter(gzip))
        {
            json.WriteStartArray();
            foreach (var test in control.Tests)
            {
                foreach (var row in PopulationRows.Of(workpaper.Folder, control.Result.Id, test))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (++all > left)
                        continue;
                    written++;
                    Write(json, test, row);
                    if (json.BytesPending > FlushAt)
                        json.Flush();
                }
            }
            json.WriteEndArray();
        }
        base64.FlushFinalBlock();
        return (written, all);
    }

    private static void Write(Utf8JsonWriter json, string test, PopulationRow row)
    {
        json.WriteStartArray();
        json.WriteStringValue(ShownText.Line(test, TextShown));
        json.WriteStringValue(ShownText.Line(Wording.Place(row.Target, row.Account), TextShown));
        json.WriteStringValue(ShownText.Line(row.Item, TextShown));
        json.WriteStringValue(row.Result);
        json.WriteStringValue(ShownText.Line(row.ExceptionId ?? "", TextShown));
        json.WriteStringValue(ShownText.Line(row.Reason ?? "", TextShown));
        json.WriteStringValue(ShownText.Line(row.ApprovalWords, TextShown));
        json.WriteStartArray();
        foreach (var (name, value) in row.AttributeValues())
        {
            json.WriteStringValue(ShownText.Line(name, TextShown));
            json.WriteStringValue(ShownText.Line(value.Text, TextShown));
        }
        json.WriteEndArray();
        json.WriteEndArray();
    }
}
