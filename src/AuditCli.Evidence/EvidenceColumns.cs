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

    /// <summary>One row per call made for a parent row: how it went, so that SQL can tell "none" from "unread".</summary>
    public static ImmutableArray<Column> Calls(IEnumerable<string> with) =>
    [
        Text("_target"), Text("_account"), Text("_region"), Text("_parent"), .. with.Select(p => Text("_with_" + p)),
        Text("outcome"), Text("code"),
    ];

    private static Column Text(string name) => new(name, ColumnType.Text);
}
