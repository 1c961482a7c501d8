using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace AuditCli.Evidence.Attestation;

/// <summary>A question to a time stamp authority (RFC 3161, section 2.4.1): when did these bytes exist?</summary>
public sealed class TimeStampQuery
{
    private const int NonceBytes = 8;
    private readonly Rfc3161TimestampRequest _request;

    /// <param name="signature">What gets the stamp: its SHA-256 is all that the authority sees.</param>
    public TimeStampQuery(ReadOnlySpan<byte> signature) => _request = Rfc3161TimestampRequest.CreateFromData(
        signature, HashAlgorithmName.SHA256, requestSignerCertificates: true, nonce: RandomNumberGenerator.GetBytes(NonceBytes));

    /// <summary>The body of the request, <c>application/timestamp-query</c>.</summary>
    public byte[] Content => _request.Encode();

    /// <summary>Whether an answer grants a stamp for exactly this question, nonce included.</summary>
    /// <exception cref="InvalidDataException">It does not; the message says what it is instead.</exception>
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

/// <summary>A time stamp as it was answered (<c>TimeStampResp</c>, RFC 3161, section 2.4.2).</summary>
public sealed class TimeStamp
{
    private const string Sha256Id = "2.16.840.1.101.3.4.2.1";
    private const string TimeStampingPurpose = "1.3.6.1.5.5.7.3.8";
    private readonly Rfc3161TimestampToken _token;

    private TimeStamp(Rfc3161TimestampToken token) => _token = token;

    /// <summary>When the authority says that the bytes existed.</summary>
    public DateTimeOffset Time => _token.TokenInfo.Timestamp;

    /// <summary>Reads an answer that grants a stamp with a SHA-256 imprint.</summary>
    /// <exception cref="InvalidDataException">It is none, or has bytes behind its end.</exception>
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
            if (!Rfc3161TimestampToken.TryDecode(content, out var token, out var read) || read != content.Length)
                throw new InvalidDataException("the answer holds no time stamp token, or one by a certificate that is for another purpose or was not valid when it stamped");
            return token.TokenInfo.HashAlgorithmId.Value == Sha256Id
                ? new(token)
                : throw new InvalidDataException($"the imprint is by {token.TokenInfo.HashAlgorithmId.Value}, not by SHA-256");
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            throw new InvalidDataException($"it is no time stamp: {e.Message}", e);
        }
    }

    /// <summary>Whether it is about these bytes.</summary>
    public bool IsOver(ReadOnlySpan<byte> signature) => _token.TokenInfo.GetMessageHash().Span.SequenceEqual(SHA256.HashData(signature));

    /// <summary>Null when the token is signed by an authority under one of the roots, valid when it stamped; else what is wrong.</summary>
    /// <param name="invalid">Whether the token itself is broken, rather than its authority unknown.</param>
    public string? WhyNotTrusted(ReadOnlySpan<byte> signature, ImmutableArray<X509Certificate2> roots, out bool invalid)
    {
        invalid = false;
        var included = _token.AsSignedCms().Certificates;
        if (!_token.VerifySignatureForData(signature, out var signer, included) || signer is null)
        {
            invalid = true;
            return "the token's signature does not hold";
        }
        return Chains.WhyNot(signer, included, roots, Time, TimeStampingPurpose);
    }
}

/// <summary>Chains of certificates (RFC 5280), judged at a moment of the past.</summary>
internal static class Chains
{
    /// <summary>Null when the certificate leads to one of the roots and all of them were valid then; else what is wrong.</summary>
    /// <remarks>Revocation is not asked: verification has no network.</remarks>
    public static string? WhyNot(X509Certificate2 leaf, X509Certificate2Collection others, ImmutableArray<X509Certificate2> roots, DateTimeOffset moment, string? purpose)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots.ToArray());
        chain.ChainPolicy.ExtraStore.AddRange(others);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = moment.UtcDateTime;
        if (purpose is not null)
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid(purpose));
        return chain.Build(leaf)
            ? null
            : string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.TrimEnd('.', ' ', '\n')).Distinct(StringComparer.Ordinal).DefaultIfEmpty("the chain cannot be built"));
    }
}
