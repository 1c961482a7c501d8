using System.Collections.Immutable;
using System.Text.RegularExpressions;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>An error or a warning about one SQL text of a control.</summary>
/// <param name="Key">
/// The place of the text, such as <c>tests[T1].sql</c>, <c>completeness[0].equals</c> or <c>evidence.users.unmatched</c>.
/// </param>
/// <param name="Offset">Characters from the start of the text, where known.</param>
/// <param name="IsWarning">Whether the SQL may run, but probably does not do what its author meant.</param>
public sealed record SqlMessage(string Key, string Message, int? Offset, bool IsWarning)
{
    /// <summary>
    /// Whether the SQL may run but must not be used in new controls: an older bundle with such a control can still be
    /// re-performed.
    /// </summary>
    public bool IsForAuthors { get; init; }
}

/// <summary>The evidence that a test's SQL names, by the control's own names for it.</summary>
public sealed record TestEvidence(string Test, ImmutableArray<string> Evidence)
{
    /// <summary>
    /// The evidence that must be complete for the test's conclusion: what its SQL and its completeness checks name, with the parents. Null
    /// where the SQL of a check could not be read.
    /// </summary>
    public ImmutableArray<string>? Needs { get; init; }

    /// <summary>The names of the completeness checks that concern the test; null as <see cref="Needs"/>.</summary>
    public ImmutableArray<string>? Checks { get; init; }
}

/// <summary>Checks a control's SQL without evidence: the gate, then binding against its tables without rows.</summary>
public static partial class ControlSql
{
    private static readonly AuditMoment AnyMoment = new(
        new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero), new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero), TimeSpan.FromHours(24));

    /// <summary>Returns all errors and warnings about the control's SQL; empty when it would run.</summary>
    /// <param name="process">
    /// Where the SQL is parsed and bound; null uses this process, which is safe only for trusted controls.
    /// </param>
    /// <exception cref="IOException">No process can be started.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<ImmutableArray<SqlMessage>> CheckAsync(Control control, EvaluationProcess? process, CancellationToken cancellationToken) =>
        process is null ? CheckHereAsync(control, JobSteps.Unwatched, cancellationToken) : process.CheckAsync(control, cancellationToken);

    /// <summary>
    /// Returns the evidence that each test's SQL names, including the approvals; a test whose SQL is refused is left out.
    /// </summary>
    /// <param name="steps">Notified of each test before its SQL is read.</param>
    internal static ImmutableArray<TestEvidence> EvidenceHere(Control control, JobSteps steps)
    {
        using var gate = new SqlGate();
        var scope = CompiledControl.ScopeOf(control);
        var found = ImmutableArray.CreateBuilder<TestEvidence>();
        foreach (var test in control.Tests)
        {
            if (steps.Begin(test.Id) is null && gate.Check(test.Sql, scope) is SqlVerdict.Admitted { Lineage: var lineage })
            {
                var evidence = control.Evidence.Where(e =>
                    e.Name == control.Waivers?.From || CompiledControl.TablesOf(e).Any(t => lineage.Tables.Contains(t.Name)));
                found.Add(new(test.Id, [.. evidence.Select(e => e.Name)]));
            }
        }
        if (steps.Begin("completeness") is not null)
            return found.ToImmutable();
        var compiled = CompiledControl.Compile(control, gate);
        return
        [
            .. found.Select(f => (Found: f, Test: compiled.Tests.Single(t => t.Test.Id == f.Test))).Select(f => f.Found with
            {
                Needs = [.. f.Test.Evidence],
                Checks = [.. compiled.Checks.Where(c => c.Tests.Contains(f.Test.Index)).Select(c => c.Check.Name)],
            }),
        ];
    }

    /// <param name="steps">Notified of each text before it is read.</param>
    internal static async Task<ImmutableArray<SqlMessage>> CheckHereAsync(Control control, JobSteps steps, CancellationToken cancellationToken)
    {
        using var gate = new SqlGate();
        using var database = LockedDatabase.Open("256MB");
        var messages = ImmutableArray.CreateBuilder<SqlMessage>();
        foreach (var table in control.Evidence.SelectMany(CompiledControl.TablesOf))
        {
            try
            {
                database.Execute(TableLoader.Definition(table.Name, table.Columns));
            }
            catch (DuckDBException e)
            {
                messages.Add(new SqlMessage($"evidence.{table.Name}", Faults.FirstLine(e), null, false));
            }
        }
        if (!messages.ToImmutable().IsEmpty)
            return messages.ToImmutable();
        foreach (var own in SqlTables.Of(control))
            await SqlTables.CreateAsync(database, own, AnyMoment, wanted: false, cancellationToken);

        var parameters = new SqlParameters(
            AnyMoment, AnyMoment.AsOf, AnyMoment.AsOf,
            control.Parameters.Select(EffectiveParameter.Of));
        var scope = CompiledControl.ScopeOf(control);
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, sql, fault) in Texts(control))
        {
            if (steps.Begin(key) is { } killed)
            {
                messages.Add(new SqlMessage(key, killed, null, false));
                continue;
            }
            var test = TestOf(control, key);
            switch (test is null ? gate.Check(sql, scope) : CompiledControl.Check(control, test, gate, scope))
            {
                case SqlVerdict.Refused refused:
                    messages.Add(new SqlMessage(key, refused.Message, refused.Offset, false));
                    break;
                case SqlVerdict.Admitted admitted:
                    database.Define(admitted.Lineage.Functions);
                    var type = "";
                    string? Columns(ImmutableArray<(string Name, string Type)> columns)
                    {
                        type = columns is [var (_, only), ..] ? only : "";
                        return fault(columns);
                    }
                    if (await BindAsync(database, SqlText.Inner(sql, parameters), parameters.For(admitted.Lineage), Columns, cancellationToken) is { } problem)
                        messages.Add(new SqlMessage(key, problem, null, false));
                    else if (await ExactSql.RefusalAsync(database, sql, scope, parameters, cancellationToken, admitted.Lineage) is { } inexact)
                        messages.Add(new SqlMessage(key, inexact.Message, inexact.Offset, false));
                    else
                        types.Add(key, type);
                    if (test is { StandsWhenIncomplete: true } && AbsentIn(control, admitted.Lineage) is { } absent)
                    {
                        messages.Add(new SqlMessage(
                            key,
                            $"a missing row of '{absent.Name}' would cause a deviation, so deviations are not final while it is incomplete; "
                            + "remove 'stands_when_incomplete', or make 'pass' NULL there",
                            null,
                            true));
                    }
                    if (MissesNull.Match(sql) is { Success: true } trap)
                    {
                        messages.Add(new SqlMessage(
                            key, $"'{trap.Value}' is not true for NULL; write IS FALSE, or IS NOT TRUE where absent counts as false", trap.Index, true));
                    }
                    break;
            }
        }
        foreach (var (index, check) in control.Completeness.Index())
        {
            var (left, right) = ($"completeness[{index}].sql", $"completeness[{index}].equals");
            if (types.TryGetValue(left, out var one) && types.TryGetValue(right, out var other) && SideTypes.Fault(one, other) is { } unlike)
                messages.Add(new SqlMessage(right, $"check '{check.Name}': {unlike}", null, false));
            if (CompletenessForm.CannotFail(control, check) is not { } why)
                continue;
            var fault = $"{why}; compare with another source, or write completeness: {{ none: why }}";
            messages.Add(new SqlMessage(right, fault, null, false) { IsForAuthors = true });
        }
        messages.AddRange(Waivers(control));
        return messages.ToImmutable();
    }

    /// <summary>Returns evidence of which a missing row would cause a deviation; null when there is none.</summary>
    private static EvidenceNeed? AbsentIn(Control control, SqlLineage lineage) => control.Evidence.FirstOrDefault(n =>
        !n.IsFile && CompiledControl.TablesOf(n).Any(t => lineage.MadeByAbsence.Contains(t.Name)));

    /// <summary>Returns the test whose SQL has that key; null for SQL of anything else.</summary>
    public static TestProcedure? TestOf(Control control, string key) => control.Tests.FirstOrDefault(t => KeyOf(t) == key);

    /// <summary>
    /// Returns the position of a message in its SQL text, line and column from 1; the text's beginning where that is not known.
    /// </summary>
    public static (int Line, int Column) Place(Control control, SqlMessage message)
    {
        var sql = Texts(control).FirstOrDefault(t => t.Key == message.Key).Sql;
        if (message.Offset is not { } offset || sql is null || offset > sql.Length)
            return (1, 1);
        var before = sql.AsSpan(0, offset);
        return (before.Count('\n') + 1, offset - before.LastIndexOf('\n'));
    }

    private static string KeyOf(TestProcedure test) => $"tests[{test.Id}].sql";

    private static IEnumerable<(string Key, string Sql, Func<ImmutableArray<(string Name, string Type)>, string?> Fault)> Texts(Control control)
    {
        foreach (var test in control.Tests)
            yield return (KeyOf(test), test.Sql, SqlText.ColumnFault);
        for (var i = 0; i < control.Completeness.Length; i++)
        {
            yield return ($"completeness[{i}].sql", control.Completeness[i].Sql, OneColumn);
            yield return ($"completeness[{i}].equals", control.Completeness[i].EqualsSql, OneColumn);
        }
        foreach (var need in control.Evidence)
        {
            if (need.Unmatched is { } unmatched)
                yield return ($"evidence.{need.Name}.unmatched", unmatched, SqlText.RegisterFault);
        }
    }

    private static async Task<string?> BindAsync(
        LockedDatabase database, string sql, IEnumerable<DuckDBParameter> parameters, Func<ImmutableArray<(string, string)>, string?> fault,
        CancellationToken cancellationToken)
    {
        try
        {
            return fault(await database.DescribeAsync($"SELECT * FROM (\n{sql}\n) ORDER BY ALL", parameters, cancellationToken));
        }
        catch (DuckDBException e)
        {
            return Faults.FirstLine(e);
        }
    }

    private static IEnumerable<SqlMessage> Waivers(Control control)
    {
        if (control.Waivers is not { } rule)
            yield break;
        if (control.Evidence.FirstOrDefault(n => n.Name == rule.From) is not { } need)
        {
            yield return new SqlMessage("waivers.from", $"there is no evidence {rule.From}", null, false);
            yield break;
        }
        var columns = need.AddedColumns.Concat(need.Columns).Select(c => c.Name).ToImmutableHashSet(StringComparer.Ordinal);
        foreach (var (key, column) in new[]
        {
            ("item", rule.Item),
            ("expires", rule.Expires),
            ("approved_by", rule.ApprovedBy),
            ("approved_on", rule.ApprovedOn),
            ("reason", rule.Reason),
        })
        {
            if (!columns.Contains(column))
                yield return new SqlMessage($"waivers.{key}", $"evidence {rule.From} has no column {column}", null, false);
        }
    }

    private static string? OneColumn(ImmutableArray<(string Name, string Type)> columns) =>
        columns.Length == 1 ? null : $"must give one column, not {columns.Length}";

    [GeneratedRegex(@"(?<![<>!])=\s*false\b|(<>|!=)\s*true\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MissesNull { get; }
}
