using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// A request to a time stamp authority (RFC 3161, section 2.4.1) for proof that these bytes existed at some time.
/// </summary>
public sealed class TimeStampQuery
{
    private const int NonceBytes = 8;
    private readonly Rfc3161TimestampRequest _request;

    /// <param name="signature">The bytes to stamp; the authority sees only their SHA-256.</param>
    public TimeStampQuery(ReadOnlySpan<byte> signature) => _request = Rfc3161TimestampRequest.CreateFromData(
        signature, HashAlgorithmName.SHA256, requestSignerCertificates: true, nonce: RandomNumberGenerator.GetBytes(NonceBytes));

    /// <summary>The body of the request, <c>application/timestamp-query</c>.</summary>
    public byte[] Content => _request.Encode();

    /// <summary>Checks that a response grants a stamp for exactly this request, including its nonce.</summary>
    /// <exception cref="InvalidDataException">It does not; the message says why.</exception>
    public void Accept(ReadOnlyMemory<byte> answer)
    {
        try
        {
            _ = _request.ProcessResponse(answer, out var read);
            if (read != answer.Length)
                throw new InvalidDataException("the answer has bytes behind its end");
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"the answer grants no time stamp for this question: {e.Message}", e);
        }
    }
}

/// <summary>A time stamp as the authority returned it (<c>TimeStampResp</c>, RFC 3161, section 2.4.2).</summary>
/// <remarks>
/// The runtime's own token reader also refuses tokens whose certificate was not valid at the time of the stamp, and does not
/// distinguish them from broken ones. That is a matter of trust, so the token is read here as the signed message (RFC 5652) that
/// it is, with the checks of RFC 3161, sections 2.3 and 2.4.2, and RFC 5816.
/// </remarks>
public sealed class TimeStamp
{
    private const string Sha256Id = "2.16.840.1.101.3.4.2.1";
    private const string TokenContent = "1.2.840.113549.1.9.16.1.4";
    private const string SigningCertificate = "1.2.840.113549.1.9.16.2.12";
    private const string SigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";
    private const string TimeStampingPurpose = "1.3.6.1.5.5.7.3.8";
    private readonly SignedCms _message;
    private readonly Rfc3161TimestampTokenInfo _info;

    private TimeStamp(SignedCms message, Rfc3161TimestampTokenInfo info) => (_message, _info) = (message, info);

    /// <summary>The time at which, according to the authority, the bytes existed.</summary>
    public DateTimeOffset Time => _info.Timestamp;

    /// <summary>Reads a response that grants a stamp with a SHA-256 imprint.</summary>
    /// <exception cref="InvalidDataException">It is not such a response, or has bytes after its end.</exception>
    public static TimeStamp Read(ReadOnlyMemory<byte> answer)
    {
        try
        {
            var reader = new AsnReader(answer, AsnEncodingRules.DER);
            var response = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            var status = response.ReadSequence().ReadInteger();
            if (status > 1)
                throw new InvalidDataException($"the authority granted no time stamp (status {status})");
            var content = response.ReadEncodedValue();
            response.ThrowIfNotEmpty();
            var message = new SignedCms();
            message.Decode(content.Span);
            if (message.ContentInfo.ContentType.Value != TokenContent
                || !Rfc3161TimestampTokenInfo.TryDecode(message.ContentInfo.Content, out var info, out var read)
                || read != message.ContentInfo.Content.Length)
            {
                throw new InvalidDataException("the answer holds no time stamp token");
            }
            return info.HashAlgorithmId.Value == Sha256Id
                ? new(message, info)
                : throw new InvalidDataException($"the imprint is by {info.HashAlgorithmId.Value}, not by SHA-256");
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            throw new InvalidDataException($"it is no time stamp: {e.Message}", e);
        }
    }

    /// <summary>Whether the stamp is for these bytes.</summary>
    public bool IsOver(ReadOnlySpan<byte> signature) => _info.GetMessageHash().Span.SequenceEqual(SHA256.HashData(signature));

    /// <summary>Returns null when the token's signature is valid; else what is broken.</summary>
    public string? WhyInvalid()
    {
        try
        {
            if (_message.SignerInfos is not [var signer])
                return "the token is not signed by exactly one authority";
            if (signer.Certificate is not { } certificate)
                return "the token does not hold its authority's certificate";
            signer.CheckSignature(verifySignatureOnly: true);
            if (!Names(signer, certificate))
                return "the token's signature names another certificate than the token contains";
            var purposes = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray();
            return purposes is [{ Critical: true, EnhancedKeyUsages: [{ Value: TimeStampingPurpose }] }]
                ? null
                : "the authority's certificate is not for time stamps only";
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            return $"the token's signature does not hold: {e.Message}";
        }
    }

    /// <summary>
    /// Returns null when the authority is under one of the roots and was valid when it stamped; else what is wrong. Call it only
    /// for a token for which <see cref="WhyInvalid"/> returns null.
    /// </summary>
    public string? WhyNotTrusted(ImmutableArray<X509Certificate2> roots, ImmutableHashSet<Digest> revoked)
    {
        var why = Chains.WhyNot(_message.SignerInfos[0].Certificate!, _message.Certificates, roots, Time, TimeStampingPurpose, revoked);
        return why is { IsRevoked: true } ? $"{why.Message}, and it is revoked (--revoked)" : why?.Message;
    }

    /// <summary>
    /// Whether the signed attributes bind the certificate (ESSCertID, RFC 2634, or ESSCertIDv2, RFC 5035), so that no other
    /// certificate can be substituted.
    /// </summary>
    private static bool Names(SignerInfo signer, X509Certificate2 certificate)
    {
        var named = 0;
        foreach (var attribute in signer.SignedAttributes)
        {
            if (attribute.Oid.Value is not (SigningCertificate or SigningCertificateV2))
                continue;
            foreach (var value in attribute.Values)
            {
                var first = new AsnReader(value.RawData, AsnEncodingRules.DER).ReadSequence().ReadSequence().ReadSequence();
                var algorithm = attribute.Oid.Value == SigningCertificate ? HashAlgorithmName.SHA1
                    : first.PeekTag() == Asn1Tag.Sequence ? HashAlgorithm(first.ReadSequence().ReadObjectIdentifier())
                    : HashAlgorithmName.SHA256;
                if (!first.ReadOctetString().AsSpan().SequenceEqual(certificate.GetCertHash(algorithm)))
                    return false;
                named++;
            }
        }
        return named > 0;
    }

    private static HashAlgorithmName HashAlgorithm(string id) => id switch
    {
        Sha256Id => HashAlgorithmName.SHA256,
        "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
        "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
        _ => throw new CryptographicException($"the certificate is named by the digest {id}"),
    };
}
