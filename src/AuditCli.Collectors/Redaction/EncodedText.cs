using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Unicode;

namespace AuditCli.Collectors.Redaction;

/// <summary>Decodes texts in another form: base64 or hexadecimal, with gzip or UTF-16 inside, and escaped characters.</summary>
internal static class EncodedText
{
    /// <summary>The shortest whole value that can hold a credential with its name.</summary>
    public const int ShortestValue = 16;

    /// <summary>The shortest part of a longer text; shorter ones are ordinary words.</summary>
    private const int ShortestWord = 24;
    private const int ShortestHex = 20;

    /// <summary>The shortest line at which programs wrap base64.</summary>
    private const int ShortestLine = 48;
    private const int LongestInflated = 1 << 20;
    private const byte Gzip = 0x1f;
    private static readonly SearchValues<char> Letters = SearchValues.Create(FormLetters.Upper + FormLetters.Lower + FormLetters.Digits + "+/-_");
    private static readonly SearchValues<char> Hex = SearchValues.Create(FormLetters.Digits + "abcdefABCDEF");

    /// <summary>Returns the next part of a text that may be base64 or hexadecimal; of length 0 if there is none.</summary>
    public static TextPart Next(ReadOnlySpan<char> text, int from)
    {
        while (text.Length - from >= ShortestValue && text[from..].IndexOfAny(Letters) is >= 0 and var skip)
        {
            from += skip;
            var length = FormLetters.Run(text, from, Letters, text.Length);
            var end = from + length;
            while (end < text.Length && text[end] == '=' && end - from - length < 2)
                end++;
            var least = from == 0 && end == text.Length ? ShortestValue : ShortestWord;
            if (end - from >= least && (MayBeText(text[from..end]) || Base58.IsKey(text[from..end])))
                return new(from, end - from);
            from = end;
        }
        return TextPart.None;
    }

    /// <summary>Returns a word with the lines that continue it, as base64 is wrapped in messages and files; the word if there are none.</summary>
    public static TextPart WithLines(ReadOnlySpan<char> text, TextPart word)
    {
        var (end, line) = (word.End, word.Length);
        while (line >= ShortestLine && end < text.Length && text[end] is '\r' or '\n')
        {
            var next = end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
            next += text[next..].Length - text[next..].TrimStart(" \t").Length;
            var length = FormLetters.Run(text, next, FormLetters.Base64, word.Length);
            if (length == 0)
                break;
            end = next + length;
            if (length < line)
                break;
        }
        return new(word.Start, end - word.Start);
    }

    /// <summary>Returns the text encoded by a base64 or hexadecimal word; null if it does not encode a text.</summary>
    public static string? Decoded(ReadOnlySpan<char> word)
    {
        var bytes = IsHex(word) ? Convert.FromHexString(word) : FromBase64(word);
        if (bytes is null)
            return null;
        return IsPacked(bytes) ? Inflated(bytes) is { } inflated ? Text(inflated) : null : Text(bytes);
    }

    /// <summary>Returns the text without the escapes of HTML, XML and JSON; the same text if there are none.</summary>
    public static string Unescaped(string text)
    {
        if (text.Contains('&', StringComparison.Ordinal) && text.Contains(';', StringComparison.Ordinal))
            text = WebUtility.HtmlDecode(text);
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var plain = new char[text.Length];
        return new(plain, 0, Unescape(text, plain));
    }

    /// <summary>Writes a text without JSON escapes, whether it is JSON or not; returns the new length.</summary>
    public static int Unescape(ReadOnlySpan<char> text, Span<char> plain)
    {
        var written = 0;
        while (text.IndexOf('\\') is >= 0 and var at)
        {
            text[..at].CopyTo(plain[written..]);
            written += at;
            if (at + 1 >= text.Length)
            {
                text = text[at..];
                break;
            }
            var (letter, length) = text[at + 1] switch
            {
                'n' => ('\n', 2),
                'r' => ('\r', 2),
                't' => ('\t', 2),
                'u' when at + 6 <= text.Length
                    && ushort.TryParse(text.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) => ((char)code, 6),
                '"' or '\\' or '/' or '\'' => (text[at + 1], 2),
                _ => ('\\', 1),
            };
            plain[written++] = letter;
            text = text[(at + length)..];
        }
        text.CopyTo(plain[written..]);
        return written + text.Length;
    }

    /// <summary>Replaces entities of XML and HTML for ASCII characters in place; returns the new length.</summary>
    public static int ReadEntities(Span<char> text)
    {
        var (read, written) = (0, 0);
        while (text[read..].IndexOf('&') is >= 0 and var next)
        {
            text.Slice(read, next).CopyTo(text[written..]);
            (read, written) = (read + next, written + next);
            var length = Entity(text[read..], out var letter);
            text[written++] = length > 0 ? letter : '&';
            read += Math.Max(1, length);
        }
        text[read..].CopyTo(text[written..]);
        return written + text.Length - read;
    }

    /// <summary>Returns the length of the entity at the beginning of a text and its character; 0 if there is none.</summary>
    public static int Entity(ReadOnlySpan<char> text, out char letter)
    {
        letter = '&';
        var end = text[..Math.Min(10, text.Length)].IndexOf(';');
        if (end < 3)
            return 0;
        var name = text[1..end];
        var code = name is ['#', 'x' or 'X', ..]
            ? ushort.TryParse(name[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? hex : 0
            : name is ['#', ..] ? ushort.TryParse(name[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0
            : name switch { "amp" => '&', "lt" => '<', "gt" => '>', "quot" => '"', "apos" => '\'', _ => 0 };
        letter = (char)code;
        return code == 0 ? 0 : end + 1;
    }

    /// <summary>
    /// Whether a word may encode a text, judged by its beginning: most are binary data or ordinary words, and decoding all of them would be
    /// expensive.
    /// </summary>
    private static bool MayBeText(ReadOnlySpan<char> word)
    {
        if (IsHex(word))
            return IsPacked(Convert.FromHexString(word[..4])) || word.Length >= 2 && IsPrintableHex(word[..ShortestHex]);
        Span<char> head = stackalloc char[ShortestValue];
        word[..ShortestValue].CopyTo(head);
        head.Replace('-', '+');
        head.Replace('_', '/');
        Span<byte> bytes = stackalloc byte[ShortestValue];
        if (!Convert.TryFromBase64Chars(head, bytes, out var length))
            return false;
        return IsPacked(bytes) || !Controls(bytes[..length]) || IsWide(bytes[..length]);
    }

    private static bool IsHex(ReadOnlySpan<char> word) => word.Length >= ShortestHex && word.Length % 2 == 0 && !word.ContainsAnyExcept(Hex);

    private static bool IsPrintableHex(ReadOnlySpan<char> head)
    {
        for (var i = 0; i < head.Length; i += 2)
        {
            if (head[i] is not (>= '2' and <= '7') && !(head[i] == '0' && head[i + 1] is '9' or 'a' or 'A' or 'd' or 'D'))
                return false;
        }
        return true;
    }

    private static byte[]? FromBase64(ReadOnlySpan<char> word)
    {
        var plain = word.TrimEnd('=').ToString().Replace('-', '+').Replace('_', '/');
        if (plain.Length % 4 == 1)
            return null;
        plain = plain.PadRight((plain.Length + 3) / 4 * 4, '=');
        var bytes = new byte[plain.Length / 4 * 3];
        return Convert.TryFromBase64String(plain, bytes, out var length) ? bytes[..length] : null;
    }

    private static string? Text(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[3..];
        if (IsWide(bytes))
            return Encoding.Unicode.GetString(bytes);
        // Check first: an exception for each invalid text would cost more than all other work here.
        return Utf8.IsValid(bytes) && !Controls(bytes) ? Encoding.UTF8.GetString(bytes) : null;
    }

    /// <summary>Whether the bytes begin like gzip (RFC 1952) or zlib (RFC 1950).</summary>
    private static bool IsPacked(ReadOnlySpan<byte> bytes) => bytes is [Gzip, 0x8b, ..] or [0x78, 0x01 or 0x5e or 0x9c or 0xda, ..];

    private static byte[]? Inflated(byte[] bytes)
    {
        try
        {
            using var inflated = new MemoryStream();
            using Stream packed = bytes[0] == Gzip
                ? new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress)
                : new ZLibStream(new MemoryStream(bytes), CompressionMode.Decompress);
            var some = new byte[8192];
            for (int read; inflated.Length < LongestInflated && (read = packed.Read(some)) > 0;)
                inflated.Write(some, 0, read);
            return inflated.ToArray();
        }
        catch (InvalidDataException)
        {
            // Only the first bytes are those of a compressed text.
            return null;
        }
    }

    private static bool Controls(ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            if (b < ' ' && b is not ((byte)'\t' or (byte)'\n' or (byte)'\r') || b == 0x7f)
                return true;
        }
        return false;
    }

    /// <summary>Whether the bytes are UTF-16 little-endian text of ASCII characters.</summary>
    private static bool IsWide(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8)
            return false;
        for (var i = 1; i < Math.Min(bytes.Length, 32); i += 2)
        {
            if (bytes[i] != 0 && !(i == 1 && bytes is [0xff, 0xfe, ..]))
                return false;
        }
        return true;
    }
}
