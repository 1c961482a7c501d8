using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace AuditCli.Evidence.Text;

/// <summary>
/// A growing buffer of JSON text with one spelling for every value: no white space, only the escapes that RFC 8259 requires, in
/// RFC 8785's form, and number literals unchanged. Unlike the encoders of System.Text.Json it does not depend on the runtime's
/// Unicode version, so digests over the text stay equal for years.
/// </summary>
internal sealed class JsonText
{
    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(c => (char)c), '"', '\\']);

    private byte[] _bytes = new byte[8 * 1024];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>Discards everything from a position on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    public void Append(byte value)
    {
        Reserve(1)[0] = value;
        Length++;
    }

    public void Append(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Reserve(text.Length));
        Length += text.Length;
    }

    /// <summary>
    /// Appends a string with its quotation marks; returns false and appends nothing when it has a lone surrogate.
    /// </summary>
    public bool TryAppendString(ReadOnlySpan<char> text)
    {
        var start = Length;
        Append((byte)'"');
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAny(Escaped);
            var run = plain < 0 ? text : text[..plain];
            if (Utf8.FromUtf16(run, Reserve(checked(run.Length * 3)), out _, out var written, replaceInvalidSequences: false)
                != OperationStatus.Done)
            {
                Length = start;
                return false;
            }
            Length += written;
            if (plain < 0)
                break;
            AppendEscape(text[plain]);
            text = text[(plain + 1)..];
        }
        Append((byte)'"');
        return true;
    }

    /// <summary>As <see cref="TryAppendString(ReadOnlySpan{char})"/>, for text that is known to be well-formed.</summary>
    /// <exception cref="ArgumentException">The text has a lone surrogate.</exception>
    public void AppendString(ReadOnlySpan<char> text)
    {
        if (!TryAppendString(text))
            throw new ArgumentException("a string has a lone surrogate, which I-JSON (RFC 7493) does not allow", nameof(text));
    }

    /// <summary>Appends a JSON string; returns false and appends nothing when it is not well-formed Unicode.</summary>
    public bool TryAppendString(JsonElement text)
    {
        var raw = JsonMarshal.GetRawUtf8Value(text);
        return raw.Contains((byte)'\\') ? TryAppendEscaped(text.GetString) : TryAppendPlain(raw);
    }

    /// <summary>
    /// Appends any value with its members in their order. Returns null, or why the value is refused; the buffer is then
    /// unchanged.
    /// </summary>
    /// <param name="depth">How many levels of objects and arrays it may have.</param>
    public string? TryAppend(JsonElement value, int depth)
    {
        var start = Length;
        var fault = AppendTree(value, depth);
        if (fault is not null)
            Length = start;
        return fault;
    }

    private string? AppendTree(JsonElement value, int depth)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object or JsonValueKind.Array when depth == 0:
                return "is nested too deeply";
            case JsonValueKind.Object:
                Append((byte)'{');
                var more = false;
                foreach (var member in value.EnumerateObject())
                {
                    if (more)
                        Append((byte)',');
                    more = true;
                    if (!TryAppendName(member))
                        return "has a member name that is not well-formed Unicode";
                    Append((byte)':');
                    if (AppendTree(member.Value, depth - 1) is { } inMember)
                        return inMember;
                }
                Append((byte)'}');
                return null;
            case JsonValueKind.Array:
                Append((byte)'[');
                var next = false;
                foreach (var element in value.EnumerateArray())
                {
                    if (next)
                        Append((byte)',');
                    next = true;
                    if (AppendTree(element, depth - 1) is { } inElement)
                        return inElement;
                }
                Append((byte)']');
                return null;
            case JsonValueKind.String:
                return TryAppendString(value) ? null : "is not well-formed Unicode";
            default:
                Append(JsonMarshal.GetRawUtf8Value(value));
                return null;
        }
    }

    private bool TryAppendName(JsonProperty member)
    {
        var raw = JsonMarshal.GetRawUtf8PropertyName(member);
        if (raw.Contains((byte)'\\'))
            return TryAppendEscaped(() => member.Name);
        if (!Utf8.IsValid(raw))
            return false;
        Append((byte)'"');
        Append(raw);
        Append((byte)'"');
        return true;
    }

    private bool TryAppendPlain(ReadOnlySpan<byte> raw)
    {
        if (!Utf8.IsValid(raw))
            return false;
        Append(raw);
        return true;
    }

    private bool TryAppendEscaped(Func<string?> unescape)
    {
        try
        {
            return TryAppendString(unescape());
        }
        catch (InvalidOperationException)
        {
            // System.Text.Json reports an escaped lone surrogate, and bytes that are not UTF-8, with this exception.
            return false;
        }
    }

    private void AppendEscape(char c)
    {
        Append((byte)'\\');
        switch (c)
        {
            case '"' or '\\':
                Append((byte)c);
                break;
            case '\b':
                Append((byte)'b');
                break;
            case '\f':
                Append((byte)'f');
                break;
            case '\n':
                Append((byte)'n');
                break;
            case '\r':
                Append((byte)'r');
                break;
            case '\t':
                Append((byte)'t');
                break;
            default:
                Append("u00"u8);
                Append((byte)Convert.ToHexStringLower([(byte)c])[0]);
                Append((byte)Convert.ToHexStringLower([(byte)c])[1]);
                break;
        }
    }

    private Span<byte> Reserve(int size)
    {
        if (_bytes.Length - Length < size)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, checked(Length + size)));
        return _bytes.AsSpan(Length);
    }
}
