using System.Text.Encodings.Web;
using System.Text.Json;

namespace AuditCli.Text;

/// <summary>The form of the JSON that commands print: one line, in which only what JSON demands is escaped.</summary>
internal static class PrintedJson
{
    public static JsonSerializerOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
