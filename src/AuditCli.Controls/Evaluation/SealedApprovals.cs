using System.Collections.Immutable;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>The approval of one item by a register.</summary>
public sealed record ItemApproval(string ApprovedBy, string ApprovedOn, string Expires, string Reason);

/// <summary>
/// A control's register of approvals as a bundle has it, judged by the rules of evaluation again. It runs AuditCli's own SQL only, never the
/// control's.
/// </summary>
public sealed class SealedApprovals
{
    private readonly Dictionary<string, ItemApproval> _valid = new(StringComparer.Ordinal);
    private readonly HashSet<string> _items = new(StringComparer.Ordinal);
    private ImmutableArray<WaiverOutcome> _rows = [];

    private SealedApprovals()
    {
    }

    /// <summary>Reads the register. A control without one, or whose register was not supplied, approves nothing.</summary>
    /// <param name="open">Opens a table by its path in the bundle.</param>
    /// <exception cref="InvalidDataException">The register is not the table of the index, or cannot be judged.</exception>
    /// <exception cref="IOException">The register cannot be read.</exception>
    public static async Task<SealedApprovals> ReadAsync(
        ControlInScope scope, ImmutableArray<Partition> partitions, AuditMoment moment, Func<string, Stream> open, CancellationToken cancellationToken)
    {
        var approvals = new SealedApprovals();
        // Every partition sees the same register, because it is a supplied file.
        if (scope.Control.Waivers is not { } rule
            || partitions.Select(p => p.Tables.GetValueOrDefault(rule.From)).FirstOrDefault(t => t is not null) is not { } table)
        {
            return approvals;
        }
        try
        {
            using var database = LockedDatabase.Open(EvaluationLimits.Reading.Memory);
            database.Execute(TableLoader.Definition(rule.From, table.Columns));
            await TableLoader.LoadAsync(database, rule.From, table.Columns, [table.Rows.Read(open)], _ => true, cancellationToken);
            var parameters = new SqlParameters(moment, readFrom: null, readUntil: null, []);
            await WaiverTable.CreateAsync(database, rule, scope.Preparer, parameters, cancellationToken);
            foreach (var (item, approval) in await WaiverTable.ValidAsync(database, cancellationToken))
                approvals._valid[item] = approval;
            database.Execute("CREATE TABLE _verdicts (item VARCHAR, verdict VARCHAR)");
            approvals._rows = await WaiverTable.OutcomesAsync(database, cancellationToken);
        }
        catch (Exception e) when (e is DuckDBException or EvidenceFormatException)
        {
            throw new InvalidDataException($"the register {rule.From} of {scope.Control.Id} cannot be read: {e.Message.Split('\n')[0]}", e);
        }
        approvals._items.UnionWith(approvals._rows.Select(r => r.Item).OfType<string>());
        return approvals;
    }

    /// <summary>Returns the valid approval of an item; null if there is none.</summary>
    public ItemApproval? Of(string item) => _valid.GetValueOrDefault(item);

    /// <summary>Whether the register has a row for the item, valid or not.</summary>
    public bool Names(string item) => _items.Contains(item);

    /// <summary>Returns the rows that approved nothing.</summary>
    /// <param name="failed">The items that failed, of those that the register names.</param>
    public WaiverSummary Summary(IReadOnlySet<string> failed) =>
        WaiverOutcome.Summarise(_rows.Select(r => r with { Matched = r.Item is { } item && failed.Contains(item) }));
}
