using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>A test whose SQL went through the gate, and all evidence that must be complete for its conclusion.</summary>
internal sealed record CompiledTest(int Index, TestProcedure Test, SqlVerdict Verdict, ImmutableSortedSet<string> Evidence)
{
    /// <summary>
    /// The table of its result rows. Evidence names do not begin with an underscore, so no control can name it.
    /// </summary>
    public string RowsTable => $"_rows_{Index}";

    /// <summary>
    /// Whether a missing row of this evidence may cause a deviation, so that no deviation counts while it is incomplete.
    /// </summary>
    public bool IsMadeByAbsenceOf(EvidenceNeed need) =>
        Verdict is SqlVerdict.Admitted { Lineage: var lineage } && CompiledControl.TablesOf(need).Any(t => lineage.MadeByAbsence.Contains(t.Name));
}

/// <summary>A completeness check whose two sides went through the gate.</summary>
/// <param name="Tests">Indexes of the tests that it concerns.</param>
internal sealed record CompiledCheck(
    CompletenessCheck Check, SqlVerdict Left, SqlVerdict Right, ImmutableSortedSet<string> Evidence, ImmutableHashSet<int> Tests);

/// <summary>A register whose rows without a match are listed.</summary>
/// <param name="Evidence">The evidence that must be complete for "no match" to be true.</param>
internal sealed record CompiledRegister(EvidenceNeed Need, SqlVerdict Verdict, ImmutableSortedSet<string> Evidence);

/// <summary>
/// A control's SQL after the gate, with the tables and columns that each text uses; the same for every partition.
/// </summary>
internal sealed record CompiledControl(
    Control Control, ImmutableArray<CompiledTest> Tests, ImmutableArray<CompiledCheck> Checks, ImmutableArray<CompiledRegister> Registers)
{
    private const string CallsSuffix = "__calls";

    private const string NamesNoEvidence =
        "it names no evidence, so its rows would be the same whatever was collected; select from a table of the control's evidence";

    public static CompiledControl Compile(Control control, SqlGate gate)
    {
        var scope = ScopeOf(control);
        var tests = control.Tests.Select((test, index) =>
        {
            var verdict = Check(control, test, gate, scope);
            return new CompiledTest(index, test, verdict, WithParents(control, Evidence(control, verdict)));
        }).ToImmutableArray();
        var checks = control.Completeness.Select(check =>
        {
            var left = gate.Check(check.Sql, scope);
            var right = gate.Check(check.EqualsSql, scope);
            var evidence = Evidence(control, left).Union(Evidence(control, right));
            var concerned = tests.Where(t => t.Evidence.Overlaps(evidence)).Select(t => t.Index).ToImmutableHashSet();
            return new CompiledCheck(check, left, right, evidence, concerned.IsEmpty ? [.. tests.Select(t => t.Index)] : concerned);
        }).ToImmutableArray();
        // A check over incomplete evidence may agree by accident, so its evidence must be complete too.
        return new CompiledControl(
            control,
            [.. tests.Select(t => t with
            {
                Evidence = t.Evidence.Union(checks.Where(c => c.Tests.Contains(t.Index)).SelectMany(c => WithParents(control, c.Evidence))),
            })],
            checks,
            [.. control.Evidence.Where(n => n.Unmatched is not null).Select(n =>
            {
                var verdict = gate.Check(n.Unmatched!, scope);
                return new CompiledRegister(n, verdict, WithParents(control, Evidence(control, verdict)));
            })]);
    }

    /// <summary>
    /// Checks a test's SQL with the gate, and refuses SQL that names no evidence: it would pass even when every request was
    /// denied.
    /// </summary>
    public static SqlVerdict Check(Control control, TestProcedure test, SqlGate gate, SqlScope scope)
    {
        var verdict = gate.Check(test.Sql, scope);
        return verdict is SqlVerdict.Admitted && Evidence(control, verdict).IsEmpty ? new SqlVerdict.Refused(NamesNoEvidence, null) : verdict;
    }

    /// <summary>Returns everything that a control's SQL may name.</summary>
    public static SqlScope ScopeOf(Control control) => new(
        [.. control.Evidence.SelectMany(TablesOf), .. SqlTables.Of(control).Select(t => t.Table)],
        SqlParameters.NamesOf(control));

    /// <summary>Returns the table of an evidence, and for <c>for_each</c> also its table of calls.</summary>
    public static IEnumerable<SqlTable> TablesOf(EvidenceNeed need)
    {
        yield return new SqlTable(need.Name, [.. need.AddedColumns, .. need.Columns]);
        if (need.ForEach is not null)
            yield return new SqlTable(CallsName(need.Name), need.CallColumns);
    }

    public static string CallsName(string evidence) => evidence + CallsSuffix;

    /// <summary>Whether any SQL of the control, or its waivers, may need this column.</summary>
    public bool Needs(string table, string column)
    {
        if (Control.Waivers is { } w && w.From == table
            && (column == w.Item || column == w.ApprovedBy || column == w.ApprovedOn || column == w.Expires || column == w.Reason))
        {
            return true;
        }
        return Verdicts.OfType<SqlVerdict.Admitted>().Any(v => v.Lineage.Needs(table, column));
    }

    /// <summary>Whether any SQL of the control, or its waivers, reads this table at all.</summary>
    public bool UsesTable(string table) => Control.Waivers?.From == table
        || Verdicts.OfType<SqlVerdict.Admitted>().Any(v => v.Lineage.Tables.Contains(table));

    /// <summary>Every function that any SQL of the control calls, in lower case.</summary>
    public IEnumerable<string> Functions => Verdicts.OfType<SqlVerdict.Admitted>().SelectMany(v => v.Lineage.Functions);

    private IEnumerable<SqlVerdict> Verdicts =>
        [.. Tests.Select(t => t.Verdict), .. Checks.Select(c => c.Left), .. Checks.Select(c => c.Right), .. Registers.Select(r => r.Verdict)];

    private static ImmutableSortedSet<string> Evidence(Control control, SqlVerdict verdict) => verdict is SqlVerdict.Admitted { Lineage: var lineage }
        ? [.. control.Evidence.Where(n => TablesOf(n).Any(t => lineage.Tables.Contains(t.Name))).Select(n => n.Name)]
        : [];

    private static ImmutableSortedSet<string> WithParents(Control control, ImmutableSortedSet<string> names)
    {
        var all = names.ToBuilder();
        foreach (var name in names)
        {
            var parent = control.Evidence.Single(n => n.Name == name).ForEach;
            while (parent is not null && all.Add(parent))
                parent = control.Evidence.Single(n => n.Name == parent).ForEach;
        }
        return all.ToImmutable();
    }
}
