using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AuditCli.Bundles;

/// <summary>The content of <c>data/run.json</c> for reports. Instants and days are text, unchanged from the file.</summary>
/// <param name="Recorded">For a replay, the dates of its recording; null for a live run.</param>
/// <param name="ClockOffsetSeconds">By host: the server's clock minus this machine's clock.</param>
/// <param name="SecretsAllowed">Files that were sealed although they hold what looks like a credential.</param>
internal sealed record RunDocument(
    string BundleId,
    string Mode,
    RunTool Tool,
    RunBy RunBy,
    string Entity,
    string Name,
    string Preparer,
    string Reviewer,
    string EngagementSha256,
    RunPeriod Period,
    string AsOf,
    string Started,
    string Finished,
    RunRecorded? Recorded,
    ImmutableArray<RunTarget> Targets,
    ImmutableArray<string> UnusualEndpoints,
    ImmutableArray<RunInput> Inputs,
    ImmutableSortedDictionary<string, double> ClockOffsetSeconds,
    ImmutableArray<string> SecretsAllowed,
    ImmutableArray<RunUnused> UnusedRecordings)
{
    /// <summary>The stopped run that this one finished; null if it did not finish one.</summary>
    public RunResumed? Resumed { get; init; }

    private static readonly RunDocumentContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    /// <summary>The first line of a replay's reports; null for a live run.</summary>
    public string? ReplayLine => Recorded is { } r ? $"REPLAY of exchanges recorded {Second(r.First)} to {Second(r.Last)}" : null;

    /// <summary>The period as text; both days are included.</summary>
    public string PeriodWords => $"{Period.Start} to {Period.End} ({Period.TimeZone})";

    /// <summary>Returns an instant without its fraction of a second.</summary>
    public static string Second(string instant) => instant.Length > 20 && instant[19] == '.' ? instant[..19] + "Z" : instant;

    /// <summary>Reads <c>data/run.json</c>.</summary>
    /// <exception cref="InvalidDataException">The bytes are not the record of a run; the message says why.</exception>
    public static RunDocument Read(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, Context.RunDocument) ?? throw new InvalidDataException("run.json is null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // System.Text.Json throws InvalidOperationException for text that is not well-formed Unicode.
            throw new InvalidDataException($"run.json is not the record of a run: {e.Message}", e);
        }
    }
}

/// <summary>The program that performed the run.</summary>
internal sealed record RunTool(string Name, string Version, string Runtime, string System);

/// <summary>The operating system's user and machine.</summary>
internal sealed record RunBy(string User, string Machine);

/// <summary>The period in whole days, both included.</summary>
internal sealed record RunPeriod(string Start, string End, string TimeZone);

/// <summary>The run that evaluated and sealed what an earlier, stopped run had collected.</summary>
internal sealed record RunResumed(string BundleId, string At, string User, string Machine);

/// <summary>The dates of the first and the last recorded exchange.</summary>
internal sealed record RunRecorded(string First, string Last);

/// <summary>One account that a target reached, or the failure to reach it.</summary>
/// <param name="ReadThrough">The other target through which the account was read.</param>
/// <param name="RegionsNotEnabled">Regions of the provider that are not enabled for the account, and were not read.</param>
/// <param name="Place">
/// Cluster, context and server of a Kubernetes cluster, whose account does not identify it. Absent in older bundles.
/// </param>
/// <param name="LeftOut">Why the engagement or the provider leaves the account out; null if it is not left out.</param>
internal sealed record RunTarget(
    string Name,
    string Source,
    ImmutableSortedDictionary<string, ImmutableArray<string>> Settings,
    string? Account,
    string? Identity,
    ImmutableArray<string>? Regions,
    string? ReadThrough,
    RunFailure? Failure,
    ImmutableArray<string>? RegionsNotEnabled = null,
    string? LeftOut = null,
    ImmutableSortedDictionary<string, string>? Place = null)
{
    /// <summary>The identity that read the account, and the account's place.</summary>
    public string ReadAs =>
        $"read as {Identity}{string.Concat((Place ?? ImmutableSortedDictionary<string, string>.Empty).Select(p => $", {p.Key} {p.Value}"))}";

    /// <summary>Whether the account was read through this target.</summary>
    public bool IsRead => Account is not null && Failure is null && ReadThrough is null && LeftOut is null;

    /// <summary>Whether the engagement names regions instead of taking all enabled ones.</summary>
    public bool IsNarrowed => Settings.TryGetValue("regions", out var regions) && regions is not ["enabled"];

    /// <summary>Accounts, projects or folders that the engagement excludes from the target.</summary>
    public IEnumerable<string> Excluded =>
        Settings.Where(s => s.Key.StartsWith("exclude", StringComparison.Ordinal)).SelectMany(s => s.Value);
}

/// <summary>Why a target could not be entered.</summary>
internal sealed record RunFailure(string Code, string Message);

/// <summary>A file that management supplied, and how it was obtained.</summary>
/// <param name="File">The path in the bundle; null in older bundles.</param>
/// <param name="Sha256">The digest of the file's bytes.</param>
/// <param name="Tested">False if no control of the run reads the file.</param>
internal sealed record RunInput(
    string Name,
    string ObtainedFrom,
    string ObtainedOn,
    string How,
    long? StatedRows,
    string? ReportParameters,
    string? File = null,
    string? Sha256 = null,
    bool? Tested = null);

/// <summary>The number of recorded responses in a file that a replay did not request.</summary>
internal sealed record RunUnused(string File, long Count);

[JsonSerializable(typeof(RunDocument))]
internal sealed partial class RunDocumentContext : JsonSerializerContext;
