using System.Buffers;
using System.Security.Cryptography;

namespace AuditCli.Collectors.Redaction;

/// <summary>Recognises private keys in base58 with a checksum, by which no ordinary text is taken for one.</summary>
internal static class Base58
{
    private const string Letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    private const int Check = 4;
    private const int LongestKey = 38;
    private static readonly SearchValues<char> All = SearchValues.Create(Letters);

    /// <summary>Whether a word is a private key in Bitcoin's import format: a version, 32 bytes, for a compressed key one more, a checksum.</summary>
    public static bool IsKey(ReadOnlySpan<char> word)
    {
        if (word.Length is not (51 or 52) || word[0] is not ('5' or 'K' or 'L' or '9' or 'c') || word.ContainsAnyExcept(All))
            return false;
        Span<byte> bytes = stackalloc byte[LongestKey];
        bytes.Clear();
        var length = 0;
        foreach (var letter in word)
        {
            var carry = Letters.IndexOf(letter, StringComparison.Ordinal);
            for (var i = 0; i < length || carry > 0; i++)
            {
                if (i == LongestKey)
                    return false;
                carry += bytes[i] * Letters.Length;
                bytes[i] = (byte)(carry & 0xff);
                carry >>= 8;
                length = Math.Max(length, i + 1);
            }
        }
        if (length is not (37 or LongestKey))
            return false;
        bytes = bytes[..length];
        bytes.Reverse();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..^Check], hash);
        SHA256.HashData(hash, hash);
        return bytes[0] is 0x80 or 0xef && hash[..Check].SequenceEqual(bytes[^Check..]);
    }
}
