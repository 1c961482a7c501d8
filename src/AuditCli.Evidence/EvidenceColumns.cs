using System.Collections.Immutable;

namespace AuditCli.Evidence;

/// <summary>The columns that AuditCli adds to a source's own. They begin with an underscore, which no API's names do.</summary>
public static class EvidenceColumns
{
    /// <summary>The column with the <c>_ref</c> of the parent row for which a row was requested.</summary>
    public const string Parent = "_parent";

    /// <summary>
    /// Returns <c>_target, _account, _region, _ref</c> (exchange record and JSON pointer); for rows requested per parent also
    /// <c>_parent</c>, the parent's <c>_ref</c>, and <c>_with_&lt;Param&gt;</c>, the parameter's text in the request.
    /// </summary>
    public static ImmutableArray<Column> Added(bool perParent, IEnumerable<string> with) =>
    [
        Text("_target"), Text("_account"), Text("_region"), Text("_ref"),
        .. perParent ? [Text(Parent), .. with.Select(p => Text("_with_" + p))] : Array.Empty<Column>(),
    ];

    /// <summary>
    /// Returns the columns of the table of calls, which has one row per parent row that was asked for: the outcome of its call, so that
    /// SQL can tell "none" from "unread", and where its exchanges are. Rows that ask the same share one call.
    /// </summary>
    public static ImmutableArray<Column> Calls(IEnumerable<string> with) => [.. CallNames(with), .. CallDetails];

    /// <summary>Returns the columns of <see cref="Calls"/> that name the call and its outcome; all are text.</summary>
    public static ImmutableArray<Column> CallNames(IEnumerable<string> with) =>
    [
        Text("_target"), Text("_account"), Text("_region"), Text(Parent), .. with.Select(p => Text("_with_" + p)),
        Text("outcome"), Text("code"),
    ];

    /// <summary>
    /// The columns of <see cref="Calls"/> that describe the result: error message, pages, rows, and every attempt.
    /// </summary>
    public static ImmutableArray<Column> CallDetails { get; } =
    [
        Text("message"), new("pages", ColumnType.Integer), new("items", ColumnType.Integer), new("exchanges", ColumnType.Json),
    ];

    private static Column Text(string name) => new(name, ColumnType.Text);
}
