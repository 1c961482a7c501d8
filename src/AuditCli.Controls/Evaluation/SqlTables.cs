using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>A table that AuditCli makes from the moment and the period of an engagement.</summary>
/// <param name="Rows">Returns its rows, one JSON object per line, like those of evidence.</param>
internal sealed record OwnTable(SqlTable Table, Func<AuditMoment, IEnumerable<ReadOnlyMemory<byte>>> Rows);

/// <summary>
/// The tables that AuditCli makes, as <see cref="SqlFunctions.Own"/> are its functions. The SQL of controls and a user's SQL over a
/// bundle both get them from here: a table that only one of them had could not be looked into after a run.
/// </summary>
internal static class SqlTables
{
    public static ImmutableArray<OwnTable> Own { get; } = [new(PeriodDays.Table, PeriodDays.Rows)];

    /// <summary>
    /// Returns the tables that the control's SQL may name: a control in a bundle from before a table existed may have evidence of its name.
    /// </summary>
    public static IEnumerable<OwnTable> Of(Control control) => Own.Where(t => control.Evidence.All(n => n.Name != t.Table.Name));

    /// <summary>Whether it is a table of AuditCli, and not evidence of the same name.</summary>
    public static bool IsOwn(SqlTable table) => Own.Any(t => ReferenceEquals(t.Table, table));

    /// <summary>Creates the table in the database and, where it is wanted, fills it.</summary>
    public static Task CreateAsync(LockedDatabase database, OwnTable own, AuditMoment moment, bool wanted, CancellationToken cancellationToken)
    {
        var (name, columns) = (own.Table.Name, own.Table.Columns);
        database.CreateEmpty(name, TableLoader.Definition(name, columns));
        return wanted ? TableLoader.LoadAsync(database, name, columns, [own.Rows(moment)], _ => true, cancellationToken) : Task.CompletedTask;
    }
}
