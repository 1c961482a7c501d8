using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Evidence;

/// <summary>How reading went. Anything but <see cref="Complete"/> limits what may be concluded.</summary>
public enum CollectionOutcome
{
    /// <summary>Every page was read and every value fits its column.</summary>
    Complete,

    /// <summary>Some of it was read: a page is missing, a call for one parent row failed, or a value does not fit.</summary>
    Incomplete,

    /// <summary>Nothing was read.</summary>
    Failed,
}

/// <summary>One attempt at one request, in the recorded exchanges.</summary>
/// <param name="File">Path from the bundle's root.</param>
/// <param name="RecordId">The WARC-Record-ID of the response, or of the metadata record that says why there is none; without angle brackets.</param>
/// <param name="RequestId">The provider's own identifier of the request, where it sent one.</param>
/// <param name="Status">The HTTP status; 0 when there was no response.</param>
/// <param name="Date">When the request was sent, UTC.</param>
public sealed record ExchangeReference(string File, string RecordId, string? RequestId, int Status, DateTimeOffset Date)
{
    /// <summary>What was replaced in the answer before it was kept; the evidence item lists it.</summary>
    public ImmutableArray<Redaction> Redactions { get; init; } = [];

    /// <summary>As <see cref="Warc.HttpExchange.ServerDate"/>; kept in the recorded answer, not in the index.</summary>
    public DateTimeOffset? ServerDate { get; init; }

    /// <summary>As <see cref="Warc.HttpExchange.Age"/>; kept in the recorded answer, as the two that follow.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>As <see cref="Warc.HttpExchange.IsStale"/>.</summary>
    public bool IsStale { get; init; }

    /// <summary>As <see cref="Warc.HttpExchange.ServerWarnings"/>.</summary>
    public ImmutableArray<string> ServerWarnings { get; init; } = [];
}

/// <summary>A value that was replaced by its keyed digest before anything was written.</summary>
/// <param name="Pointer">The record of the answer, <c>#</c>, and where in its body it stands: RFC 6901, or the path of the element in XML; nothing behind the <c>#</c> where the body is neither.</param>
/// <param name="Rule">Why: <c>environment</c>, <c>credential</c> and others.</param>
/// <param name="Digest"><c>hmac-sha256:&lt;hex&gt;</c>, as it stands there now.</param>
public sealed record Redaction(string Pointer, string Rule, string Digest);

/// <summary>
/// What one request yielded in one account and region: a line of <c>data/evidence/index.jsonl</c>.
/// </summary>
public sealed record EvidenceItem
{
    public required string EvidenceId { get; init; }

    /// <summary>Every control's name for the table; empty for what the run itself asked (identity, regions).</summary>
    public required ImmutableArray<EvidenceName> Names { get; init; }

    /// <summary>The engagement's target; empty for a file input, which every partition sees.</summary>
    public required string Target { get; init; }
    public required string Account { get; init; }
    public required string Region { get; init; }
    public required string Source { get; init; }
    public required string Operation { get; init; }
    public required ImmutableSortedDictionary<string, JsonElement> Parameters { get; init; }
    public required CollectionOutcome Outcome { get; init; }

    /// <summary>The provider's error code, or one of AuditCli's own; null when complete without any.</summary>
    public string? Code { get; init; }
    public string? Message { get; init; }
    public required long Pages { get; init; }

    /// <summary>Rows in the table.</summary>
    public required long Items { get; init; }

    /// <summary>Path of the table from the bundle's root; null when nothing was read.</summary>
    public string? Table { get; init; }

    /// <summary>SHA-256 of the uncompressed table.</summary>
    public Digest? TableSha256 { get; init; }

    /// <summary>The table's columns with their types, in order, those with an underscore included.</summary>
    public required ImmutableArray<Column> Columns { get; init; }

    /// <summary>With <c>for_each</c>: the path of the table of calls, one row per parent row, which also names each call's exchanges.</summary>
    public string? Calls { get; init; }
    public Digest? CallsSha256 { get; init; }

    /// <summary>Every attempt, in order; for <c>for_each</c> they stand in <see cref="Calls"/>.</summary>
    public required ImmutableArray<ExchangeReference> Exchanges { get; init; }

    /// <summary>Whom the provider took the caller for.</summary>
    public required string Identity { get; init; }

    /// <summary>When the first request was sent, by this machine's clock, UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When the last request was sent, by this machine's clock.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>
    /// The first request by the servers' clocks, to the second; by this machine's clock, corrected, for requests whose answer says no
    /// time. Null where no answer says one, and for files.
    /// </summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>The last request, as <see cref="ReadFrom"/>.</summary>
    public DateTimeOffset? ReadUntil { get; init; }

    /// <summary>By how many whole seconds the servers were ahead of this machine, by the least delayed answer; null where none says its time.</summary>
    public long? ClockOffsetSeconds { get; init; }

    /// <summary>How many seconds the oldest answer of a cache was old; null where none came out of one.</summary>
    public long? AnswerAgeSeconds { get; init; }

    /// <summary>How many answers say that they are out of date, and not by how much; null for none.</summary>
    public long? StaleAnswers { get; init; }

    /// <summary>The first of what was replaced; see <see cref="Redacted"/> for how much.</summary>
    public ImmutableArray<Redaction> Redactions { get; init; } = [];

    /// <summary>How many answers had something replaced; null for none.</summary>
    public long? Redacted { get; init; }

    /// <summary>With <c>keep</c>: events read and events kept.</summary>
    public long? Read { get; init; }
    public long? Kept { get; init; }

    /// <summary>What went wrong, most frequent first; for <c>for_each</c> over all calls. Empty when complete.</summary>
    public ImmutableArray<ReadFailure> Failures { get; init; } = [];

    /// <summary>Codes that were answered and taken for "there is none", in order, each with its calls: what is missing from the rows, and why that is no gap.</summary>
    public ImmutableArray<NoneAnswer> TakenAsNone { get; init; } = [];

    /// <summary>What a reader should know of a file that could be read: cells that were cleaned, approvals that do not count; and what a server warned of.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];
}

/// <summary>A code by which the provider said that there is none, and how many calls were answered so.</summary>
public sealed record NoneAnswer(string Code, long Count);

/// <summary>One way in which reading failed, and for how many calls.</summary>
public sealed record ReadFailure(string Code, string Message, long Count);
