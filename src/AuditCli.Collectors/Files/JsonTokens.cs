using System.Text.Json;
using System.Text.Unicode;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Reads a JSON document of any size token by token. Memory grows only to the size of one value that is asked for as a whole, which is limited.
/// </summary>
/// <param name="copy">Receives everything that is read, for a copy of the document; null for none.</param>
internal sealed class JsonTokens(Stream file, string shown, JsonCopy? copy = null) : IDisposable
{
    /// <summary>The largest row, in bytes.</summary>
    public const int LargestRow = 16 << 20;

    private const int First = 1 << 16;
    private const int MaxDepth = 64;

    /// <summary>Options for a row: an object with two members of one name has no one meaning.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    private byte[] _buffer = new byte[First];
    private int _start;
    private int _end;
    private bool _isLast;
    private bool _begun;
    private JsonReaderState _state = new(new() { MaxDepth = MaxDepth });

    /// <summary>The line of the file that is being read, from 1.</summary>
    public long Line { get; private set; } = 1;

    /// <summary>The line on which the token or value that was read last begins.</summary>
    public long Begin { get; private set; } = 1;

    /// <summary>Reads one token, and for a scalar its value with it.</summary>
    public JsonTokenType Read()
    {
        for (; ; Fill())
        {
            var reader = Reader();
            if (TryRead(ref reader))
            {
                Consume(reader, (int)reader.TokenStartIndex);
                return reader.TokenType;
            }
        }
    }

    /// <summary>Whether the array or object that is being read ends here; if so, its end is read.</summary>
    public bool AtEnd()
    {
        for (; ; Fill())
        {
            var reader = Reader();
            if (!TryRead(ref reader))
                continue;
            if (reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
                return false;
            Consume(reader, (int)reader.TokenStartIndex);
            return true;
        }
    }

    /// <summary>Reads the name of a member.</summary>
    /// <param name="isKey">Whether the member is a row, of which the name is a value.</param>
    public string Name(bool isKey = false)
    {
        for (; ; Fill())
        {
            var reader = Reader();
            if (!TryRead(ref reader))
                continue;
            var (name, begin) = (Text(ref reader), (int)reader.TokenStartIndex);
            var instead = isKey ? copy?.KeyOf(name) : null;
            if (instead is not null)
            {
                copy!.Write(_buffer.AsSpan(_start, begin));
                copy.Write(instead);
                var end = begin + reader.ValueSpan.Length + 2;
                copy.Write(_buffer.AsSpan(_start + end, (int)reader.BytesConsumed - end));
            }
            Consume(reader, begin, isCopied: instead is not null);
            return name;
        }
    }

    /// <summary>Reads the whole value that comes next.</summary>
    public JsonElement Value()
    {
        for (; ; Fill())
        {
            var reader = Reader();
            if (!TryRead(ref reader))
                continue;
            var begin = (int)reader.TokenStartIndex;
            try
            {
                if (!reader.TrySkip())
                    continue;
                var text = _buffer.AsSpan(_start + begin, (int)reader.BytesConsumed - begin);
                var value = Row(text, shown, Line);
                copy?.Write(_buffer.AsSpan(_start, begin));
                // Whoever asked for a row refuses anything else, so that it must not be copied before.
                if (value.ValueKind == JsonValueKind.Object)
                    copy?.Row(text);
                Consume(reader, begin, isCopied: true);
                return value;
            }
            catch (JsonException e)
            {
                throw NotJson(shown, Line, e);
            }
        }
    }

    /// <summary>Reads over the value that comes next, whatever its size.</summary>
    public void Skip()
    {
        var depth = 0;
        do
        {
            depth += Read() switch
            {
                JsonTokenType.StartArray or JsonTokenType.StartObject => 1,
                JsonTokenType.EndArray or JsonTokenType.EndObject => -1,
                _ => 0,
            };
        }
        while (depth > 0);
    }

    /// <summary>Throws unless nothing but white space follows.</summary>
    public void RequireEnd()
    {
        while (!_isLast)
            Fill();
        var reader = Reader();
        if (TryReadAtEnd(ref reader))
            throw new InvalidDataException($"{shown}:{Line}: something follows the JSON document");
        copy?.Write(_buffer.AsSpan(_start, _end - _start));
    }

    /// <summary>Parses the text of one row.</summary>
    /// <param name="line">The line in messages.</param>
    /// <exception cref="InvalidDataException">It is not UTF-8 or not JSON.</exception>
    public static JsonElement Row(ReadOnlySpan<byte> text, string shown, long line)
    {
        // The parser takes any bytes in a text, and they would fail only where the text is used.
        if (!Utf8.IsValid(text))
            throw new InvalidDataException($"{shown}:{line}: is not UTF-8");
        try
        {
            return JsonElement.Parse(text, Strict);
        }
        catch (JsonException e)
        {
            throw NotJson(shown, line, e);
        }
    }

    /// <summary>Returns the beginning of a file without a byte order mark.</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> text) => text.StartsWith("\uFEFF"u8) ? text[3..] : text;

    public static string Word(JsonTokenType type) => Word(type switch
    {
        JsonTokenType.StartObject => JsonValueKind.Object,
        JsonTokenType.StartArray => JsonValueKind.Array,
        JsonTokenType.String => JsonValueKind.String,
        JsonTokenType.Number => JsonValueKind.Number,
        JsonTokenType.Null => JsonValueKind.Null,
        _ => JsonValueKind.True,
    });

    public static string Word(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    /// <summary>Returns the error for text that is not JSON, without the library's own position, which counts within a part of the file.</summary>
    private static InvalidDataException NotJson(string shown, long line, JsonException e)
    {
        var message = e.Message.Split(" Path:")[0].Split(" LineNumber:")[0].Split(" Change the reader options.")[0];
        return new($"{shown}:{line}: is not JSON: {message}", e);
    }

    public void Dispose() => file.Dispose();

    private Utf8JsonReader Reader()
    {
        if (!_begun)
        {
            _begun = true;
            Fill();
            _start = _end - WithoutMark(_buffer.AsSpan(0, _end)).Length;
        }
        return new(_buffer.AsSpan(_start, _end - _start), _isLast, _state);
    }

    private bool TryRead(ref Utf8JsonReader reader) =>
        TryReadAtEnd(ref reader) || (_isLast ? throw new InvalidDataException($"{shown}:{Line}: the JSON document ends too early") : false);

    private bool TryReadAtEnd(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (JsonException e)
        {
            throw NotJson(shown, Line, e);
        }
    }

    private string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"{shown}:{Line}: the name of a member is not well-formed Unicode", e);
        }
    }

    /// <param name="begin">Where the token begins that was read, or the first of a value.</param>
    /// <param name="isCopied">Whether the copy has what was read already.</param>
    private void Consume(in Utf8JsonReader reader, int begin, bool isCopied = false)
    {
        var read = (int)reader.BytesConsumed;
        if (!isCopied)
            copy?.Write(_buffer.AsSpan(_start, read));
        Begin = Line + _buffer.AsSpan(_start, begin).Count((byte)'\n');
        Line += _buffer.AsSpan(_start, read).Count((byte)'\n');
        _start += read;
        _state = reader.CurrentState;
    }

    private void Fill()
    {
        if (_isLast)
            return;
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= LargestRow)
                throw new InvalidDataException($"{shown}:{Line}: a value is larger than {LargestRow >> 20} MiB");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        var read = file.ReadAtLeast(_buffer.AsSpan(_end), 1, throwOnEndOfStream: false);
        _isLast = read == 0;
        _end += read;
    }
}
