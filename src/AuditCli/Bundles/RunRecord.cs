using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// The content of <c>data/run.json</c>: who ran what, when, where and with which identity, and everything that narrows or changes the
/// scope. The only type with which the file is written and read; its properties are in the order of the file's members. Instants and days
/// are text, unchanged from the file.
/// </summary>
internal sealed partial record RunRecord
{
    /// <summary>The number of this form of the file.</summary>
    public const int CurrentSchema = 1;

    /// <summary>The mode of a run that read from the providers.</summary>
    public const string Live = "live";

    /// <summary>The mode of a run that repeated recorded exchanges.</summary>
    public const string Replay = "replay";

    /// <summary>The number of the rules of evaluation of bundles whose record does not state it.</summary>
    private const int BeforeNumbers = 1;

    private static readonly RunRecordContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    public required int Schema { get; init; }
    public required string BundleId { get; init; }

    /// <summary><see cref="Live"/> or <see cref="Replay"/>.</summary>
    public required string Mode { get; init; }

    /// <summary>The number of the rules of evaluation as the file states it; null, and not written, in bundles from before the number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Evaluation { get; init; }
    public required RunTool Tool { get; init; }
    public required RunBy RunBy { get; init; }
    public required string Entity { get; init; }
    public required string Name { get; init; }
    public required string Preparer { get; init; }
    public required string Reviewer { get; init; }
    public required string EngagementSha256 { get; init; }
    public required RunPeriod Period { get; init; }
    public required string AsOf { get; init; }
    public required string Started { get; init; }
    public required string Finished { get; init; }

    /// <summary>For a replay, the dates of its recording; null for a live run.</summary>
    public required RunRecorded? Recorded { get; init; }
    public required ImmutableArray<RunTarget> Targets { get; init; }

    /// <summary>Every endpoint used that is not its provider's own, in order.</summary>
    public required ImmutableArray<string> UnusualEndpoints { get; init; }
    public required ImmutableArray<RunInput> Inputs { get; init; }

    /// <summary>By host: the server's clock minus this machine's clock.</summary>
    public required ImmutableSortedDictionary<string, double> ClockOffsetSeconds { get; init; }

    /// <summary>The limits under which the run sent its requests. Absent in older bundles.</summary>
    public RunLimits? Limits { get; init; }

    /// <summary>Files that were sealed although they hold what looks like a credential.</summary>
    public required ImmutableArray<string> SecretsAllowed { get; init; }
    public required ImmutableArray<RunUnused> UnusedRecordings { get; init; }

    /// <summary>The stopped run that this one finished; null, and not written, if it did not finish one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunResumed? Resumed { get; init; }

    /// <summary>How the evidence is divided into shards; null, and not written, where all of it is in the bundle itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunSharded? Sharded { get; init; }

    /// <summary>The bundle that people's answers concluded; null, and not written, for a run.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunConcluded? Concluded { get; init; }

    /// <summary>The number of the rules of evaluation (<see cref="Controls.Evaluation.EvaluationRules"/>).</summary>
    [JsonIgnore]
    public int Rules => Evaluation ?? BeforeNumbers;

    /// <summary>Whether the bundle was evaluated under today's rules.</summary>
    [JsonIgnore]
    public bool IsCurrent => Rules == Controls.Evaluation.EvaluationRules.Current;

    /// <summary>Whether the run repeated recorded exchanges.</summary>
    [JsonIgnore]
    public bool IsReplay => Recorded is not null;

    /// <summary>The first line of a replay's reports; null for a live run.</summary>
    [JsonIgnore]
    public string? ReplayLine => Recorded is { } r ? $"REPLAY of exchanges recorded {Second(r.First)} to {Second(r.Last)}" : null;

    /// <summary>The period as text; both days are included.</summary>
    [JsonIgnore]
    public string PeriodWords => $"{Period.Start} to {Period.End} ({Period.TimeZone})";

    /// <summary>What the bundles of one run repeat of each other, a shard of the run and a conclusion over the bundle of the run: by member.</summary>
    [JsonIgnore]
    public ImmutableArray<(string Member, string Value)> Repeated =>
    [
        ("mode", Mode), ("entity", Entity), ("name", Name), ("preparer", Preparer), ("reviewer", Reviewer), ("engagement_sha256", EngagementSha256),
        ("period", PeriodWords), ("as_of", AsOf), ("evaluation", $"{Rules}"),
    ];

    /// <summary>The moment that point-in-time tests refer to.</summary>
    [JsonIgnore]
    public DateTimeOffset Moment => Instant(AsOf, "as_of");

    /// <summary>The names of the targets that were entered or could not be entered, each once.</summary>
    [JsonIgnore]
    public IEnumerable<string> TargetNames => Targets.Select(t => t.Name).Distinct(StringComparer.Ordinal);

    /// <summary>The first and the last instant of the recording or, of a live run, of the run.</summary>
    [JsonIgnore]
    public (DateTimeOffset From, DateTimeOffset To) Span => Recorded is { } r
        ? (Instant(r.First, "first"), Instant(r.Last, "last"))
        : (Instant(Started, "started"), Instant(Finished, "finished"));

    /// <summary>Returns a day as the record writes it.</summary>
    public static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Returns an instant without its fraction of a second.</summary>
    public static string Second(string instant) => instant.Length > 20 && instant[19] == '.' ? instant[..19] + "Z" : instant;

    /// <summary>Returns an instant of the record.</summary>
    /// <param name="name">The member that has it, for the message.</param>
    /// <exception cref="InvalidDataException">The text is not an instant.</exception>
    public static DateTimeOffset Instant(string text, string name) =>
        Rfc3339.TryParse(text, out var instant) ? instant : throw new InvalidDataException($"'{name}' of run.json is not a timestamp");

    /// <summary>Returns the library's message without the names of types: of missing members only their names.</summary>
    private static string Lacking(string message) =>
        message.IndexOf("including: ", StringComparison.Ordinal) is > 0 and var at ? $"it lacks {message[(at + "including: ".Length)..]}" : message;

    [GeneratedRegex("^The JSON property '(.*?)' could not be mapped")]
    private static partial Regex UnknownMember();

    /// <summary>Returns the bytes of <c>data/run.json</c>.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, Context.RunRecord);

    /// <summary>Reads <c>data/run.json</c>.</summary>
    /// <exception cref="InvalidDataException">The bytes are not the record of a run of this schema; the message says why.</exception>
    public static RunRecord Read(ReadOnlySpan<byte> content)
    {
        try
        {
            var members = JsonElement.Parse(content, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (members.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException("run.json is not the record of a run: it is not a JSON object");
            if (!members.TryGetProperty("schema", out var stated) || stated.ValueKind != JsonValueKind.Number || !stated.TryGetInt32(out var schema))
                throw new InvalidDataException("run.json is not the record of a run: it has no schema number");
            if (JsonMember.NullElement(members) is { } missing)
                throw new InvalidDataException($"run.json is not the record of a run: {missing} is null");
            if (schema != CurrentSchema)
                throw new InvalidDataException($"run.json has schema {schema}, but this version reads only {CurrentSchema}");
            var record = members.Deserialize(Context.RunRecord)!;
            _ = record.Moment;
            if (record.Evaluation <= BeforeNumbers)
            {
                throw new InvalidDataException(
                    $"run.json states evaluation {record.Evaluation}, which no version wrote: bundles of evaluation 1 do not state it");
            }
            if (record.Rules > Controls.Evaluation.EvaluationRules.Current)
            {
                throw new InvalidDataException(
                    $"{BundleLayout.Run} says that the bundle was evaluated under rules {record.Rules}, and this version knows those up to "
                    + $"{Controls.Evaluation.EvaluationRules.Current}, so it cannot tell whether its results follow from its evidence; use a newer version");
            }
            // A number beyond the range of a double is read as infinity.
            if (record.ClockOffsetSeconds.FirstOrDefault(o => !double.IsFinite(o.Value)) is { Key: { } host })
                throw new InvalidDataException($"run.json is not the record of a run: the clock offset of {host} is not a number of seconds");
            return record.IsReplay == (record.Mode == Replay)
                ? record
                : throw new InvalidDataException(
                    $"run.json contradicts itself: its mode is {record.Mode}, and "
                    + $"{(record.IsReplay ? "it says when exchanges were recorded" : "it does not say when exchanges were recorded")}");
        }
        catch (JsonException e) when (UnknownMember().Match(e.Message) is { Success: true } unknown)
        {
            throw new InvalidDataException(
                $"run.json is not the record of a run: it has the unknown member '{unknown.Groups[1].Value}'; a newer version may know it", e);
        }
        catch (JsonException e) when (e.Path is { Length: > 2 } path)
        {
            throw new InvalidDataException($"run.json is not the record of a run: '{path[2..]}' does not have the form that it must have", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // System.Text.Json throws InvalidOperationException for text that is not well-formed Unicode.
            throw new InvalidDataException($"run.json is not the record of a run: {Lacking(e.Message)}", e);
        }
    }
}

/// <summary>The program that performed the run.</summary>
internal sealed record RunTool(string Name, string Version, string Runtime, string System)
{
    /// <summary>This program, its version and its platform.</summary>
    public static RunTool OfThisProgram { get; } = new(
        "auditcli",
        AuditCli.Tool.Version,
        global::System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription,
        global::System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier);
}

/// <summary>The operating system's user and machine.</summary>
internal sealed record RunBy(string User, string Machine);

/// <summary>The period in whole days, both included.</summary>
internal sealed record RunPeriod(string Start, string End, string TimeZone);

/// <summary>The run that evaluated and sealed what an earlier, stopped run had collected.</summary>
internal sealed record RunResumed(string BundleId, string At, string User, string Machine);

/// <summary>How a run divided its accounts into shards, in the order in which it entered them.</summary>
/// <param name="UnitsEach">The most accounts of a shard.</param>
internal sealed record RunSharded(int UnitsEach);

/// <summary>The collected bundle over which this one was sealed, and who did it when, with which sheets.</summary>
internal sealed record RunConcluded(
    string BundleId, string TagmanifestSha256, string At, string User, string Machine, ImmutableArray<RunSheet> Sheets);

/// <summary>A sheet that a person filled in.</summary>
/// <param name="Name">The name of the file that was given.</param>
/// <param name="File">The path of its copy in the bundle.</param>
internal sealed record RunSheet(string Name, string File, string Sha256);

/// <summary>The dates of the first and the last recorded exchange.</summary>
internal sealed record RunRecorded(string First, string Last);

/// <summary>One account that a target reached, or the failure to reach it.</summary>
internal sealed record RunTarget
{
    public required string Name { get; init; }
    public required string Source { get; init; }
    public required ImmutableSortedDictionary<string, ImmutableArray<string>> Settings { get; init; }
    public required string? Account { get; init; }
    public required string? Identity { get; init; }

    /// <summary>
    /// Cluster, context and server of a Kubernetes cluster, whose account does not identify it. Absent in older bundles.
    /// </summary>
    public ImmutableSortedDictionary<string, string>? Place { get; init; }
    public required ImmutableArray<string>? Regions { get; init; }

    /// <summary>Regions of the provider that are not enabled for the account, and were not read.</summary>
    public ImmutableArray<string>? RegionsNotEnabled { get; init; }

    /// <summary>The other target through which the account was read.</summary>
    public required string? ReadThrough { get; init; }

    /// <summary>Why the engagement or the provider leaves the account out; null if it is not left out.</summary>
    public string? LeftOut { get; init; }
    public required RunFailure? Failure { get; init; }

    /// <summary>The exchanges with which the target was entered. Absent in older bundles.</summary>
    public ImmutableArray<RunExchange>? Exchanges { get; init; }

    /// <summary>The identity that read the account, and the account's place.</summary>
    [JsonIgnore]
    public string ReadAs =>
        $"read as {Identity}{string.Concat((Place ?? ImmutableSortedDictionary<string, string>.Empty).Select(p => $", {p.Key} {p.Value}"))}";

    /// <summary>Why the account was not read through this target by design; null where it was to be read.</summary>
    [JsonIgnore]
    public string? NotRead => ReadThrough is { } reader ? IsReadThrough(Account ?? "", reader) : LeftOut;

    /// <summary>Whether the account was read through this target.</summary>
    [JsonIgnore]
    public bool IsRead => Account is not null && Failure is null && ReadThrough is null && LeftOut is null;

    /// <summary>Whether the engagement names regions instead of taking all enabled ones.</summary>
    [JsonIgnore]
    public bool IsNarrowed => Settings.TryGetValue("regions", out var regions) && regions is not ["enabled"];

    /// <summary>Says that an account is read through another target.</summary>
    public static string IsReadThrough(string account, string reader) => $"account {account} is read through target {reader}";

    /// <summary>Accounts, projects or folders that the engagement excludes from the target.</summary>
    [JsonIgnore]
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
    bool? Tested = null)
{
    /// <summary>The digest of the file as it was supplied, where the copy has digests in the place of personal values.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OriginalSha256 { get; init; }

    /// <summary>The personal columns; null where there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<string>? Personal { get; init; }
}

/// <summary>The number of recorded responses in a file that a replay did not request.</summary>
internal sealed record RunUnused(string File, long Count);

/// <summary>An exchange of the connect, as a place in the bundle.</summary>
internal sealed record RunExchange(string File, string RecordId, int Status, string Date);

/// <summary>The limits under which a run sends its requests. Older bundles have fewer of them.</summary>
internal sealed record RunLimits(
    int? RequestsAtOnce = null, int? RequestsAtOncePerAccountAndRegion = null, int? RequestsAtOncePerService = null, int? Connections = null);

[JsonSerializable(typeof(RunRecord))]
internal sealed partial class RunRecordContext : JsonSerializerContext;
