namespace AuditCli.Evidence.Bundles;

/// <summary>Names the codes of <see cref="VerifyProblem"/>. They are stable between versions, because scripts compare them.</summary>
public static class VerifyCode
{
    // The bundle as a whole and its files.
    public const string NotSealed = "NOT_SEALED";
    public const string ContainerUnsafe = "CONTAINER_UNSAFE";
    public const string LimitExceeded = "LIMIT_EXCEEDED";
    public const string TypeUnsupported = "TYPE_UNSUPPORTED";
    public const string SpecialFile = "SPECIAL_FILE";
    public const string Unreadable = "UNREADABLE";
    public const string MissingFile = "MISSING_FILE";
    public const string UnexpectedFile = "UNEXPECTED_FILE";
    public const string ContentModified = "CONTENT_MODIFIED";

    // The manifest.
    public const string ManifestMalformed = "MANIFEST_MALFORMED";
    public const string ManifestUnsafePath = "MANIFEST_UNSAFE_PATH";
    public const string ManifestDuplicate = "MANIFEST_DUPLICATE";
    public const string ManifestOrder = "MANIFEST_ORDER";

    // The bundles of which a bundle is made.
    public const string ShardNotHere = "SHARD_NOT_HERE";
    public const string ShardUnlisted = "SHARD_UNLISTED";
    public const string ShardOther = "SHARD_OTHER";
    public const string ShardForeign = "SHARD_FOREIGN";

    // The signature and the statement that it is over.
    public const string Unsigned = "UNSIGNED";
    public const string SignerNotAsked = "SIGNER_NOT_ASKED";
    public const string SignatureMalformed = "SIG_MALFORMED";
    public const string SignatureInvalid = "SIG_INVALID";
    public const string UntrustedKey = "SIG_UNTRUSTED_KEY";
    public const string KeyRevoked = "SIG_KEY_REVOKED";
    public const string CertificateTime = "SIG_CERT_TIME";
    public const string CertificateUsage = "SIG_CERT_USAGE";
    public const string JsonMalformed = "JSON_MALFORMED";
    public const string AttestationInconsistent = "ATTESTATION_INCONSISTENT";
    public const string StatementInconsistent = "STATEMENT_INCONSISTENT";
    public const string StatementNotCompared = "STATEMENT_NOT_COMPARED";

    // The time stamp.
    public const string TimeStampMissing = "TS_MISSING";
    public const string TimeStampStripped = "TS_STRIPPED";
    public const string TimeStampInvalid = "TS_INVALID";
    public const string TimeStampMismatch = "TS_MISMATCH";
    public const string TimeStampUntrusted = "TS_UNTRUSTED";

    // What people state about the bundle.
    public const string PeopleInconsistent = "PEOPLE_INCONSISTENT";
    public const string PeopleUnknownKey = "PEOPLE_UNKNOWN_KEY";

    // The chain of bundles.
    public const string ChainBroken = "CHAIN_BROKEN";
    public const string ChainGap = "CHAIN_GAP";
    public const string ChainFork = "CHAIN_FORK";
    public const string ChainRollback = "CHAIN_ROLLBACK";
    public const string ChainHeadMismatch = "CHAIN_HEAD_MISMATCH";
    public const string ChallengeMismatch = "CHALLENGE_MISMATCH";
}
