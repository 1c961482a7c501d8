using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Bundles;

/// <summary>What a reference leads to. In the order in which they are given.</summary>
internal enum TraceKind
{
    /// <summary>The provider's answer that holds the tested value.</summary>
    Answer,

    /// <summary>A call that was made for the item and brought no row: there is none.</summary>
    Call,

    /// <summary>A call that failed. Of an item that is not clear for it, this comes first.</summary>
    Refused,

    /// <summary>A file that management gave.</summary>
    Register,
}

/// <summary>A place in the raw evidence that an item rests on.</summary>
/// <param name="Evidence">The control's name for it.</param>
/// <param name="Reference">Record of the raw answer, <c>#</c> and where in its body the row is (RFC 6901), as <c>show</c> takes it.</param>
/// <param name="Attempt">The exchange as the index or the table of calls lists it; null for a file that management gave.</param>
internal sealed record TracedReference(TraceKind Kind, string Evidence, EvidenceItem Item, string Reference, Attempt? Attempt)
{
    /// <summary>Of a call that failed, the provider's code.</summary>
    public string? Code { get; init; }

    /// <summary>The WARC-Record-ID of the answer, or the file.</summary>
    public string RecordId => Reference.Split('#')[0];

    /// <summary>The file of the bundle that holds it; null where the bundle does not say.</summary>
    public string? File => Attempt?.File ?? (Kind == TraceKind.Register ? RecordId : null);

    /// <summary>What a reader must know of it, to be put after the reference; empty for an answer.</summary>
    public string Note => Kind switch
    {
        TraceKind.Refused => $" (not read: {Code ?? "no answer"}{(Attempt is { Status: > 0 } a ? $", HTTP {a.Status.ToString(CultureInfo.InvariantCulture)}" : "")})",
        TraceKind.Call => " (asked, and there is none)",
        TraceKind.Register => " (a file that management gave)",
        _ => "",
    };
}

/// <summary>A row of evidence that was found for an item, and by which cells.</summary>
/// <param name="Row">The row, or of a row that is a whole answer the element that fits.</param>
/// <param name="Column">With an element, the column that it is in.</param>
/// <param name="Element">With an element, where it is in the column (RFC 6901); empty for a whole row.</param>
internal sealed record TracedRow(JsonElement Row, string Column, string Element, string? Reference, ImmutableArray<MatchedCell> Cells)
{
    /// <summary>The attempts of a row of calls.</summary>
    public ImmutableArray<Attempt> Attempts { get; init; } = [];

    /// <summary>Why a row of calls brought nothing; null where it was answered.</summary>
    public string? Failure { get; init; }

    /// <summary>The identifiers of the exchanges that brought it: that of its reference, or of a call all its attempts.</summary>
    public IEnumerable<string> Records => Reference is { } reference ? [reference.Split('#')[0]] : Attempts.Select(a => a.RecordId);
}

/// <summary>A table that a test reads, in one account and region, with what was found of an item in it.</summary>
/// <param name="Name">The control's name for it; a table of calls ends with <c>__calls</c>.</param>
/// <param name="Rows">All that it has.</param>
/// <param name="Found">The best of those that match, not more than are shown.</param>
/// <param name="Matching">How many match as well as those.</param>
/// <param name="Score">How well they match.</param>
/// <param name="Tested">How many values of the rows the test's SQL reads, beside those that name the item.</param>
internal sealed record TracedTable(
    string Name, EvidenceItem Evidence, long Rows, ImmutableArray<TracedRow> Found, long Matching, MatchScore Score, int Tested);

/// <summary>Everything that the evidence says of an item.</summary>
/// <param name="Tables">Those that its test reads, the ones that say most first.</param>
/// <param name="References">Places in the raw evidence, the one that the verdict rests on first: the same in every report.</param>
internal sealed record ItemTrace(ImmutableArray<TracedTable> Tables, ImmutableArray<TracedReference> References)
{
    public static ItemTrace None { get; } = new([], []);

    /// <summary>The place that the verdict rests on; null where no row of the evidence names the item.</summary>
    public TracedReference? First => References is [var first, ..] ? first : null;
}
