using System.Collections.Immutable;
using System.Data.Common;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>One row of the waiver table in one partition. <paramref name="Why"/> is null when it is valid.</summary>
internal sealed record WaiverOutcome(string? Item, string? ApprovedBy, string? ApprovedOn, string? Expires, string? Reason, string? Why, bool Matched)
{
    /// <summary>Returns the rows that approved nothing in any partition, each once, in order.</summary>
    public static WaiverSummary Summarise(IEnumerable<WaiverOutcome> outcomes)
    {
        // Every partition sees an input's rows; a row that matched in one of them is not unmatched.
        var rows = outcomes
            .GroupBy(o => o with { Matched = false })
            .Select(g => (Row: g.Key, Matched: g.Any(o => o.Matched)))
            .OrderBy(g => g.Row.Item, StringComparer.Ordinal)
            .ThenBy(g => string.Join('\u001f', g.Row.ApprovedBy, g.Row.ApprovedOn, g.Row.Expires, g.Row.Reason), StringComparer.Ordinal)
            .ToImmutableArray();
        return new WaiverSummary(
            [.. rows.Where(r => r.Row.Why is null && !r.Matched).Select(r => Row(r.Row, "no deviation has this item"))],
            [.. rows.Where(r => r.Row.Why is not null).Select(r => Row(r.Row, r.Row.Why!))]);
    }

    private static WaiverRow Row(WaiverOutcome o, string why) => new(o.Item, o.ApprovedBy, o.ApprovedOn, o.Expires, o.Reason, why);
}

/// <summary>Creates a control's waivers in a partition's database: <c>_waivers</c> has one row per approved item.</summary>
internal static class WaiverTable
{
    private const int SaysNothing = 1;
    private const int IsPreparer = 2;
    private const string Shape = "(item VARCHAR, approved_by VARCHAR, approved_on VARCHAR, expires VARCHAR, reason VARCHAR)";

    /// <summary>Creates the tables; without a rule they are empty.</summary>
    /// <param name="preparer">
    /// The person who prepares the engagement and so cannot approve anything in it; null where nobody is named.
    /// </param>
    public static async Task CreateAsync(
        LockedDatabase database, WaiverRule? rule, string? preparer, SqlParameters parameters, CancellationToken cancellationToken)
    {
        if (rule is null)
        {
            database.Execute($"CREATE TABLE _waivers {Shape}");
            return;
        }
        string Text(string column) => $"CAST({SqlQuote.Name(column)} AS VARCHAR)";
        string Day(string column) => $"TRY_CAST({SqlQuote.Name(column)} AS DATE)";
        // A cell without visible characters counts as empty.
        string Seen(string column) => $"regexp_replace(coalesce({column}, ''), '[{InvisibleText.CharacterClass}]+', '', 'g')";
        // Whom a text names and whether it gives a reason is decided in one place for all that people write, and not in SQL.
        await MarkAsync(database, rule, rule.ApprovedBy, "_waiver_approvers", by => MarkOf(by, preparer), cancellationToken);
        await MarkAsync(database, rule, rule.Reason, "_waiver_reasons", why => Filler.GivesNoReason(why) ? SaysNothing : null, cancellationToken);
        static string Marked(string table, int mark) => $"(SELECT said FROM {table} JOIN {table}_marks USING (n) WHERE mark = {mark})";
        // Days are compared in UTC: approved_on <= as_of < the day after expires. The register's columns are renamed in the inner
        // query, so that none of them can be mistaken for one of AuditCli's, whatever its name.
        await database.ExecuteAsync(
            $"""
            CREATE TABLE _waiver_rows AS
            SELECT *, CASE
                    WHEN {Seen("item")} = '' THEN 'it names no item'
                    WHEN {Seen("item")} = '*' THEN 'it approves everything at once, but an approval must name one item'
                    WHEN approved_by IS NULL OR approved_by IN {Marked("_waiver_approvers", SaysNothing)} THEN 'it names no approver'
                    WHEN approved_by IN {Marked("_waiver_approvers", IsPreparer)} THEN 'the preparer of the engagement approved it'
                    WHEN reason IS NULL OR reason IN {Marked("_waiver_reasons", SaysNothing)} THEN 'it gives no reason'
                    WHEN approved_day IS NULL THEN 'it has no date of approval'
                    WHEN last_day IS NULL THEN 'it has no date of expiry'
                    WHEN approved_day > CAST($as_of AS DATE) THEN 'approved after as_of'
                    WHEN last_day < CAST($as_of AS DATE) THEN 'expired before as_of'
                END AS why
            FROM (
                SELECT rowid, {Text(rule.Item)}, {Text(rule.ApprovedBy)}, {Text(rule.ApprovedOn)}, {Text(rule.Expires)}, {Text(rule.Reason)},
                    {Day(rule.ApprovedOn)}, {Day(rule.Expires)}
                FROM {SqlQuote.Name(rule.From)}
            ) r(n, item, approved_by, approved_on, expires, reason, approved_day, last_day)
            ORDER BY n
            """,
            [parameters.Named(ParameterNames.AsOf)],
            cancellationToken);
        database.Execute(
            "DROP TABLE _waiver_approvers; DROP TABLE _waiver_approvers_marks; DROP TABLE _waiver_reasons; DROP TABLE _waiver_reasons_marks");
        // Where several valid rows approve an item, the one with the latest expiry is shown.
        database.Execute(
            """
            CREATE TABLE _waivers AS
            SELECT item, approved_by, CAST(approved_day AS VARCHAR) AS approved_on, CAST(last_day AS VARCHAR) AS expires, reason
            FROM (SELECT *, row_number() OVER (PARTITION BY item ORDER BY last_day DESC, approved_day DESC, n) AS place FROM _waiver_rows WHERE why IS NULL)
            WHERE place = 1
            """);
    }

    /// <summary>
    /// Creates a table of the distinct texts of a register's column with their numbers, and a table of the numbers to which a mark applies: the
    /// engine compares its own texts, since neither a literal nor an appended text can have U+0000 in it.
    /// </summary>
    private static async Task MarkAsync(
        LockedDatabase database, WaiverRule rule, string column, string table, Func<string, int?> mark, CancellationToken cancellationToken)
    {
        var name = SqlQuote.Name(column);
        database.Execute(
            $"""
            CREATE TABLE {table} AS SELECT row_number() OVER (ORDER BY said) AS n, said
            FROM (SELECT DISTINCT CAST({name} AS VARCHAR) AS said FROM {SqlQuote.Name(rule.From)} WHERE {name} IS NOT NULL);
            CREATE TABLE {table}_marks (n BIGINT, mark INTEGER)
            """);
        var texts = await database.QueryAsync(
            $"SELECT n, said FROM {table}", [], r => (N: r.GetInt64(0), Mark: mark(r.GetString(1))), cancellationToken);
        using var rows = database.Append($"{table}_marks");
        foreach (var (n, found) in texts.Where(t => t.Mark is not null))
            rows.CreateRow().AppendValue(n).AppendValue(found).EndRow();
    }

    private static int? MarkOf(string approver, string? preparer) =>
        NamesNobody(approver) ? SaysNothing : preparer is not null && PersonName.MayBe(approver, preparer) ? IsPreparer : null;

    /// <summary>Whether a cell, which may have several lines, names no person.</summary>
    private static bool NamesNobody(string cell) => PersonName.WhyNot(cell.ReplaceLineEndings(" ").Replace('\t', ' ')) is not null;

    /// <summary>Returns every row and whether a deviation has its item; <c>_verdicts</c> must be filled.</summary>
    public static Task<ImmutableArray<WaiverOutcome>> OutcomesAsync(LockedDatabase database, CancellationToken cancellationToken) =>
        database.QueryAsync(
            """
            SELECT item, approved_by, approved_on, expires, reason, why,
                coalesce(item IN (SELECT item FROM _verdicts WHERE verdict IN ('approved', 'deviation', 'indicated')), FALSE)
            FROM _waiver_rows ORDER BY n
            """,
            [],
            r => new WaiverOutcome(Text(r, 0), Text(r, 1), Text(r, 2), Text(r, 3), Text(r, 4), Text(r, 5), r.GetBoolean(6)),
            cancellationToken);

    /// <summary>Returns the approvals that are valid, by item.</summary>
    public static Task<ImmutableArray<(string Item, ItemApproval Approval)>> ValidAsync(LockedDatabase database, CancellationToken cancellationToken) =>
        database.QueryAsync(
            "SELECT item, approved_by, approved_on, expires, reason FROM _waivers",
            [],
            r => (r.GetString(0), new ItemApproval(r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4))),
            cancellationToken);

    private static string? Text(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
