using System.Collections.Immutable;

namespace AuditCli.Evidence;

/// <summary>The columns AuditCli adds to a source's own. They begin with an underscore, which no API's names do.</summary>
public static class EvidenceColumns
{
    /// <summary>
    /// <c>_target, _account, _region, _ref</c> (exchange record and JSON pointer); for rows asked per parent also <c>_parent</c>, the
    /// parent's <c>_ref</c>, and <c>_with_&lt;Param&gt;</c>, the text that was asked with.
    /// </summary>
    public static ImmutableArray<Column> Added(bool perParent, IEnumerable<string> with) =>
    [
        Text("_target"), Text("_account"), Text("_region"), Text("_ref"),
        .. perParent ? [Text("_parent"), .. with.Select(p => Text("_with_" + p))] : Array.Empty<Column>(),
    ];

    /// <summary>
    /// One row per call made for a parent row: how it went, so that SQL can tell "none" from "unread", and where its exchanges are.
    /// </summary>
    public static ImmutableArray<Column> Calls(IEnumerable<string> with) => [.. CallNames(with), .. CallDetails];

    /// <summary>Of <see cref="Calls"/>, the columns that name the call and its outcome; all are text.</summary>
    public static ImmutableArray<Column> CallNames(IEnumerable<string> with) =>
    [
        Text("_target"), Text("_account"), Text("_region"), Text("_parent"), .. with.Select(p => Text("_with_" + p)),
        Text("outcome"), Text("code"),
    ];

    /// <summary>Of <see cref="Calls"/>, what the call brought: its failure's words, pages, rows, and every attempt.</summary>
    public static ImmutableArray<Column> CallDetails { get; } =
    [
        Text("message"), new("pages", ColumnType.Integer), new("items", ColumnType.Integer), new("exchanges", ColumnType.Json),
    ];

    private static Column Text(string name) => new(name, ColumnType.Text);
}
