using System.Collections.Immutable;
using System.IO.Compression;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AuditCli.Collectors.Redaction;

/// <summary>A place in a file that has the form of a credential.</summary>
/// <param name="File">The path relative to the folder that was searched, with '/' as separator.</param>
/// <param name="Offset">The offset in characters, after decompression and unescaping.</param>
public sealed record CredentialFound(string File, long Offset);

/// <summary>
/// Searches finished files for credentials: the last check before a bundle is sealed, over everything in it and not only over responses. It
/// searches unescaped values by the same forms that are used for responses, so content that was cleaned there is not found here.
/// </summary>
public static class CredentialScan
{
    private const int Window = 1 << 20;

    /// <summary>Longer than any credential except a private key, of which the first line is sufficient.</summary>
    private const int Overlap = 4096;

    private static readonly JsonSerializerOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 512 };

    /// <summary>The limit of workers, since each has two buffers of two megabytes.</summary>
    private const int MostWorkers = 4;

    /// <summary>Returns the first find in each file below a folder, with gzip files decompressed, sorted by path.</summary>
    /// <param name="skip">Returns whether a file, by its path in the folder, was searched before; null to search all.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ImmutableArray<CredentialFound> Find(string folder, CancellationToken cancellationToken, Func<string, bool>? skip = null)
    {
        // Buffers are kept per worker and not per file: a run of many accounts has tens of thousands of small files.
        using var buffers = new ThreadLocal<Buffers>(() => new());
        try
        {
            return
            [
                .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                    .Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/'))
                    .Where(f => skip?.Invoke(f) != true)
                    .Order(StringComparer.Ordinal)
                    .AsParallel().AsOrdered().WithDegreeOfParallelism(Math.Min(Environment.ProcessorCount, MostWorkers)).WithCancellation(cancellationToken)
                    .Select(f => (File: f, Offset: First(Path.Combine(folder, f), buffers.Value!, cancellationToken)))
                    .Where(f => f.Offset >= 0)
                    .Select(f => new CredentialFound(f.File, f.Offset)),
            ];
        }
        catch (AggregateException e)
        {
            // Unwrap the exception: callers handle the exception of the file and do not know about the workers.
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            throw;
        }
    }

    /// <summary>
    /// Returns a line of JSON without everything that <see cref="Find"/> would find in it, so that no result can prevent the seal; null if
    /// it would find nothing.
    /// </summary>
    /// <exception cref="InvalidDataException">The credential cannot be removed.</exception>
    public static byte[]? Clean(ReadOnlyMemory<byte> line)
    {
        if (!IsFoundIn(line.Span))
            return null;
        byte[] clean;
        try
        {
            clean = JsonSerializer.SerializeToUtf8Bytes(Cleaned(null, JsonNode.Parse(line.Span, documentOptions: new() { MaxDepth = 512 })), Writing);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or JsonException)
        {
            // An object has duplicate names, before or after cleaning, or a text is not valid Unicode.
            throw new InvalidDataException($"a row holds what looks like a credential, and cannot be written without it: {CredentialText.Clean(e.Message)}", e);
        }
        return IsFoundIn(clean) ? throw new InvalidDataException("a row holds what looks like a credential, and cannot be written without it") : clean;
    }

    private static bool IsFoundIn(ReadOnlySpan<byte> line)
    {
        var text = Encoding.UTF8.GetString(line);
        return CredentialForms.First(text.Contains('\\', StringComparison.Ordinal) ? Plain(text, new char[text.Length], marked: false) : text) >= 0;
    }

    private static JsonNode? Cleaned(string? name, JsonNode? value) => value switch
    {
        JsonObject members => new JsonObject(members.Select(m => KeyValuePair.Create(CredentialText.Clean(m.Key), Cleaned(m.Key, m.Value)))),
        JsonArray elements => new JsonArray([.. elements.Select(e => Cleaned(name, e))]),
        JsonValue text when text.GetValueKind() == JsonValueKind.String => Cleaned(name, text.GetValue<string>()),
        _ => value?.DeepClone(),
    };

    private static string Cleaned(string? name, string value)
    {
        if (name is not null && NamedForms.InMember(name, value))
            return CredentialText.Mark;
        var clean = CredentialText.Clean(value);
        return Holds(clean) || name is not null && CredentialForms.First($"\"{name}\":\"{clean}\"") >= 0 ? CredentialText.Mark : clean;
    }

    /// <summary>Whether a text holds a credential, as it is or after unescaping.</summary>
    public static bool Holds(string text) => CredentialForms.First(text) >= 0 || CredentialForms.First(EncodedText.Unescaped(text)) >= 0;

    /// <summary>Returns the line number, from 1, at which the first credential of a text begins; null if there is none.</summary>
    public static int? LineOf(string text) => CredentialForms.First(text) is >= 0 and var at ? text.AsSpan(0, at).Count('\n') + 1 : null;

    private static long First(string path, Buffers buffers, CancellationToken cancellationToken)
    {
        // Open with shared write access: the evidence index is still open for writing.
        using var raw = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var packed = path.EndsWith(".gz", StringComparison.Ordinal);
        using Stream content = packed ? new GZipStream(raw, CompressionMode.Decompress) : raw;
        using var reader = new StreamReader(content, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16);
        var marked = packed || path.EndsWith("xml", StringComparison.OrdinalIgnoreCase) || path.EndsWith("html", StringComparison.OrdinalIgnoreCase);
        var escaped = marked || IsJson(path);
        var (kept, start) = (0, 0L);
        var text = buffers.Read;
        for (int read; (read = reader.ReadBlock(text, kept, Window)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = kept + read;
            var plain = escaped ? Plain(text.AsSpan(0, length), buffers.Plain, marked) : text.AsSpan(0, length);
            // The compressed files are those of the exchanges.
            if (CredentialForms.First(plain, exchange: packed) is >= 0 and var found)
                return start + found;
            kept = Math.Min(Overlap, length);
            text.AsSpan(length - kept, kept).CopyTo(text);
            start += length - kept;
        }
        return -1;
    }

    private static bool IsJson(string path) => Path.GetExtension(path) is ".json" or ".jsonl" or ".ndjson" or ".clef" or ".sarif";

    /// <summary>Returns the text without escapes; the same text if it has none.</summary>
    private static ReadOnlySpan<char> Plain(ReadOnlySpan<char> text, char[] buffer, bool marked)
    {
        var slashes = text.Contains('\\');
        if (!slashes && !(marked && text.Contains('&')))
            return text;
        var length = slashes ? EncodedText.Unescape(text, buffer) : Copy(text, buffer);
        return buffer.AsSpan(0, marked ? EncodedText.ReadEntities(buffer.AsSpan(0, length)) : length);
    }

    private static int Copy(ReadOnlySpan<char> text, char[] buffer)
    {
        text.CopyTo(buffer);
        return text.Length;
    }

    private sealed class Buffers
    {
        public char[] Read { get; } = new char[Window + Overlap];

        public char[] Plain { get; } = new char[Window + Overlap];
    }
}
