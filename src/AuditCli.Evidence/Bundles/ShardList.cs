using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence.Bundles;

/// <summary>A part of the population that one shard read: an account of a target.</summary>
public sealed record ShardUnit(string Target, string Account);

/// <summary>A sealed bundle that is a part of another one: a line of <c>data/shards.jsonl</c>.</summary>
/// <param name="TagManifest">The digest that covers the whole shard.</param>
/// <param name="Statement">The SHA-256 of its signed statement; null if it is not signed.</param>
/// <param name="Signer">The fingerprint of the signer's key (SHA-256 of its SubjectPublicKeyInfo); null if it is not signed.</param>
/// <param name="Units">What it read, in ordinal order of target, then account.</param>
/// <param name="Bytes">The size of its archive.</param>
public sealed record Shard(
    string BundleId,
    Digest TagManifest,
    Digest? Statement,
    Digest? Signer,
    ImmutableArray<ShardUnit> Units,
    DateTimeOffset Started,
    DateTimeOffset Finished,
    long Bytes)
{
    /// <summary>The path of its archive in the bundle, where the archive is.</summary>
    public string Archive => BundleLayout.ShardArchive(BundleId);
}

/// <summary>
/// Writes and reads <c>data/shards.jsonl</c>, which names the bundles of which a bundle is made: one JSON object per line, in the order in
/// which their evidence is read. Equal lists give equal bytes.
/// </summary>
public static class ShardList
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Returns the bytes of the file.</summary>
    public static byte[] Write(IEnumerable<Shard> shards)
    {
        using var file = new MemoryStream();
        foreach (var shard in shards)
        {
            using (var json = new Utf8JsonWriter(file))
                Write(json, shard);
            file.WriteByte((byte)'\n');
        }
        return file.ToArray();
    }

    /// <summary>Reads the file: no unknown, missing or repeated member, and no shard or unit twice.</summary>
    /// <exception cref="InvalidDataException">It has another form; the message names the line.</exception>
    public static ImmutableArray<Shard> Read(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty || content[^1] != '\n')
            throw new InvalidDataException($"{BundleLayout.Shards} is {(content.IsEmpty ? "empty" : "not ended by a line feed")}");
        var shards = ImmutableArray.CreateBuilder<Shard>();
        var units = new Dictionary<ShardUnit, string>();
        var number = 0;
        foreach (var range in content[..^1].Split((byte)'\n'))
        {
            number++;
            var shard = Line(content[range], number);
            if (shards.Any(s => s.BundleId == shard.BundleId || s.TagManifest == shard.TagManifest))
                throw Fault(number, $"names {shard.BundleId}, which an earlier line names");
            foreach (var unit in shard.Units)
            {
                if (!units.TryAdd(unit, shard.BundleId))
                    throw Fault(number, $"names {unit.Account} of {unit.Target}, which {units[unit]} read already");
            }
            shards.Add(shard);
        }
        return shards.ToImmutable();
    }

    private static Shard Line(ReadOnlySpan<byte> line, int number)
    {
        try
        {
            var members = new StrictMembers(JsonElement.Parse(line, Strict), "a shard");
            var shard = new Shard(
                Id(members.Text("bundle_id")), Sha256(members.Text("tagmanifest_sha256")), OptionalSha256(members.OptionalText("statement_sha256")),
                OptionalSha256(members.OptionalText("signer")), members.List("units", u => new ShardUnit(u.Text("target"), u.Text("account"))),
                Instant(members.Text("started")), Instant(members.Text("finished")), members.Number("bytes"));
            members.End();
            return shard.Statement is null == shard.Signer is null
                ? shard
                : throw new InvalidDataException("a signed shard has 'statement_sha256' and 'signer', any other has neither");
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException(Fault(number, e.Message).Message, e);
        }
    }

    private static void Write(Utf8JsonWriter json, Shard shard)
    {
        json.WriteStartObject();
        json.WriteString("bundle_id", shard.BundleId);
        json.WriteString("tagmanifest_sha256", shard.TagManifest.Hex);
        if (shard is { Statement: { } statement, Signer: { } signer })
        {
            json.WriteString("statement_sha256", statement.Hex);
            json.WriteString("signer", signer.Hex);
        }
        json.WriteStartArray("units");
        foreach (var unit in shard.Units)
        {
            json.WriteStartObject();
            json.WriteString("target", unit.Target);
            json.WriteString("account", unit.Account);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("started", Rfc3339.Format(shard.Started));
        json.WriteString("finished", Rfc3339.Format(shard.Finished));
        json.WriteNumber("bytes", shard.Bytes);
        json.WriteEndObject();
    }

    /// <summary>Refuses an id that cannot name an archive of the bundle, because its path is made of it.</summary>
    private static string Id(string text) =>
        BundlePaths.WhyNotPath(BundleLayout.ShardArchive(text)) is null && !text.Contains('/', StringComparison.Ordinal)
            ? text
            : throw new InvalidDataException($"'{PrintableText.Of(text)}' is not the id of a bundle");

    private static Digest? OptionalSha256(string? text) => text is null ? null : Sha256(text);

    private static Digest Sha256(string text) =>
        Digest.TryParse(text, out var digest) ? digest : throw new InvalidDataException($"'{PrintableText.Of(text)}' is not a SHA-256");

    private static DateTimeOffset Instant(string text) =>
        Rfc3339.TryParse(text, out var instant) ? instant : throw new InvalidDataException($"'{PrintableText.Of(text)}' is not an instant of RFC 3339");

    private static InvalidDataException Fault(int number, string message) => new($"{BundleLayout.Shards}, line {number}: {message}");
}
