using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>What one partition knows of a register's rows without a match.</summary>
/// <param name="Unknown">Why it cannot be said: what was not read, or how the SQL broke. Null where <paramref name="Rows"/> are all of them.</param>
internal sealed record RegisterOutcome(string Evidence, ImmutableArray<UnmatchedRow> Rows, string? Unknown)
{
    /// <summary>
    /// What is true of a register over all partitions. Each of them sees all its rows, so one that matched in any of them is matched, and
    /// where one partition does not know, nobody does.
    /// </summary>
    public static ImmutableArray<RegisterResult>? Summarise(IEnumerable<RegisterOutcome> outcomes)
    {
        var registers = outcomes.GroupBy(o => o.Evidence, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).Select(Summarise).ToImmutableArray();
        return registers.IsEmpty ? null : registers;
    }

    private static RegisterResult Summarise(IGrouping<string, RegisterOutcome> partitions)
    {
        if (partitions.Select(p => p.Unknown).OfType<string>().Order(StringComparer.Ordinal).FirstOrDefault() is { } unknown)
            return new(partitions.Key, [], unknown);
        var everywhere = partitions.Select(p => p.Rows.Select(r => r.Row).ToImmutableHashSet(StringComparer.Ordinal)).Aggregate((a, b) => a.Intersect(b));
        // Why differs where partitions differ; the first one serves.
        var rows = partitions.SelectMany(p => p.Rows).Where(r => everywhere.Contains(r.Row))
            .OrderBy(r => r.Row, StringComparer.Ordinal).ThenBy(r => r.Why, StringComparer.Ordinal).DistinctBy(r => r.Row);
        return new(partitions.Key, [.. rows], null);
    }
}
