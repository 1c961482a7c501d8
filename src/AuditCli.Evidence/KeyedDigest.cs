using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace AuditCli.Evidence;

/// <summary>
/// Computes what stands in the place of a value that must not be kept: <c>hmac-sha256:&lt;hex&gt;</c> (RFC 2104). Under one key equal values
/// have equal digests, and without the key nobody can try values until one fits.
/// </summary>
public static partial class KeyedDigest
{
    /// <summary>The text before the 64 hexadecimal digits.</summary>
    public const string Prefix = "hmac-sha256:";

    /// <summary>Returns the digest of a text; a text that is a digest already is returned unchanged, so that a copy can be copied.</summary>
    public static string Of(ReadOnlySpan<byte> key, string value) =>
        IsOne(value) ? value : Prefix + Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(value)));

    /// <summary>Whether a text has the form of a digest.</summary>
    public static bool IsOne(string value) => Form.IsMatch(value);

    [GeneratedRegex(@"\Ahmac-sha256:[0-9a-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form { get; }
}
