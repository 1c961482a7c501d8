using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Bundles;

/// <summary>What a reference leads to, in the order in which references are listed.</summary>
internal enum TraceKind
{
    /// <summary>The provider's response that holds the tested value.</summary>
    Answer,

    /// <summary>A call that was made for the item and returned no row, which shows that nothing exists.</summary>
    Call,

    /// <summary>A call that failed. Listed first for an item whose verdict rests on incomplete evidence.</summary>
    Refused,

    /// <summary>A file that management supplied.</summary>
    Register,
}

/// <summary>A place in the raw evidence that supports the verdict on an item.</summary>
/// <param name="Evidence">The control's name for the evidence.</param>
/// <param name="Reference">
/// The record id of the raw response, <c>#</c> and a JSON pointer (RFC 6901) to the row in its body, in the form that <c>show</c> accepts.
/// </param>
/// <param name="Attempt">The exchange as the index or the table of calls lists it; null for a file that management supplied.</param>
internal sealed record TracedReference(TraceKind Kind, string Evidence, EvidenceItem Item, string Reference, Attempt? Attempt)
{
    /// <summary>The provider's error code of a call that failed.</summary>
    public string? Code { get; init; }

    /// <summary>The WARC-Record-ID of the response, or the path of the supplied file.</summary>
    public string RecordId => Reference.Split('#')[0];

    /// <summary>The file of the bundle that holds the record; null if the bundle does not list it.</summary>
    public string? File => Attempt?.File ?? (Kind == TraceKind.Register ? RecordId : null);

    /// <summary>A remark that reports print after the reference; empty for a response.</summary>
    public string Note => Kind switch
    {
        TraceKind.Refused => $" (not read: {Code ?? "no answer"}"
            + $"{(Attempt is { Status: > 0 } a ? $", HTTP {a.Status.ToString(CultureInfo.InvariantCulture)}" : "")})",
        TraceKind.Call => " (called, and there is none)",
        TraceKind.Register => " (a file supplied by management)",
        _ => "",
    };
}

/// <summary>A row of evidence that matched an item, and the cells that matched.</summary>
/// <param name="Row">The row or, if the row is a whole response, the list element that matched.</param>
/// <param name="Column">The column of the element; empty for a whole row.</param>
/// <param name="Element">JSON pointer (RFC 6901) to the element within its column; empty for a whole row.</param>
internal sealed record TracedRow(JsonElement Row, string Column, string Element, string? Reference, ImmutableArray<MatchedCell> Cells)
{
    /// <summary>The attempts of a row of a table of calls.</summary>
    public ImmutableArray<Attempt> Attempts { get; init; } = [];

    /// <summary>The error code of a row of a table of calls; null if the call was complete.</summary>
    public string? Failure { get; init; }

    /// <summary>
    /// The record ids of the exchanges that returned the row: that of its reference or, for a call, those of all its attempts.
    /// </summary>
    public IEnumerable<string> Records => Reference is { } reference ? [reference.Split('#')[0]] : Attempts.Select(a => a.RecordId);
}

/// <summary>A table that a test reads, in one account and region, with the rows that match an item.</summary>
/// <param name="Name">The control's name for the table; a table of calls ends with <c>__calls</c>.</param>
/// <param name="Rows">The number of rows in the table.</param>
/// <param name="Found">The best matching rows, at most as many as are shown.</param>
/// <param name="Matching">The number of rows that match as well as these.</param>
/// <param name="Score">How well they match.</param>
/// <param name="Tested">The number of values of the rows that the test's SQL reads, not counting those that name the item.</param>
internal sealed record TracedTable(
    string Name, EvidenceItem Evidence, long Rows, ImmutableArray<TracedRow> Found, long Matching, MatchScore Score, int Tested);

/// <summary>The evidence of an item.</summary>
/// <param name="Tables">The tables that its test reads, best match first.</param>
/// <param name="References">Places in the raw evidence, the one that supports the verdict first; the same in every report.</param>
internal sealed record ItemTrace(ImmutableArray<TracedTable> Tables, ImmutableArray<TracedReference> References)
{
    public static ItemTrace None { get; } = new([], []);

    /// <summary>The place that supports the verdict; null if no row of the evidence names the item.</summary>
    public TracedReference? First => References is [var first, ..] ? first : null;
}
