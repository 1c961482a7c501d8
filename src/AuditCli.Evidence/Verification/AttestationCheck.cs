using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Verification;

/// <summary>What was found about an attestation besides its problems, for the lines of the report.</summary>
/// <param name="Statement">The signer's statement; null when it cannot be read, or the signature is not valid.</param>
/// <param name="Signer">The signer's name and key, for display.</param>
/// <param name="Stamped">When an authority stamped it, whether trusted or not; null without a time stamp.</param>
/// <param name="IsTimeTrusted">Whether the authority is one of those given.</param>
internal sealed record AttestationFindings(
    BundleStatement? Statement, string? Signer, DateTimeOffset? Stamped, bool IsTimeTrusted, Digest? Head)
{
    /// <summary>Returns what is known of the signature's time, in words.</summary>
    /// <param name="found">Null if there is no attestation.</param>
    public static string TimeWords(AttestationFindings? found, bool rootsGiven) => found switch
    {
        { Stamped: { } at, IsTimeTrusted: true } => $"signed before {Rfc3339.Format(at)}",
        { Stamped: { } at } => $"an authority states {Rfc3339.Format(at)}; give its root with --tsa-root to check it",
        _ => rootsGiven ? "not reached" : "no time stamp authority was given",
    };

    /// <summary>Returns what is known of the bundle's place in its chain, in words.</summary>
    /// <param name="found">Null if there is no attestation.</param>
    /// <param name="asked">Whether something was given to compare the place with.</param>
    public static string ChainWords(AttestationFindings? found, bool asked) => found?.Statement is { } statement
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"number {statement.Chain.Sequence} of its chain, head {found.Head}{(asked ? "" : "; compare it with the head you recorded")}")
        : asked ? "not reached" : "no head was given";
}

/// <summary>Checks every part of one attestation and reports each problem.</summary>
/// <param name="tell">Takes the check (a line of the report), code, file and message of a problem.</param>
internal sealed class AttestationCheck(AttestationFiles files, VerifyOptions options, Action<string, string, string, string> tell)
{
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    public AttestationFindings Run()
    {
        var key = ReadSigner(out var certificates);
        if (key.Length > 0 && !EcdsaSignature.IsKey(key))
        {
            tell(
                VerifyQuestion.Signature, VerifyCode.TypeUnsupported, AttestationFiles.PathOf(AttestationFiles.SignerName),
                "is not a P-256 key, the only kind that this version supports");
            return new(null, null, null, false, null);
        }
        if (!SignatureHolds(key))
            return new(null, null, null, false, null);
        var fingerprint = Digest.Of(key);
        var statement = ReadStatement();
        CheckSigstore(certificates, fingerprint);
        var (stamped, timeTrusted) = CheckTime(statement);
        if (statement is not null && statement.SignerKey != fingerprint)
        {
            tell(
                VerifyQuestion.KeyTrust, VerifyCode.UntrustedKey, AttestationFiles.PathOf(AttestationFiles.StatementName),
                $"the signer named the key {statement.SignerKey}, and the signature is by {fingerprint}");
        }
        if (statement is not null && statement.SignerFile != Digest.Of(files.Signer))
        {
            tell(
                VerifyQuestion.Signature, VerifyCode.AttestationInconsistent, AttestationFiles.PathOf(AttestationFiles.SignerName),
                "is not the file that the signer named");
        }
        CheckTrust(fingerprint, certificates, stamped, statement);
        var head = Digest.Of(files.Statement);
        if (statement is not null)
            CheckChain(statement, head);
        var who = certificates.Count > 0 ? $"{certificates[0].Subject}, key {fingerprint}" : $"key {fingerprint}";
        return new(statement, who, stamped, timeTrusted, head);
    }

    /// <summary>
    /// Returns the signer's SubjectPublicKeyInfo, empty when there is none, and the certificates, the leaf first.
    /// </summary>
    private byte[] ReadSigner(out X509Certificate2Collection certificates)
    {
        certificates = [];
        try
        {
            var pem = Encoding.ASCII.GetString(files.Signer);
            certificates.ImportFromPem(pem);
            return certificates.Count > 0 ? certificates[0].PublicKey.ExportSubjectPublicKeyInfo() : EcdsaSignature.KeyFromPem(pem) ?? [];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }

    private bool SignatureHolds(byte[] key)
    {
        var file = AttestationFiles.PathOf(AttestationFiles.SignatureName);
        if (!EcdsaSignature.IsNormal(files.Signature))
        {
            tell(VerifyQuestion.Signature, VerifyCode.SignatureMalformed, file, "is not an ECDSA signature on P-256 in canonical DER");
            return false;
        }
        if (Verifies(key))
            return true;
        if (options.Trust.Keys.Values.Any(k => k is { } trusted && Verifies(trusted.Span)))
        {
            tell(
                VerifyQuestion.Signature, VerifyCode.AttestationInconsistent, AttestationFiles.PathOf(AttestationFiles.SignerName),
                "is not the key that signed; the key that signed is among those trusted");
        }
        else
        {
            tell(VerifyQuestion.Signature, VerifyCode.SignatureInvalid, file, "does not match the statement and the key in attestation/");
        }
        return false;
    }

    private bool Verifies(ReadOnlySpan<byte> publicKey)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(publicKey, out var read);
            return read == publicKey.Length && EcdsaSignature.IsKey(publicKey)
                && key.VerifyData(Dsse.PreAuthentication(files.Statement), files.Signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private BundleStatement? ReadStatement() => Read(AttestationFiles.StatementName, () => BundleStatement.Read(files.Statement));

    private T? Read<T>(string name, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (NotSupportedException e)
        {
            tell(VerifyQuestion.Signature, VerifyCode.TypeUnsupported, AttestationFiles.PathOf(name), $"this version does not know {e.Message}");
        }
        catch (InvalidDataException e)
        {
            tell(VerifyQuestion.Signature, VerifyCode.JsonMalformed, AttestationFiles.PathOf(name), e.Message);
        }
        catch (InconsistentAttestationException e)
        {
            tell(VerifyQuestion.Signature, VerifyCode.AttestationInconsistent, AttestationFiles.PathOf(name), e.Message);
        }
        return null;
    }

    private void CheckSigstore(X509Certificate2Collection certificates, Digest fingerprint)
    {
        if (Read(AttestationFiles.SigstoreName, () => SigstoreBundle.Read(files.Sigstore)) is not { } bundle)
            return;
        var leaf = certificates.Count > 0 ? (ReadOnlyMemory<byte>?)certificates[0].RawData : null;
        foreach (var (what, same) in new[]
        {
            ("statement", bundle.Statement.Span.SequenceEqual(files.Statement)),
            ("signature", bundle.Signature.Span.SequenceEqual(files.Signature)),
            ("time stamp", Same(bundle.TimeStamp, (ReadOnlyMemory<byte>?)files.TimeStamp?.AsMemory())),
            ("certificate", Same(bundle.Certificate, leaf)),
            ("key", bundle.KeyHint is null || bundle.KeyHint == fingerprint.Hex),
        })
        {
            if (!same)
            {
                tell(
                    VerifyQuestion.Signature, VerifyCode.AttestationInconsistent, AttestationFiles.PathOf(AttestationFiles.SigstoreName),
                    $"has another {what} than the separate file in attestation/");
            }
        }
    }

    private static bool Same(ReadOnlyMemory<byte>? left, ReadOnlyMemory<byte>? right) =>
        left is { } a && right is { } b ? a.Span.SequenceEqual(b.Span) : left is null && right is null;

    private (DateTimeOffset? Stamped, bool Trusted) CheckTime(BundleStatement? statement)
    {
        var file = AttestationFiles.PathOf(AttestationFiles.TimeStampName);
        if (statement is { TimeStamp: BundleStatement.Stamped } && files.TimeStamp is null)
        {
            tell(VerifyQuestion.Time, VerifyCode.TimeStampStripped, file, "is missing, although the signed statement says that there is one");
        }
        else if (files.TimeStamp is null && options.TimeStampRoots is not null)
        {
            tell(
                VerifyQuestion.Time, VerifyCode.TimeStampMissing, file,
                $"there is no time stamp{(statement?.TimeStampFailures is [var why, ..] ? $"; the signer says why: {why}" : "")}");
        }
        if (files.TimeStamp is null)
            return (null, false);
        if (statement is { TimeStamp: BundleStatement.NotStamped })
            tell(VerifyQuestion.Time, VerifyCode.AttestationInconsistent, file, "is present, although the signed statement says that there is none");
        TimeStamp stamp;
        try
        {
            stamp = TimeStamp.Read(files.TimeStamp);
        }
        catch (InvalidDataException e)
        {
            tell(VerifyQuestion.Time, VerifyCode.TimeStampInvalid, file, e.Message);
            return (null, false);
        }
        if (!stamp.IsOver(files.Signature))
        {
            tell(VerifyQuestion.Time, VerifyCode.TimeStampMismatch, file, "is a time stamp of something other than this signature");
            return (null, false);
        }
        if (stamp.WhyInvalid() is { } invalid)
        {
            tell(VerifyQuestion.Time, VerifyCode.TimeStampInvalid, file, invalid);
            return (null, false);
        }
        var wrong = stamp.WhyNotTrusted(options.TimeStampRoots ?? [], options.Revoked);
        if (options.TimeStampRoots is not null && wrong is not null)
            tell(VerifyQuestion.Time, VerifyCode.TimeStampUntrusted, file, wrong);
        if (options.Now is { } now && stamp.Time > now + ClockTolerance)
            tell(VerifyQuestion.Time, VerifyCode.TimeStampInvalid, file, $"says {Rfc3339.Format(stamp.Time)}, which is in the future");
        return (stamp.Time, wrong is null);
    }

    private void CheckTrust(Digest fingerprint, X509Certificate2Collection certificates, DateTimeOffset? stamped, BundleStatement? statement)
    {
        var file = AttestationFiles.PathOf(AttestationFiles.SignerName);
        if (options.Revoked.Contains(fingerprint))
        {
            tell(VerifyQuestion.KeyTrust, VerifyCode.KeyRevoked, file, $"the key {fingerprint} is revoked (--revoked)");
            return;
        }
        if (options.Trust.IsNobody || options.Trust.Keys.ContainsKey(fingerprint))
            return;
        if (certificates.Count == 0 || options.Trust.Authorities.IsEmpty)
        {
            tell(VerifyQuestion.KeyTrust, VerifyCode.UntrustedKey, file, $"the key {fingerprint} is not among those trusted");
            return;
        }
        var moment = stamped ?? (statement is not null && Rfc3339.TryParse(statement.Facts.Finished, out var finished) ? finished : null);
        if (moment is not { } when)
            tell(
                VerifyQuestion.KeyTrust, VerifyCode.CertificateTime, file,
                "the time of signing is unknown, so the validity of the certificate cannot be checked");
        else if (Chains.WhyNot(certificates[0], certificates, options.Trust.Authorities, when, purpose: null, options.Revoked) is { } why)
        {
            var (from, to) = (certificates[0].NotBefore.ToUniversalTime(), certificates[0].NotAfter.ToUniversalTime());
            var timely = from <= when.UtcDateTime && when.UtcDateTime <= to;
            tell(
                VerifyQuestion.KeyTrust, why.IsRevoked ? VerifyCode.KeyRevoked : timely ? VerifyCode.UntrustedKey : VerifyCode.CertificateTime, file,
                $"at {Rfc3339.Format(when)}: {why.Message}{(why.IsRevoked ? ", which is revoked (--revoked)" : "")}");
        }
        else if (Chains.WhyNotASigner(certificates[0]) is { } other)
        {
            tell(
                VerifyQuestion.KeyTrust, VerifyCode.CertificateUsage, file,
                $"the certificate of {certificates[0].Subject} {other}; to accept it anyway, give the fingerprint of its key with --trust");
        }
    }

    private void CheckChain(BundleStatement statement, Digest head)
    {
        var file = AttestationFiles.PathOf(AttestationFiles.StatementName);
        if (options.ExpectHead is { } expected && expected != head)
            tell(VerifyQuestion.Chain, VerifyCode.ChainHeadMismatch, file, $"the head is {head}, not {expected}");
        if (options.Challenge is { } challenge && challenge != statement.Challenge)
            tell(
                VerifyQuestion.Chain, VerifyCode.ChallengeMismatch, file, statement.Challenge is null ? "contains no challenge" : "contains another challenge");
        if (options.Previous is not { } previous)
            return;
        var link = statement.Chain;
        if (link.Id != previous.Id)
        {
            tell(VerifyQuestion.Chain, VerifyCode.ChainBroken, file, $"belongs to the chain {link.Id}, not to {previous.Id}");
        }
        else if (link.Sequence > previous.Sequence + 1)
        {
            tell(VerifyQuestion.Chain, VerifyCode.ChainGap, file, string.Create(
                CultureInfo.InvariantCulture,
                $"is number {link.Sequence} of its chain, and the bundle before it number {previous.Sequence}"));
        }
        else if (link.Sequence <= previous.Sequence)
        {
            tell(VerifyQuestion.Chain, VerifyCode.ChainRollback, file, string.Create(
                CultureInfo.InvariantCulture,
                $"is number {link.Sequence} of its chain, not newer than number {previous.Sequence}"));
        }
        else if (link.Previous != previous.Bundle)
        {
            tell(VerifyQuestion.Chain, VerifyCode.ChainBroken, file, "names another bundle as the one before it");
        }
    }
}
