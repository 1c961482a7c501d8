using System.Collections.Frozen;
using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Rest;

/// <summary>The place of a parameter in a request.</summary>
internal enum ParameterPlace
{
    Path,
    Query,
    Body,

    /// <summary>A part of the host's name; it is in the place of the word in <see cref="RestOperation.Host"/>.</summary>
    Host,
}

/// <summary>A parameter of an operation.</summary>
/// <param name="Fill">The value that the collector supplies if the control gives none, as JSON text; null for none.</param>
/// <param name="Ending">
/// What is added to a text that does not end with it: without a total order, pages of some providers repeat and omit rows. Null for nothing.
/// </param>
internal sealed record RestParameter(string Name, ColumnType Type, ParameterPlace Place, bool Required, string? Fill, string? Ending = null);

/// <summary>How the next page of a list is found.</summary>
internal enum PagerKind
{
    /// <summary>A member of the response holds a token, which the next request sends in a parameter.</summary>
    Token,

    /// <summary>The response has a Link header with <c>rel="next"</c> (RFC 8288).</summary>
    Link,

    /// <summary>A member of the response holds the URL of the next page.</summary>
    Url,

    /// <summary>The next request sends the number of rows read so far.</summary>
    Offset,

    /// <summary>The next request sends the number of the page.</summary>
    Page,
}

/// <summary>The pages of a list.</summary>
/// <param name="From">A JSON Pointer to the token or URL in the response; empty for the other kinds.</param>
/// <param name="To">The parameter that takes the token, offset or page number; empty for links and URLs.</param>
/// <param name="Place">The place of that parameter.</param>
internal sealed record Pager(PagerKind Kind, string From, string To, ParameterPlace Place)
{
    /// <summary>A JSON Pointer to a boolean that is true on the last page, or to its negation with <c>!</c> before it; null for none.</summary>
    public string? Last { get; init; }

    /// <summary>
    /// A JSON Pointer to the number of all rows, or <c>header NAME</c>, with <c>?</c> before it if it may be absent; null if the provider
    /// does not say it. A list with another number of rows is incomplete: rows that the caller may not see are often left out without an error.
    /// </summary>
    public string? Total { get; init; }

    /// <summary>A JSON Pointer to the number of rows of the page itself; null if the provider does not say it.</summary>
    public string? Count { get; init; }

    /// <summary>The parameter with the number of rows of a page; a shorter page is the last one if nothing else says so. Null for none.</summary>
    public string? Size { get; init; }

    /// <summary>The parameters that the provider itself adds to links and URLs of a next page.</summary>
    public ImmutableArray<string> Own { get; init; } = [];
}

/// <summary>One read-only operation.</summary>
/// <param name="Path">The path template below the API's base, with <c>{+name}</c> for a name of several segments.</param>
/// <param name="Segments">
/// The segments that the path may have, with <c>{}</c> for a variable one and <c>{#}</c> for a number; the guard compares requests with them.
/// </param>
/// <param name="Rows">
/// The member whose elements are the rows, or a JSON Pointer to them; empty if the response itself is the list, null if it is one row.
/// </param>
/// <param name="Inner">If <paramref name="Rows"/> is a map of lists: the member with the rows in each of its values.</param>
/// <param name="Pager">Null for an operation without pages.</param>
/// <param name="Partial">The members of the response that report missing parts.</param>
/// <param name="Whole">The members of the response that are true if nothing is missing, <c>a.b</c> for a nested one.</param>
/// <param name="Reads">For an operation that is not a GET with a read verb: why it only reads.</param>
internal sealed record RestOperation(
    string Name,
    string Method,
    string Path,
    ImmutableArray<string> Segments,
    ImmutableArray<RestParameter> Parameters,
    string? Rows,
    string? Inner,
    Pager? Pager,
    ImmutableArray<string> Partial,
    ImmutableArray<string> Whole,
    ImmutableArray<Column> Columns,
    string? Reads)
{
    /// <summary>The column of the map's key, if the rows come from a map of lists.</summary>
    public const string KeyColumn = "_key";

    /// <summary>The column with the members that the catalogue does not list, as one object; NULL if there are none.</summary>
    public const string OtherColumn = "_other";

    /// <summary>
    /// The template of the host that serves it, with a parameter's name in braces (<c>https://{location}-aiplatform.googleapis.com/</c>); null
    /// for the API's own host.
    /// </summary>
    public string? Host { get; init; }

    /// <summary>The other members of a response with rows, except those for pages and for missing parts.</summary>
    public ImmutableArray<string> Beside { get; init; } = [];

    /// <summary>The value of the response's <c>kind</c>; null if the API does not define one.</summary>
    public string? Kind { get; init; }

    /// <summary>The <c>kind</c> of a row; null if the catalogue does not state it.</summary>
    public string? RowKind { get; init; }

    /// <summary>
    /// The member of a row whose own members are columns too: <c>attributes</c> of JSON:API, whose rows are otherwise only a type and an id.
    /// Null for none.
    /// </summary>
    public string? Flatten { get; init; }

    /// <summary>The most rows that the provider returns for one question, however many there are; null for no such limit.</summary>
    public int? Cap { get; init; }

    /// <summary>The permission that the caller needs, in the provider's words; null if it is not known.</summary>
    public string? Permission { get; init; }

    /// <summary>What one row is, and what the list leaves out; null if the name says it.</summary>
    public string? Row { get; init; }

    /// <summary>Codes that mean "there is none", exactly as <see cref="RestFailures"/> writes them.</summary>
    public ImmutableArray<string> None { get; init; } = [];

    /// <summary>The parameter that takes the page token; null if tokens are not how this list is paged.</summary>
    public string? TokenParameter => Pager is { Kind: PagerKind.Token, To: var to } ? to : null;

    /// <summary>The names of the columns, case-sensitive.</summary>
    public FrozenSet<string> ColumnNames => field ??= Columns.Select(c => c.Name).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The names of the columns, looked up without regard to case.</summary>
    public FrozenDictionary<string, string> ColumnsInAnyCase =>
        field ??= Columns.ToFrozenDictionary(c => c.Name, c => c.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the parameter of that name; null if there is none.</summary>
    public RestParameter? Parameter(string name) => Parameters.FirstOrDefault(p => p.Name == name);
}
