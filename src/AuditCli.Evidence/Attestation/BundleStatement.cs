using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Attestation;

/// <summary>The position of a bundle in a chain of bundles.</summary>
/// <param name="Id">The bundle ID of the chain's first bundle.</param>
/// <param name="Sequence">The number in the chain, from 1.</param>
/// <param name="Previous">The bundle before it; null for the first.</param>
public sealed record ChainLink(string Id, long Sequence, PreviousBundle? Previous);

/// <summary>The previous bundle as the signer saw it when it signed the next one.</summary>
/// <param name="TimeStamp">The digest of its time stamp; null where it had none.</param>
public sealed record PreviousBundle(string BundleId, Digest Statement, Digest Signature, Digest? TimeStamp);

/// <summary>
/// A signer's statement about a bundle: an in-toto Statement v1 in the canonical form of RFC 8785. Its only subject is the tag
/// manifest, which covers every other file.
/// </summary>
public sealed record BundleStatement
{
    /// <summary>The path of a signed bundle's statement from its root.</summary>
    public static string FilePath => AttestationFiles.PathOf(AttestationFiles.StatementName);

    public const string StatementType = "https://in-toto.io/Statement/v1";

    /// <summary>
    /// The type of <see cref="Write"/>'s predicate. A change that an old verifier would misread gets a new number.
    /// </summary>
    public const string PredicateType = "urn:auditcli:attestation:evidence-bundle:v1";

    /// <summary>
    /// The values of <see cref="TimeStamp"/>. Because the signer states that there is a time stamp, removing it later is
    /// detected.
    /// </summary>
    public const string Stamped = "rfc3161";
    public const string NotStamped = "none";

    internal const string Algorithm = "ecdsa-p256-sha256";
    private const int MaxDepth = 16;

    public required Digest TagManifest { get; init; }
    public required BundleFacts Facts { get; init; }

    /// <summary>
    /// A text chosen by the auditor, which proves that the signature was made after the choice; null without one.
    /// </summary>
    public required string? Challenge { get; init; }
    public required ChainLink Chain { get; init; }

    /// <summary>
    /// SHA-256 of the signer's SubjectPublicKeyInfo; without it, another key could be constructed to fit an old signature.
    /// </summary>
    public required Digest SignerKey { get; init; }

    /// <summary>
    /// SHA-256 of the file with the signer's key or certificates, so that nobody can change what it shows about the signer.
    /// </summary>
    public required Digest SignerFile { get; init; }
    public required string TimeStamp { get; init; }

    /// <summary>Why there is no time stamp although one was requested, a line for each authority.</summary>
    public required ImmutableArray<string> TimeStampFailures { get; init; }

    /// <summary>Returns the bytes to sign.</summary>
    public byte[] Write() => CanonicalJson.Encode(new JsonObject
    {
        ["_type"] = StatementType,
        ["subject"] = SubjectOf(TagManifest),
        ["predicateType"] = PredicateType,
        ["predicate"] = new JsonObject
        {
            ["bundleId"] = Facts.BundleId,
            ["challenge"] = Challenge,
            ["chain"] = new JsonObject
            {
                ["id"] = Chain.Id,
                ["sequence"] = Chain.Sequence,
                ["previous"] = Chain.Previous is { } p
                    ? new JsonObject
                    {
                        ["bundleId"] = p.BundleId,
                        ["statementSha256"] = p.Statement.Hex,
                        ["signatureSha256"] = p.Signature.Hex,
                        ["timestampSha256"] = p.TimeStamp?.Hex,
                    }
                    : null,
            },
            ["collection"] = new JsonObject { ["mode"] = Facts.Mode, ["startedAt"] = Facts.Started, ["finishedAt"] = Facts.Finished },
            ["controls"] = new JsonObject { ["sha256"] = Facts.Controls.Hex },
            ["payload"] = new JsonObject { ["files"] = Facts.Files, ["bytes"] = Facts.Bytes },
            ["period"] = new JsonObject { ["from"] = Facts.From, ["to"] = Facts.To },
            ["results"] = new JsonObject(Facts.Conclusions.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value))),
            ["signer"] = new JsonObject { ["algorithm"] = Algorithm, ["fileSha256"] = SignerFile.Hex, ["spkiSha256"] = SignerKey.Hex },
            ["timestamp"] = TimeStamp,
            ["timestampFailures"] = new JsonArray([.. TimeStampFailures.Select(f => (JsonNode)f)]),
            ["tool"] = new JsonObject { ["name"] = Facts.ToolName, ["version"] = Facts.ToolVersion },
        },
    });

    /// <summary>
    /// Reads the output of <see cref="Write"/> and nothing else: unknown members, other types and other forms are refused.
    /// </summary>
    /// <exception cref="NotSupportedException">
    /// The statement, the predicate or the signature algorithm is of another type.
    /// </exception>
    /// <exception cref="InvalidDataException">It is not such a statement, or not in RFC 8785's form.</exception>
    public static BundleStatement Read(ReadOnlySpan<byte> content)
    {
        var members = new StrictMembers(CanonicalForm(content, "the statement"), "the statement");
        var types = (members.Text("_type"), members.Text("predicateType"));
        if (types != (StatementType, PredicateType))
            throw new NotSupportedException($"a statement of type {types.Item1} with a predicate of type {types.Item2}");
        var tagManifest = Subject(members);
        var statement = members.Members("predicate", p => Predicate(p, tagManifest));
        members.End();
        return statement;
    }

    /// <summary>Returns the member <c>subject</c> of a statement about a bundle.</summary>
    internal static JsonArray SubjectOf(Digest tagManifest) =>
        new(new JsonObject { ["name"] = BundleLayout.TagManifest, ["digest"] = new JsonObject { ["sha256"] = tagManifest.Hex } });

    /// <summary>Reads the digest of the tag manifest in the member <c>subject</c>.</summary>
    /// <exception cref="InvalidDataException">The subject is another, or there are several.</exception>
    internal static Digest Subject(StrictMembers members)
    {
        var subjects = members.List("subject", subject => (Name: subject.Text("name"), Digest: subject.Members("digest", d => Sha256(d, "sha256"))));
        return subjects is [var only] && only.Name == BundleLayout.TagManifest
            ? only.Digest
            : throw new InvalidDataException($"the statement's one subject must be {BundleLayout.TagManifest}");
    }

    /// <summary>Parses strictly, and refuses JSON that is not in the canonical form of RFC 8785.</summary>
    /// <exception cref="InvalidDataException">It is not JSON, or in another form.</exception>
    internal static JsonElement CanonicalForm(ReadOnlySpan<byte> content, string what)
    {
        try
        {
            var root = JsonElement.Parse(content, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = MaxDepth });
            if (CanonicalJson.Encode(JsonNode.Parse(content, documentOptions: new() { MaxDepth = MaxDepth })).AsSpan().SequenceEqual(content))
                return root;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{what} is not JSON: {e.Message}", e);
        }
        throw new InvalidDataException($"{what} is not in the form of RFC 8785");
    }

    internal static Digest Sha256(StrictMembers members, string name) => Sha256(members.Text(name), name);

    /// <summary>Returns a digest that may be null, and must be present.</summary>
    internal static Digest? NullableSha256(StrictMembers members, string name) => members.NullableText(name) is { } text ? Sha256(text, name) : null;

    private static Digest Sha256(string text, string name) =>
        Digest.TryParse(text, out var digest) ? digest : throw new InvalidDataException($"'{name}' is not a SHA-256 in lower-case hexadecimal");

    private static BundleStatement Predicate(StrictMembers p, Digest tagManifest)
    {
        var signer = p.Members("signer", s => s.Text("algorithm") is var algorithm && algorithm != Algorithm
            ? throw new NotSupportedException($"a signature by {algorithm}")
            : (Key: Sha256(s, "spkiSha256"), File: Sha256(s, "fileSha256")));
        return new()
        {
            TagManifest = tagManifest,
            Challenge = p.NullableText("challenge"),
            Chain = p.Members("chain", Link),
            SignerKey = signer.Key,
            SignerFile = signer.File,
            TimeStamp = p.Text("timestamp") is var word && word is Stamped or NotStamped
                ? word
                : throw new InvalidDataException($"'timestamp' is {Stamped} or {NotStamped}"),
            TimeStampFailures = p.Texts("timestampFailures"),
            Facts = Described(p),
        };
    }

    private static ChainLink Link(StrictMembers chain)
    {
        var link = new ChainLink(chain.Text("id"), chain.Number("sequence"), chain.NullableMembers("previous", p => new PreviousBundle(
            p.Text("bundleId"), Sha256(p, "statementSha256"), Sha256(p, "signatureSha256"),
            NullableSha256(p, "timestampSha256"))));
        return link.Sequence > 0 && (link.Sequence == 1) == (link.Previous is null)
            ? link
            : throw new InvalidDataException("'chain' must name a previous bundle if its sequence is not 1, and none if it is");
    }

    private static BundleFacts Described(StrictMembers p)
    {
        var (mode, started, finished) = p.Members("collection", c => (c.Text("mode"), c.Text("startedAt"), c.Text("finishedAt")));
        var (from, to) = p.Members("period", d => (d.Text("from"), d.Text("to")));
        var (files, bytes) = p.Members("payload", d => (d.Number("files"), d.Number("bytes")));
        var (name, version) = p.Members("tool", t => (t.Text("name"), t.Text("version")));
        return new()
        {
            BundleId = p.Text("bundleId"),
            Mode = mode,
            Started = started,
            Finished = finished,
            From = from,
            To = to,
            Files = files,
            Bytes = bytes,
            ToolName = name,
            ToolVersion = version,
            Controls = p.Members("controls", c => Sha256(c, "sha256")),
            Conclusions = p.Object("results").ToImmutableSortedDictionary(
                r => r.Key,
                r => r.Value.ValueKind == JsonValueKind.Number && r.Value.TryGetInt64(out var n) && n >= 0
                    ? n
                    : throw new InvalidDataException("'results' has a value that is not a count"),
                StringComparer.Ordinal),
        };
    }
}
