using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>A table that SQL may name.</summary>
public sealed record SqlTable(string Name, ImmutableArray<Column> Columns);

/// <summary>The names that a control's SQL may use: its tables, and its parameters without the dollar sign.</summary>
public sealed record SqlScope(ImmutableArray<SqlTable> Tables, ImmutableSortedSet<string> Parameters);

/// <summary>
/// The names that SQL uses. <paramref name="Columns"/> may name more than evidence columns (aliases too), never fewer.
/// </summary>
/// <param name="Tables">The tables, spelled as in the scope.</param>
/// <param name="EveryColumn">Whether it has a star or a whole row, so that it uses every column of its tables.</param>
public sealed record SqlLineage(
    ImmutableSortedSet<string> Tables,
    ImmutableHashSet<string> Columns,
    bool EveryColumn,
    ImmutableSortedSet<string> Functions,
    ImmutableSortedSet<string> Parameters)
{
    /// <summary>Tables of which a missing row may cause a deviation: see <see cref="AbsentRows"/>.</summary>
    public ImmutableSortedSet<string> MadeByAbsence { get; init; } = [];

    /// <summary>Whether a column of this table may be needed.</summary>
    public bool Needs(string table, string column) => Tables.Contains(table) && (EveryColumn || Columns.Contains(column));
}

/// <summary>The gate's decision about one SQL text.</summary>
public abstract record SqlVerdict
{
    private SqlVerdict()
    {
    }

    /// <summary>The SQL may run.</summary>
    public sealed record Admitted(SqlLineage Lineage) : SqlVerdict;

    /// <summary>The SQL must not run, and why.</summary>
    /// <param name="Offset">Characters from the start of the text, where DuckDB reports them.</param>
    public sealed record Refused(string Message, int? Offset) : SqlVerdict;
}
