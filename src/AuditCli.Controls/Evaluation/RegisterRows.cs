using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>The rows of a register that have no match in one partition.</summary>
/// <param name="Unknown">
/// Why the rows are not known: evidence that was not read, or an error of the SQL. Null where <paramref name="Rows"/> is
/// complete.
/// </param>
internal sealed record RegisterOutcome(string Evidence, ImmutableArray<UnmatchedRow> Rows, string? Unknown)
{
    /// <summary>
    /// Combines a register's rows over all partitions. Each partition sees all rows of the register, so a row that matched in any
    /// of them is matched; if one partition does not know, the result is unknown.
    /// </summary>
    public static ImmutableArray<RegisterResult>? Summarise(IEnumerable<RegisterOutcome> outcomes)
    {
        var registers = outcomes.GroupBy(o => o.Evidence, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(Summarise)
            .ToImmutableArray();
        return registers.IsEmpty ? null : registers;
    }

    private static RegisterResult Summarise(IGrouping<string, RegisterOutcome> partitions)
    {
        if (partitions.Select(p => p.Unknown).OfType<string>().Order(StringComparer.Ordinal).FirstOrDefault() is { } unknown)
            return new(partitions.Key, [], unknown);
        var everywhere = partitions.Select(p => p.Rows.Select(r => r.Row).ToImmutableHashSet(StringComparer.Ordinal)).Aggregate((a, b) => a.Intersect(b));
        // Partitions may give different reasons for one row; the first in order is used.
        var rows = partitions.SelectMany(p => p.Rows).Where(r => everywhere.Contains(r.Row))
            .OrderBy(r => r.Row, StringComparer.Ordinal).ThenBy(r => r.Why, StringComparer.Ordinal).DistinctBy(r => r.Row);
        return new(partitions.Key, [.. rows], null);
    }
}
