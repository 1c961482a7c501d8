using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Running;

/// <summary>
/// What a run needs to go on after an interruption, and what its unsealed bundle cannot say: it is kept beside the bundle from the first
/// request on, and is deleted when the bundle is sealed.
/// </summary>
/// <param name="Tool">The version of the program. Another one could read the same responses differently, so it does not go on.</param>
/// <param name="Engagement">The full path of the engagement's file: the paths of its targets are relative to it.</param>
/// <param name="Targets">The targets that are read, where the command line named some; empty for all.</param>
/// <param name="AsOf">The moment of point-in-time tests.</param>
/// <param name="RedactionKey">
/// A digest of the key with which secrets are replaced, to notice another one; null for a key that was made up and is not kept anywhere.
/// </param>
/// <param name="Files">The digest of each file that was written before the first request: engagement, controls and inputs.</param>
/// <param name="Originals">By input, the digest of the file as it was supplied, where the bundle's copy is another.</param>
internal sealed record BegunRun(
    string Tool,
    string Engagement,
    ImmutableArray<string> Targets,
    DateTimeOffset Started,
    DateTimeOffset AsOf,
    string User,
    string Machine,
    string? RedactionKey,
    ImmutableArray<NotTested> NotTested,
    ImmutableSortedDictionary<string, string> Files,
    ImmutableSortedDictionary<string, string> Originals)
{
    private static readonly BegunRunContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    public static BegunRun Of(PreparedRun prepared, ImmutableArray<BundledInput> inputs, DateTimeOffset started, DateTimeOffset asOf) => new(
        AuditCli.Tool.Version, prepared.Engagement.File, prepared.Targets, started, asOf, Environment.UserName, Environment.MachineName,
        prepared.RedactionKey is { } key ? Commitment(key.Span) : null,
        prepared.Plan.Plan.NotTested,
        prepared.Questions.Select(q => (q.Path, Digest.Of(q.Content.Span).Hex)).Concat(inputs.Select(i => (Path: i.File, i.Sha256.Hex)))
            .ToImmutableSortedDictionary(f => f.Path, f => f.Hex, StringComparer.Ordinal),
        inputs.Where(i => i.Original is not null).ToImmutableSortedDictionary(i => i.Name, i => i.Original!.Value.Hex, StringComparer.Ordinal));

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Context.BegunRun);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It has another form.</exception>
    public static BegunRun Read(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, Context.BegunRun) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"what was kept of the run cannot be read: {PrintableText.Of(e.Message)}", e);
        }
    }

    /// <summary>Returns a digest by which a key is recognised and not found: a key has at least 32 random bytes.</summary>
    public static string Commitment(ReadOnlySpan<byte> key) => Convert.ToHexStringLower(HMACSHA256.HashData(key, "auditcli redaction key"u8));
}

/// <summary>Serializes the record without reflection.</summary>
[JsonSerializable(typeof(BegunRun))]
internal sealed partial class BegunRunContext : JsonSerializerContext;
