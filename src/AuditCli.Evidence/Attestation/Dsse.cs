using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Attestation;

/// <summary>The Dead Simple Signing Envelope, protocol 1.0.2 (secure-systems-lab/dsse): what exactly a signature covers.</summary>
public static class Dsse
{
    /// <summary>The payload type of in-toto statements.</summary>
    public const string InTotoPayload = "application/vnd.in-toto+json";

    /// <summary>The pre-authentication encoding of a statement: type and bytes, each behind its length.</summary>
    public static byte[] PreAuthentication(ReadOnlySpan<byte> statement) =>
        [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {InTotoPayload.Length} {InTotoPayload} {statement.Length} ")), .. statement];
}
