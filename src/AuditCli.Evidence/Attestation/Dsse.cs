using System.Globalization;
using System.Text;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// The Dead Simple Signing Envelope, protocol 1.0.2 (secure-systems-lab/dsse), which defines what a signature covers.
/// </summary>
public static class Dsse
{
    /// <summary>The payload type of in-toto statements.</summary>
    public const string InTotoPayload = "application/vnd.in-toto+json";

    /// <summary>Returns the pre-authentication encoding of a statement: type and bytes, each after its length.</summary>
    public static byte[] PreAuthentication(ReadOnlySpan<byte> statement)
    {
        var start = string.Create(CultureInfo.InvariantCulture, $"DSSEv1 {InTotoPayload.Length} {InTotoPayload} {statement.Length} ");
        return [.. Encoding.ASCII.GetBytes(start), .. statement];
    }
}
