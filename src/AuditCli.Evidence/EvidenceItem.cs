using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Evidence;

/// <summary>The outcome of reading. Anything but <see cref="Complete"/> limits what may be concluded.</summary>
public enum CollectionOutcome
{
    /// <summary>Every page was read and every value fits its column.</summary>
    Complete,

    /// <summary>
    /// Part of it was read: a page is missing, a call for one parent row failed, or a value does not fit its column.
    /// </summary>
    Incomplete,

    /// <summary>Nothing was read.</summary>
    Failed,
}

/// <summary>One attempt at one request, in the recorded exchanges.</summary>
/// <param name="File">Path from the bundle's root.</param>
/// <param name="RecordId">
/// The WARC-Record-ID of the response, or of the metadata record that says why there is none; without angle brackets.
/// </param>
/// <param name="RequestId">The provider's own identifier of the request, where it sent one.</param>
/// <param name="Status">The HTTP status; 0 when there was no response.</param>
/// <param name="Date">When the request was sent, UTC.</param>
public sealed record ExchangeReference(string File, string RecordId, string? RequestId, int Status, DateTimeOffset Date)
{
    /// <summary>The values replaced in the response before it was stored; the evidence item lists them.</summary>
    public ImmutableArray<RedactedValue> Redactions { get; init; } = [];

    /// <summary>See <see cref="Warc.HttpExchange.ServerDate"/>; stored in the recorded response, not in the index.</summary>
    public DateTimeOffset? ServerDate { get; init; }

    /// <summary>
    /// See <see cref="Warc.HttpExchange.Age"/>; stored in the recorded response, like the two properties that follow.
    /// </summary>
    public TimeSpan? Age { get; init; }

    /// <summary>See <see cref="Warc.HttpExchange.IsStale"/>.</summary>
    public bool IsStale { get; init; }

    /// <summary>See <see cref="Warc.HttpExchange.ServerWarnings"/>.</summary>
    public ImmutableArray<string> ServerWarnings { get; init; } = [];
}

/// <summary>A value that was replaced by its keyed digest before anything was written.</summary>
/// <param name="Pointer">
/// The response's record, <c>#</c>, and the place in its body: RFC 6901, or the path of the element in XML; nothing follows the
/// <c>#</c> where the body is neither.
/// </param>
/// <param name="Rule">Why it was replaced: <c>environment</c>, <c>credential</c> and others.</param>
/// <param name="Digest"><c>hmac-sha256:&lt;hex&gt;</c>, the text that is there now.</param>
public sealed record RedactedValue(string Pointer, string Rule, string Digest);

/// <summary>The result of one request in one account and region: a line of <c>data/evidence/index.jsonl</c>.</summary>
public sealed record EvidenceItem
{
    public required string EvidenceId { get; init; }

    /// <summary>Every control's name for the table; empty for requests of the run itself (identity, regions).</summary>
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

    /// <summary>
    /// Path of the table from the bundle's root; null when it has no rows. Bundles whose results have schema 1 have a file for it even then,
    /// unless no request could be sent.
    /// </summary>
    public string? Table { get; init; }

    /// <summary>SHA-256 of the uncompressed table.</summary>
    public Digest? TableSha256 { get; init; }

    /// <summary>The table's columns with their types, in order, those with an underscore included.</summary>
    public required ImmutableArray<Column> Columns { get; init; }

    /// <summary>Whether it was requested for each row of a parent table.</summary>
    public bool IsPerParent => Columns.Any(c => c.Name == EvidenceColumns.Parent);

    /// <summary>
    /// With <c>for_each</c>: the path of the table of calls, one row per parent row that was asked for, which also names each call's
    /// exchanges; null when it has none.
    /// </summary>
    public string? Calls { get; init; }
    public Digest? CallsSha256 { get; init; }

    /// <summary>Every attempt, in order; for <c>for_each</c> they are in <see cref="Calls"/>.</summary>
    public required ImmutableArray<ExchangeReference> Exchanges { get; init; }

    /// <summary>The identity that the provider reports for the caller.</summary>
    public required string Identity { get; init; }

    /// <summary>When the first request was sent, by this machine's clock, UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When the last request was sent, by this machine's clock.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>
    /// When the first request was made by the servers' clocks, to the second; by this machine's clock, corrected, for requests
    /// whose response has no date. Null where no response has one, and for files.
    /// </summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>When the last request was made, as <see cref="ReadFrom"/>.</summary>
    public DateTimeOffset? ReadUntil { get; init; }

    /// <summary>
    /// How many whole seconds the servers were ahead of this machine, by the least delayed response; null where no response has a
    /// date.
    /// </summary>
    public long? ClockOffsetSeconds { get; init; }

    /// <summary>The age in seconds of the oldest response from a cache; null where no response came from a cache.</summary>
    public long? AnswerAgeSeconds { get; init; }

    /// <summary>How many responses are marked out of date without saying by how much; null for none.</summary>
    public long? StaleAnswers { get; init; }

    /// <summary>The first of the replaced values; see <see cref="Redacted"/> for how many responses are affected.</summary>
    public ImmutableArray<RedactedValue> Redactions { get; init; } = [];

    /// <summary>How many responses had a value replaced; null for none.</summary>
    public long? Redacted { get; init; }

    /// <summary>With <c>keep</c>: the number of rows that were read; null without.</summary>
    public long? Read { get; init; }

    /// <summary>With <c>keep</c>: the number of rows that were taken, as many as <see cref="Items"/>; null without.</summary>
    public long? Kept { get; init; }

    /// <summary>The failures, most frequent first; for <c>for_each</c> over all calls. Empty when complete.</summary>
    public ImmutableArray<ReadFailure> Failures { get; init; } = [];

    /// <summary>
    /// The error codes that counted as "there is none", in order, each with its number of calls. They explain why rows are
    /// missing and why that is not a gap.
    /// </summary>
    public ImmutableArray<NoneAnswer> TakenAsNone { get; init; } = [];

    /// <summary>
    /// Remarks for a reader on data that could be read: cells that were cleaned, approvals that do not count, and warnings from a
    /// server.
    /// </summary>
    public ImmutableArray<string> Notes { get; init; } = [];
}

/// <summary>A code by which the provider reported that what was requested does not exist, and the number of such calls.</summary>
public sealed record NoneAnswer(string Code, long Count);

/// <summary>One way in which reading failed, and for how many calls.</summary>
public sealed record ReadFailure(string Code, string Message, long Count);
