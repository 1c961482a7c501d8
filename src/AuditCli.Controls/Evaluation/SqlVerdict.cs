using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls.Evaluation;

/// <summary>A table that SQL may name.</summary>
public sealed record SqlTable(string Name, ImmutableArray<Column> Columns);

/// <summary>What a control's SQL may name: its tables, and its parameters without the dollar sign.</summary>
public sealed record SqlScope(ImmutableArray<SqlTable> Tables, ImmutableSortedSet<string> Parameters);

/// <summary>What SQL uses. <paramref name="Columns"/> may name more than evidence columns (aliases too), never fewer.</summary>
/// <param name="Tables">As the scope spells them.</param>
/// <param name="EveryColumn">A star or a whole row stands in it, so every column of its tables counts.</param>
public sealed record SqlLineage(
    ImmutableSortedSet<string> Tables,
    ImmutableHashSet<string> Columns,
    bool EveryColumn,
    ImmutableSortedSet<string> Functions,
    ImmutableSortedSet<string> Parameters)
{
    /// <summary>Tables of which a missing row may make a deviation: see <see cref="AbsentRows"/>.</summary>
    public ImmutableSortedSet<string> MadeByAbsence { get; init; } = [];

    /// <summary>Whether a column of this table may be needed.</summary>
    public bool Needs(string table, string column) => Tables.Contains(table) && (EveryColumn || Columns.Contains(column));
}

/// <summary>The gate's answer about one SQL text.</summary>
public abstract record SqlVerdict
{
    private SqlVerdict()
    {
    }

    /// <summary>It may run.</summary>
    public sealed record Admitted(SqlLineage Lineage) : SqlVerdict;

    /// <summary>It must not run, and why.</summary>
    /// <param name="Offset">Characters from the start of the text, where DuckDB says so.</param>
    public sealed record Refused(string Message, int? Offset) : SqlVerdict;
}
