using System.Globalization;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.People;

/// <summary>
/// A person's statement about a sealed bundle: an in-toto Statement v1 in the canonical form of RFC 8785. Its only subject is the tag
/// manifest, so it is about exactly these bytes, and it names the statement before it, so that none can be taken out or exchanged.
/// </summary>
public sealed record PeopleStatement
{
    private const string TypePrefix = "urn:auditcli:people:";
    private const string TypeSuffix = ":v1";

    /// <summary>One of <see cref="PeopleKind.All"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The number in the bundle's chain of statements, from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>SHA-256 of the file of the statement before this one; null for the first.</summary>
    public required Digest? Previous { get; init; }
    public required string BundleId { get; init; }
    public required Digest TagManifest { get; init; }

    /// <summary>When it was made, according to the person who signed.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The name of the person.</summary>
    public required string By { get; init; }

    /// <summary>The SubjectPublicKeyInfo of the person's key, in DER.</summary>
    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>The role of a sign-off; null for other kinds.</summary>
    public string? Role { get; init; }

    /// <summary>What the person remarks; null without a remark.</summary>
    public string? Note { get; init; }

    /// <summary>The number of the statement to which this one replies.</summary>
    public long? ReplyTo { get; init; }

    /// <summary>The control, item or file that the remark is about; null for the whole bundle.</summary>
    public string? About { get; init; }

    /// <summary>Who got the copy, or which bundle takes this one's place.</summary>
    public string? To { get; init; }

    /// <summary>The day after which additions need a reason; only of <see cref="PeopleKind.Assembled"/>.</summary>
    public DateOnly? DueBy { get; init; }

    /// <summary>Why the statement is added after the file was assembled.</summary>
    public string? Why { get; init; }

    /// <summary>The name of its file.</summary>
    public string FileName => string.Create(CultureInfo.InvariantCulture, $"{Sequence:d4}-{Kind}.dsse.json");

    /// <summary>The digest by which a team or a trust list names the key.</summary>
    public Digest Fingerprint => Digest.Of(Key.Span);

    /// <summary>Returns the bytes to sign.</summary>
    public byte[] Write() => CanonicalJson.Encode(new JsonObject
    {
        ["_type"] = BundleStatement.StatementType,
        ["subject"] = BundleStatement.SubjectOf(TagManifest),
        ["predicateType"] = TypePrefix + Kind + TypeSuffix,
        ["predicate"] = new JsonObject
        {
            ["about"] = About,
            ["at"] = Rfc3339.Format(At),
            ["bundleId"] = BundleId,
            ["by"] = By,
            ["dueBy"] = DueBy?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["note"] = Note,
            ["previous"] = Previous?.Hex,
            ["replyTo"] = ReplyTo,
            ["role"] = Role,
            ["sequence"] = Sequence,
            ["signer"] = new JsonObject
            {
                ["algorithm"] = BundleStatement.Algorithm,
                ["spki"] = Convert.ToBase64String(Key.Span),
                ["spkiSha256"] = Fingerprint.Hex,
            },
            ["to"] = To,
            ["why"] = Why,
        },
    });

    /// <summary>Reads the output of <see cref="Write"/> and nothing else: unknown members, other types and other forms are refused.</summary>
    /// <exception cref="NotSupportedException">The statement, the predicate or the signature algorithm is of another type.</exception>
    /// <exception cref="InvalidDataException">It is not such a statement, or not in RFC 8785's form.</exception>
    public static PeopleStatement Read(ReadOnlySpan<byte> content)
    {
        const string what = "the statement";
        var members = new StrictMembers(BundleStatement.CanonicalForm(content, what), what);
        var (statementType, predicateType) = (members.Text("_type"), members.Text("predicateType"));
        var kind = PeopleKind.All.FirstOrDefault(k => predicateType == TypePrefix + k + TypeSuffix);
        if (statementType != BundleStatement.StatementType || kind is null)
            throw new NotSupportedException($"a statement of type {statementType} with a predicate of type {predicateType}");
        var subject = BundleStatement.Subject(members);
        var statement = members.Members("predicate", p => Predicate(p, kind, subject));
        members.End();
        return statement;
    }

    private static PeopleStatement Predicate(StrictMembers p, string kind, Digest subject)
    {
        var statement = new PeopleStatement
        {
            Kind = kind,
            TagManifest = subject,
            About = p.NullableText("about"),
            At = Rfc3339.TryParse(p.Text("at") is var at ? at : "", out var instant) && Rfc3339.Format(instant) == at
                ? instant
                : throw new InvalidDataException("'at' is not an instant in UTC"),
            BundleId = p.Text("bundleId"),
            By = p.Text("by"),
            DueBy = p.NullableText("dueBy") is not { } day ? null
                : DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date
                : throw new InvalidDataException("'dueBy' is not a date"),
            Note = p.NullableText("note"),
            Previous = BundleStatement.NullableSha256(p, "previous"),
            ReplyTo = p.NullableNumber("replyTo"),
            Role = p.NullableText("role"),
            Sequence = p.Number("sequence"),
            Key = p.Members("signer", KeyOf),
            To = p.NullableText("to"),
            Why = p.NullableText("why"),
        };
        return statement.WhyNotWhole() is { } wrong ? throw new InvalidDataException(wrong) : statement;
    }

    /// <summary>Returns why the members do not fit the kind; null if they do.</summary>
    public string? WhyNotWhole() =>
        PersonName.WhyNot(By) is { } name ? $"the name of the person {name}"
        : (Kind == PeopleKind.Signoff) != (Role is not null) || Role is not null && !PeopleKind.Roles.Contains(Role)
            ? $"a sign-off, and nothing else, has a role: {string.Join(" or ", PeopleKind.Roles)}"
        : (Kind == PeopleKind.Assembled) != DueBy.HasValue ? "an assembly, and nothing else, has a day by which it is complete"
        : (Kind is PeopleKind.Exported or PeopleKind.Superseded) != !string.IsNullOrWhiteSpace(To)
            ? "it must be stated to whom a copy went or which bundle takes the place of this one, and of nothing else"
        : Kind is PeopleKind.Annotated or PeopleKind.Hold && string.IsNullOrWhiteSpace(Note) ? "a remark or a hold needs a text"
        : null;

    private static ReadOnlyMemory<byte> KeyOf(StrictMembers signer)
    {
        if (signer.Text("algorithm") is var algorithm && algorithm != BundleStatement.Algorithm)
            throw new NotSupportedException($"a signature by {algorithm}");
        byte[] key;
        try
        {
            key = Convert.FromBase64String(signer.Text("spki"));
        }
        catch (FormatException e)
        {
            throw new InvalidDataException("'spki' is not base64", e);
        }
        if (!EcdsaSignature.IsKey(key))
            throw new InvalidDataException("'spki' is not a key on the curve P-256");
        return BundleStatement.Sha256(signer, "spkiSha256") == Digest.Of(key) ? key : throw new InvalidDataException("'spkiSha256' is not that of 'spki'");
    }
}
