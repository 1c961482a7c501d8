using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Evidence.Attestation;

/// <summary>
/// The facts about a bundle that its signer repeats in the statement. Instants and days are texts, as the bundle writes them.
/// </summary>
public sealed record BundleFacts
{
    /// <summary>The size limit of each source file, in bytes.</summary>
    internal const int Limit = 64 * 1024 * 1024;

    public required string BundleId { get; init; }

    /// <summary><c>live</c> or <c>replay</c>.</summary>
    public required string Mode { get; init; }
    public required string Started { get; init; }
    public required string Finished { get; init; }

    /// <summary>The first and last day of the audited period.</summary>
    public required string From { get; init; }
    public required string To { get; init; }
    public required string ToolName { get; init; }
    public required string ToolVersion { get; init; }

    /// <summary>SHA-256 of the manifest's lines below <c>data/controls/</c>, in their order, line feeds included.</summary>
    public required Digest Controls { get; init; }

    /// <summary>How many controls reached each conclusion, such as <c>PASS</c>; empty for a shard that has evidence and no results.</summary>
    public required ImmutableSortedDictionary<string, long> Conclusions { get; init; }

    /// <summary>Number and bytes of the payload's files.</summary>
    public required long Files { get; init; }
    public required long Bytes { get; init; }

    /// <summary>Whether a signer's facts equal those of the bundle.</summary>
    public bool Agrees(BundleFacts other) =>
        this with { Conclusions = other.Conclusions } == other && Conclusions.SequenceEqual(other.Conclusions);

    /// <summary>The files from which the facts are read.</summary>
    internal static ImmutableArray<string> Sources { get; } = [BundleLayout.Run, BundleLayout.Results, BundleLayout.BagInfo, BundleLayout.Manifest];

    /// <summary>Returns the files from which the facts of a bundle are read: a shard of a run has no results of its own.</summary>
    internal static IEnumerable<string> SourcesIn(IEnumerable<ManifestEntry> manifest) =>
        manifest.Any(e => e.Path == BundleLayout.Results) ? Sources : Sources.Where(s => s != BundleLayout.Results);

    /// <summary>Reads the facts from a bundle that is complete except for its attestation.</summary>
    /// <param name="content">Returns the content of one of <see cref="Sources"/>; null for results that the bundle does not have.</param>
    /// <exception cref="InvalidDataException">A file does not have the expected content; the message names it.</exception>
    internal static BundleFacts Of(Func<string, ReadOnlyMemory<byte>?> content)
    {
        try
        {
            return Read(content);
        }
        catch (InvalidOperationException e)
        {
            // System.Text.Json reports a lone surrogate with this exception, only when the text is read.
            throw new InvalidDataException(e.Message, e);
        }
    }

    /// <summary>
    /// Reads the facts, and the tag manifest's digest, from a folder. Each file is compared with the digest in its manifest, so
    /// that everything signed belongs to one state, even when the folder changes meanwhile.
    /// </summary>
    /// <param name="folder">The bundle's root.</param>
    /// <exception cref="InvalidDataException">
    /// A file is missing, differs from its manifest entry, or does not have the expected content; the message names it.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    internal static (BundleFacts Facts, Digest TagManifest) Covered(string folder)
    {
        var tagManifest = BundleFile.Read(folder, BundleLayout.TagManifest, Limit);
        var tags = ManifestText.ParseTags(tagManifest) ?? throw new InvalidDataException($"{BundleLayout.TagManifest} is not a tag manifest");
        var covered = tags.ToDictionary(e => e.Path, e => e.Digest, StringComparer.Ordinal);
        byte[] Content(string file)
        {
            var content = BundleFile.Read(folder, file);
            return covered.GetValueOrDefault(file) == Digest.Of(content)
                ? content
                : throw new InvalidDataException($"{file} does not match the manifest; it changed in the meantime");
        }
        var manifest = Content(BundleLayout.Manifest);
        foreach (var (path, digest) in ManifestText.Parse(manifest, int.MaxValue).Entries.Where(e => Sources.Contains(e.Path)))
            covered.Add(path, digest);
        return (
            Of(file => file == BundleLayout.Manifest ? manifest
                : file == BundleLayout.Results && !covered.ContainsKey(file) ? (ReadOnlyMemory<byte>?)null
                : Content(file)),
            Digest.Of(tagManifest));
    }

    private static BundleFacts Read(Func<string, ReadOnlyMemory<byte>?> content)
    {
        var run = Json(content(BundleLayout.Run)!.Value, BundleLayout.Run);
        var info = Encoding.UTF8.GetString(content(BundleLayout.BagInfo)!.Value.Span).Split('\n');
        var oxum = info.FirstOrDefault(l => l.StartsWith("Payload-Oxum: ", StringComparison.Ordinal))?["Payload-Oxum: ".Length..].Split('.');
        var lines = Encoding.UTF8.GetString(content(BundleLayout.Manifest)!.Value.Span).Split('\n')
            .Where(l => l.Contains($"  {BundleLayout.ControlsFolder}", StringComparison.Ordinal));
        return new()
        {
            BundleId = Text(run, BundleLayout.Run, "bundle_id"),
            Mode = Text(run, BundleLayout.Run, "mode"),
            Started = Text(run, BundleLayout.Run, "started"),
            Finished = Text(run, BundleLayout.Run, "finished"),
            From = Text(run, BundleLayout.Run, "period", "start"),
            To = Text(run, BundleLayout.Run, "period", "end"),
            ToolName = Text(run, BundleLayout.Run, "tool", "name"),
            ToolVersion = Text(run, BundleLayout.Run, "tool", "version"),
            Controls = Digest.Of(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")))),
            Conclusions = content(BundleLayout.Results) is not { } results ? ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal)
                : Member(Json(results, BundleLayout.Results), BundleLayout.Results, "controls") is { ValueKind: JsonValueKind.Array } controls
                ? controls.EnumerateArray()
                    .GroupBy(c => Text(c, BundleLayout.Results, "conclusion"), StringComparer.Ordinal)
                    .ToImmutableSortedDictionary(g => g.Key, g => g.LongCount(), StringComparer.Ordinal)
                : throw new InvalidDataException($"{BundleLayout.Results}: 'controls' is no list"),
            Bytes = oxum is [var bytes, _] && long.TryParse(bytes, out var b)
                ? b
                : throw new InvalidDataException($"{BundleLayout.BagInfo}: there is no Payload-Oxum"),
            Files = long.TryParse(oxum[1], out var files)
                ? files
                : throw new InvalidDataException($"{BundleLayout.BagInfo}: there is no Payload-Oxum"),
        };
    }

    private static JsonElement Json(ReadOnlyMemory<byte> content, string file)
    {
        try
        {
            return JsonElement.Parse(content.Span, new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file} is not JSON: {e.Message}", e);
        }
    }

    private static JsonElement Member(JsonElement from, string file, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value)
            ? value
            : throw new InvalidDataException($"{file} has no '{name}'");

    private static string Text(JsonElement from, string file, params string[] names)
    {
        var value = names.Aggregate(from, (at, name) => Member(at, file, name));
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new InvalidDataException($"{file}: '{names[^1]}' is no text");
    }
}
