using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AuditCli.Reports.Workpapers;

/// <summary><c>data/run.json</c> as reports repeat it. Instants and days are texts, as the bundle writes them.</summary>
/// <param name="Recorded">In a replay, when its exchanges were recorded; null live.</param>
/// <param name="ClockOffsetSeconds">By host: the server's clock less this machine's.</param>
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
    /// <summary>Which stopped run this one finished; null where it was run in one go.</summary>
    public RunResumed? Resumed { get; init; }

    private static readonly RunDocumentContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    /// <summary>What a replay's reports say first; null live.</summary>
    public string? ReplayLine => Recorded is { } r ? $"REPLAY of exchanges recorded {Second(r.First)} to {Second(r.Last)}" : null;

    /// <summary>The period in words, both days included.</summary>
    public string PeriodWords => $"{Period.Start} to {Period.End} ({Period.TimeZone})";

    /// <summary>An instant without its fraction.</summary>
    public static string Second(string instant) => instant.Length > 20 && instant[19] == '.' ? instant[..19] + "Z" : instant;

    /// <summary>Reads what the run wrote.</summary>
    /// <exception cref="InvalidDataException">The bytes are no record of a run; the message says why.</exception>
    public static RunDocument Read(ReadOnlySpan<byte> content)
    {
        try
        {
            return JsonSerializer.Deserialize(content, Context.RunDocument) ?? throw new InvalidDataException("run.json is null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is how System.Text.Json reports text that is not well-formed Unicode.
            throw new InvalidDataException($"run.json is not the record of a run: {e.Message}", e);
        }
    }
}

/// <summary>The program that ran.</summary>
internal sealed record RunTool(string Name, string Version, string Runtime, string System);

/// <summary>The operating system's user and machine.</summary>
internal sealed record RunBy(string User, string Machine);

/// <summary>Whole days, both included.</summary>
internal sealed record RunPeriod(string Start, string End, string TimeZone);

/// <summary>That an earlier run collected, and a later one evaluated and sealed.</summary>
internal sealed record RunResumed(string BundleId, string At, string User, string Machine);

/// <summary>The dates of the first and the last recorded exchange.</summary>
internal sealed record RunRecorded(string First, string Last);

/// <summary>One account that a target reached, or the failure to reach it.</summary>
/// <param name="ReadThrough">The other target through which the account was read.</param>
/// <param name="RegionsNotEnabled">Regions of the provider that the account does not use, and that were not read.</param>
/// <param name="Place">Where the account is, where its name does not say it: cluster, context and server of a Kubernetes cluster. Absent in older bundles.</param>
/// <param name="LeftOut">Why the engagement or the provider leaves the account out; null where it does not.</param>
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
    /// <summary>As whom it was read, and where.</summary>
    public string ReadAs => $"read as {Identity}{string.Concat((Place ?? ImmutableSortedDictionary<string, string>.Empty).Select(p => $", {p.Key} {p.Value}"))}";

    /// <summary>Whether its account was read, and by this target.</summary>
    public bool IsRead => Account is not null && Failure is null && ReadThrough is null && LeftOut is null;

    /// <summary>Whether the engagement names its regions instead of taking all that are enabled.</summary>
    public bool IsNarrowed => Settings.TryGetValue("regions", out var regions) && regions is not ["enabled"];

    /// <summary>Accounts, projects or folders that the engagement leaves out of it.</summary>
    public IEnumerable<string> Excluded => Settings.Where(s => s.Key.StartsWith("exclude", StringComparison.Ordinal)).SelectMany(s => s.Value);
}

/// <summary>Why a target could not be entered.</summary>
internal sealed record RunFailure(string Code, string Message);

/// <summary>A file that management gave, and how it was obtained.</summary>
/// <param name="File">Its place in the bundle; null in bundles that do not say it.</param>
/// <param name="Sha256">Of its bytes.</param>
/// <param name="Tested">False where it is attached and no control of the run reads it.</param>
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

/// <summary>Recorded answers that a replay did not ask for.</summary>
internal sealed record RunUnused(string File, long Count);

[JsonSerializable(typeof(RunDocument))]
internal sealed partial class RunDocumentContext : JsonSerializerContext;
