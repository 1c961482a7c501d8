using System.Security.Cryptography;

namespace AuditCli.Evidence;

/// <summary>A SHA-256 value (FIPS 180-4). Prints as 64 lower-case hexadecimal digits.</summary>
public readonly record struct Digest
{
    private readonly string? _hex;

    private Digest(string hex) => _hex = hex;

    /// <summary>The 64 digits; for a default value those of the empty byte string.</summary>
    public string Hex => _hex ?? "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <summary>Computes the digest of these bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> content) => new(Convert.ToHexStringLower(SHA256.HashData(content)));

    /// <summary>Wraps the 32 bytes of a finished computation.</summary>
    /// <exception cref="ArgumentException">The value is not 32 bytes long.</exception>
    public static Digest FromHash(ReadOnlySpan<byte> hash) => hash.Length == SHA256.HashSizeInBytes
        ? new(Convert.ToHexStringLower(hash))
        : throw new ArgumentException($"a SHA-256 value has 32 bytes, not {hash.Length}", nameof(hash));

    /// <summary>Reads 64 lower-case hexadecimal digits; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Digest digest)
    {
        digest = default;
        if (text.Length != 64)
            return false;
        foreach (var digit in text)
        {
            if (!char.IsAsciiHexDigitLower(digit))
                return false;
        }
        digest = new(text.ToString());
        return true;
    }

    public override string ToString() => Hex;
}
