using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace AuditCli.Reports.Formats;

/// <summary>Computes UUIDs from names (RFC 9562, version 5), so that equal reports have equal UUIDs.</summary>
internal static class NameUuid
{
    /// <summary>The namespace of URLs (RFC 9562, section 6.6).</summary>
    private static readonly byte[] Space = Convert.FromHexString("6ba7b8119dad11d180b400c04fd430c8");

    /// <summary>Returns the UUID of a name.</summary>
    /// <param name="parts">The parts of the name.</param>
    [SuppressMessage("Security", "CA5350", Justification = "The RFC says SHA-1; nothing relies on it but that names differ.")]
    public static string Of(params ReadOnlySpan<string> parts)
    {
        var hash = SHA1.HashData([.. Space, .. Encoding.UTF8.GetBytes("urn:auditcli:" + string.Join('\u001f', parts!))]);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        var hex = Convert.ToHexStringLower(hash.AsSpan(0, 16));
        return $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}";
    }
}
