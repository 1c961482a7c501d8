using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;
using DuckDB.NET.Data;

namespace AuditCli.Controls.Evaluation;

/// <summary>The number of items of a population, in all and by verdict.</summary>
internal sealed record ItemCounts(long Population, long Deviations, long Approved, long Undetermined, long Indicated)
{
    public static ItemCounts None { get; } = new(0, 0, 0, 0, 0);

    /// <summary>Returns the numbers with one more item.</summary>
    public ItemCounts With(string verdict) => new(
        Population + 1,
        Deviations + (verdict == Verdicts.Deviation ? 1 : 0),
        Approved + (verdict == Verdicts.Approved ? 1 : 0),
        Undetermined + (verdict == Verdicts.Undetermined ? 1 : 0),
        Indicated + (verdict == Verdicts.Indicated ? 1 : 0));
}

/// <summary>An error code that counted as "there is none" for this evidence, and the number of calls with that code.</summary>
internal sealed record TakenAsNone(string Evidence, string Code, long Count);

/// <summary>
/// The outcome of a control's tests in one partition. <paramref name="Items"/> counts distinct items over all of them.
/// </summary>
internal sealed record SliceOutcome(
    ImmutableArray<TestResult> Tests,
    ItemCounts Items,
    ImmutableArray<Limitation> Limitations,
    ImmutableArray<WaiverOutcome> Waivers,
    ImmutableArray<string> Notes)
{
    /// <summary>The error codes that counted as "there is none", by evidence.</summary>
    public ImmutableArray<TakenAsNone> TakenAsNone { get; init; } = [];

    /// <summary>The outcomes of the registers whose rows without a match are listed.</summary>
    public ImmutableArray<RegisterOutcome> Registers { get; init; } = [];

    /// <summary>
    /// Returns the outcome when nothing could be run: every test is ERROR, and unread evidence is still reported.
    /// </summary>
    public static SliceOutcome Broken(Control control, Slice slice, string message) => new(
        [.. control.Tests.Select(t => new TestResult(t.Id, slice.Name, Conclusion.Error, 0, 0, 0, 0, 0, [], default, message)
        {
            Mode = control.ModeOf(t),
            ReadFrom = slice.ReadFrom,
            ReadUntil = slice.ReadUntil,
        })],
        ItemCounts.None, [.. control.Evidence.SelectMany(slice.LimitationsOf)], [], [])
    {
        Registers = [.. control.Evidence.Where(n => n.Unmatched is not null).Select(n => new RegisterOutcome(n.Name, [], message))],
    };
}

/// <summary>Runs a control's checks and tests over one partition.</summary>
/// <param name="database">
/// A database with the tables of shared evidence that <paramref name="loaded"/> names, and no others.
/// </param>
/// <param name="loaded">Receives the names of shared evidence that this partition loads for the following ones too.</param>
/// <param name="steps">Notified of each step before it begins.</param>
internal sealed class SliceRun(
    CompiledControl compiled, Slice slice, ControlQuestion question, SqlParameters parameters, LockedDatabase database,
    HashSet<string> loaded, RowCleaner? clean, JobSteps steps)
{
    private readonly Control _control = compiled.Control;
    private readonly SqlScope _scope = CompiledControl.ScopeOf(compiled.Control);

    private readonly TwoSides _sides = new(compiled.Control, parameters, database);

    private readonly Limitation? _wrongClock = slice.WrongClock(compiled.Control, question.Moment);

    /// <summary>Evidence that could not be loaded, and why.</summary>
    private readonly Dictionary<string, string> _unloaded = new(StringComparer.Ordinal);

    /// <summary>The items of each test that ran to its end.</summary>
    private readonly List<ItemCounts> _counted = [];

    /// <param name="rows">The stream for each test's rows, in the control's order; they stay open.</param>
    public async Task<SliceOutcome> RunAsync(ImmutableArray<Stream> rows, CancellationToken cancellationToken)
    {
        var writers = _control.Tests.Select((t, n) => new RowWriter(_control.Id, t.Id, rows[n], clean)).ToImmutableArray();
        try
        {
            return await RunAsync(writers, cancellationToken);
        }
        finally
        {
            foreach (var writer in writers)
                writer.Dispose();
        }
    }

    private async Task<SliceOutcome> RunAsync(ImmutableArray<RowWriter> writers, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        database.Execute("CREATE TABLE _verdicts (item VARCHAR, verdict VARCHAR)");
        var waivers = _control.Waivers is { } rule && _unloaded.TryGetValue(rule.From, out var unread)
            ? unread
            : await GuardAsync("waivers", t => WaiverTable.CreateAsync(database, _control.Waivers, question.Preparer, parameters, t), cancellationToken);
        var checks = ImmutableArray.CreateBuilder<(CompiledCheck Check, CompletenessResult Result)>();
        foreach (var (n, check) in compiled.Checks.Index())
        {
            foreach (var result in await CheckAsync(n, check, cancellationToken))
                checks.Add((check, result));
        }
        var tests = ImmutableArray.CreateBuilder<TestResult>();
        foreach (var test in compiled.Tests)
        {
            var concerning = checks.Where(c => c.Check.Tests.Contains(test.Index)).Select(c => c.Result).ToImmutableArray();
            tests.Add(waivers is null
                ? await TestAsync(test, concerning, writers[test.Index], cancellationToken)
                : Broken(test, concerning, $"waivers: {waivers}"));
        }
        var registers = ImmutableArray.CreateBuilder<RegisterOutcome>();
        foreach (var register in compiled.Registers)
            registers.Add(await RegisterAsync(register, cancellationToken));
        var stated = _control.Evidence.Where(n => compiled.Tests.Any(t => IsState(t) && t.Evidence.Contains(n.Name)));
        return new SliceOutcome(
            tests.ToImmutable(),
            // Each row of one test is a separate item.
            _counted is [var one] ? one : await CountAsync(cancellationToken),
            [
                // Failures of evidence that no test's SQL uses are still reported, because the control's author requested the
                // evidence.
                .. _control.Evidence.SelectMany(slice.LimitationsOf),
                .. stated.Select(n => slice.ReadAway(n, question.Moment)).OfType<Limitation>(),
                .. compiled.Tests.Any(IsState) && _wrongClock is { } wrong ? [wrong] : Array.Empty<Limitation>(),
            ],
            waivers is null && _control.Waivers is not null ? await WaiverTable.OutcomesAsync(database, cancellationToken) : [],
            [.. _control.Evidence.SelectMany(slice.NotesOf)])
        {
            Registers = registers.ToImmutable(),
            TakenAsNone = [.. _control.Evidence.SelectMany(slice.TakenAsNoneOf)],
        };
    }

    private async Task<RegisterOutcome> RegisterAsync(CompiledRegister register, CancellationToken cancellationToken)
    {
        RegisterOutcome Unknown(string why) => new(register.Need.Name, [], why);
        if (register.Verdict is not SqlVerdict.Admitted { Lineage: var lineage })
            return Unknown(((SqlVerdict.Refused)register.Verdict).Message);
        bool IsUnread(EvidenceNeed need) => _unloaded.ContainsKey(need.Name) || !slice.IsComplete(need);
        if (_control.Evidence.FirstOrDefault(n => register.Evidence.Contains(n.Name) && IsUnread(n)) is { } unread)
            return Unknown($"{unread.Name} was not read completely");
        var rows = ImmutableArray<UnmatchedRow>.Empty;
        var problem = await GuardAsync(
            $"evidence {register.Need.Name} unmatched",
            async token =>
            {
                await RequireExactAsync(register.Need.Unmatched!, token, lineage);
                rows = await database.QueryAsync(
                    "SELECT DISTINCT coalesce(t.\"row\", ''), coalesce(t.why, '') "
                        + $"FROM (\n{SqlText.Inner(register.Need.Unmatched!, parameters)}\n) t ORDER BY ALL",
                    parameters.For(lineage), r => new UnmatchedRow(r.GetString(0), r.GetString(1)), token);
            },
            cancellationToken);
        return problem is null ? new(register.Need.Name, rows, null) : Unknown(problem);
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        // The period is the same for every partition, so these tables stay.
        foreach (var own in SqlTables.Of(_control).Where(t => loaded.Add(t.Table.Name)))
            await SqlTables.CreateAsync(database, own, question.Moment, compiled.UsesTable(own.Table.Name), cancellationToken);
        foreach (var need in _control.Evidence.Where(n => !loaded.Contains(n.Name)))
        {
            var sources = slice.Tables.GetValueOrDefault(need.Name, []);
            var problem = await GuardAsync(
                $"evidence {need.Name}", t => TableAsync(need.Name, slice.ColumnsOf(need), sources.Select(s => s.Rows), t), cancellationToken);
            if (problem is null && need.ForEach is not null)
            {
                var calls = sources.Select(s => s.Calls).OfType<CallTable>().ToImmutableArray();
                var columns = calls.IsEmpty ? need.CallColumns : calls[0].Columns;
                var name = CompiledControl.CallsName(need.Name);
                problem = await GuardAsync($"evidence {name}", t => TableAsync(name, columns, calls.Select(c => c.Rows), t), cancellationToken);
            }
            if (problem is not null)
                _unloaded[need.Name] = problem;
            else if (question.Shared.ContainsKey(need.Name))
                loaded.UnionWith(CompiledControl.TablesOf(need).Select(t => t.Name));
        }
    }

    private async Task TableAsync(
        string name, ImmutableArray<Column> columns, IEnumerable<TableRows> sources, CancellationToken cancellationToken)
    {
        database.CreateEmpty(name, TableLoader.Definition(name, columns));
        if (compiled.UsesTable(name))
            await TableLoader.LoadAsync(database, name, columns, sources.Select(s => s.Read()), c => compiled.Needs(name, c) || IsPlace(c), cancellationToken);
    }

    /// <summary>Whether the column is needed to tell apart the rows of a union's partitions.</summary>
    private bool IsPlace(string column) => !slice.Parts.IsEmpty && column is "_target" or "_account";

    /// <summary>Returns the name under which results list a check in one partition of a union.</summary>
    public static string NameIn(CompletenessCheck check, PartitionName part) => $"{check.Name} (account {part.Account})";

    /// <summary>Runs the check over the whole slice and, for a union, adds each partition in which it does not agree.</summary>
    private async Task<ImmutableArray<CompletenessResult>> CheckAsync(int number, CompiledCheck check, CancellationToken cancellationToken)
    {
        var whole = await CheckAsync($"completeness {number}", check, null, cancellationToken);
        if (check.Check.AcrossEngagement || whole.Error is not null)
            return [whole];
        var results = ImmutableArray.CreateBuilder<CompletenessResult>();
        results.Add(whole);
        // The sums over all partitions agree when one has a row too many and another one too few.
        foreach (var part in slice.Parts.Where(p => p.Evidence.Overlaps(check.Evidence)))
        {
            var result = await CheckAsync($"completeness {number} in {part.Name.Target} {part.Name.Account}", check, part, cancellationToken);
            if (!result.Agree)
                results.Add(result with { Name = NameIn(check.Check, part.Name) });
        }
        return results.ToImmutable();
    }

    /// <param name="part">For a union, the one partition whose rows the check sees; null for all.</param>
    private async Task<CompletenessResult> CheckAsync(string step, CompiledCheck check, SlicePart? part, CancellationToken cancellationToken)
    {
        CompletenessResult Wrong(string message) => new(check.Check.Name, null, null, false, message);
        if (check.Evidence.FirstOrDefault(_unloaded.ContainsKey) is { } unread)
            return Wrong(_unloaded[unread]);
        if (check.Left is not SqlVerdict.Admitted left)
            return Wrong("sql: " + ((SqlVerdict.Refused)check.Left).Message);
        if (check.Right is not SqlVerdict.Admitted right)
            return Wrong("equals: " + ((SqlVerdict.Refused)check.Right).Message);
        var result = Wrong("it was not evaluated");
        var problem = await GuardAsync(step, async token =>
        {
            var sides = await _sides.CompareAsync(check.Check, left.Lineage, right.Lineage, part, token);
            await RequireExactAsync(check.Check.Sql, token, left.Lineage);
            await RequireExactAsync(check.Check.EqualsSql, token, right.Lineage);
            result = new CompletenessResult(check.Check.Name, sides.Left, sides.Right, sides.Agree);
        }, cancellationToken);
        return problem is null ? result : Wrong(problem);
    }

    private async Task<TestResult> TestAsync(
        CompiledTest test, ImmutableArray<CompletenessResult> checks, RowWriter writer, CancellationToken cancellationToken)
    {
        if (test.Verdict is not SqlVerdict.Admitted { Lineage: var lineage })
            return Broken(test, checks, ((SqlVerdict.Refused)test.Verdict).Message);
        if (test.Evidence.FirstOrDefault(_unloaded.ContainsKey) is { } unread)
            return Broken(test, checks, _unloaded[unread]);
        var result = Broken(test, checks, "it was not evaluated");
        var problem = await GuardAsync($"test {test.Test.Id}", async token =>
        {
            await RequireExactAsync(test.Test.Sql, token, lineage);
            await database.ExecuteAsync(
                $"CREATE TABLE {test.RowsTable} AS SELECT * FROM (\n{SqlText.Inner(test.Test.Sql, parameters)}\n) ORDER BY ALL",
                parameters.For(lineage), token);
            var columns = await database.DescribeAsync(test.RowsTable, [], token);
            if (SqlText.ColumnFault(columns) is { } fault)
                throw new BrokenTestException(fault);
            await RequireItemsAsync(test.RowsTable, token);
            result = await JudgeAsync(test, columns, checks, writer, token);
        }, cancellationToken);
        // Rows written before it failed stay in the file, so the digest covers them.
        return problem is null ? result : Broken(test, checks, problem) with { RowsSha256 = writer.Written };
    }

    private async Task RequireExactAsync(string sql, CancellationToken cancellationToken, params SqlLineage[] lineage)
    {
        if (await ExactSql.RefusalAsync(database, sql, _scope, parameters, cancellationToken, lineage) is { } refused)
            throw new BrokenTestException(refused.Message);
    }

    /// <summary>Throws unless every row is a separate item, without which counts would be meaningless.</summary>
    private async Task RequireItemsAsync(string table, CancellationToken cancellationToken)
    {
        var counted = (await database.QueryAsync(
            $"SELECT count(*), count(DISTINCT item), count(*) FILTER (WHERE item IS NULL), count(*) FILTER (WHERE item = '') FROM {table}",
            [], r => (Rows: r.GetInt64(0), Items: r.GetInt64(1), Null: r.GetInt64(2), Empty: r.GetInt64(3)), cancellationToken)).Single();
        if (counted.Null > 0)
            throw new BrokenTestException($"item is NULL in {counted.Null} rows");
        if (counted.Empty > 0)
            throw new BrokenTestException($"item is empty in {counted.Empty} rows");
        if (counted.Items == counted.Rows)
            return;
        var twice = await database.QueryAsync(
            $"SELECT item, count(*) FROM {table} GROUP BY item HAVING count(*) > 1 ORDER BY item LIMIT 1",
            [], r => (Item: r.GetString(0), Rows: r.GetInt64(1)), cancellationToken);
        throw new BrokenTestException($"item '{twice[0].Item}' has {twice[0].Rows} rows; an item is one row");
    }

    private async Task<TestResult> JudgeAsync(
        CompiledTest test, ImmutableArray<(string Name, string Type)> columns, ImmutableArray<CompletenessResult> checks, RowWriter writer,
        CancellationToken cancellationToken)
    {
        var needs = _control.Evidence.Where(n => test.Evidence.Contains(n.Name)).ToImmutableArray();
        var broken = checks.FirstOrDefault(c => c.Error is not null);
        var missing = !needs.All(slice.IsComplete) || checks.Any(c => !c.Agree);
        var away = IsState(test) && (_wrongClock is not null || needs.Any(n => slice.ReadAway(n, question.Moment) is not null));
        var unknownWaivers = _control.Waivers is { } rule && !slice.IsComplete(_control.Evidence.Single(n => n.Name == rule.From));
        var stands = test.Test.StandsWhenIncomplete && !needs.Any(n => !slice.IsComplete(n) && test.IsMadeByAbsenceOf(n));
        var mayFail = broken is null && !away && !unknownWaivers && !needs.Any(slice.IsLeftOut) && (!missing || stands);
        var verdicts = Verdicts.Sql(mayFail ? Verdicts.Deviation : Verdicts.Indicated, SqlText.HasIndicated(columns));

        var (rows, counts) = await writer.WriteAsync(database, test.RowsTable, columns, slice.Name, verdicts, cancellationToken);
        await database.ExecuteAsync(
            $"INSERT INTO _verdicts SELECT t.item, {verdicts} FROM {test.RowsTable} t LEFT JOIN _waivers w ON w.item = t.item", [], cancellationToken);
        _counted.Add(counts);

        var conclusion = new Standing(broken is not null, missing, away, unknownWaivers).Conclude(counts);
        return new TestResult(
            test.Test.Id, slice.Name, conclusion, counts.Population, counts.Deviations, counts.Approved, counts.Undetermined, counts.Indicated,
            checks, rows, broken is null ? null : $"completeness check '{broken.Name}': {broken.Error}")
        {
            Mode = _control.ModeOf(test.Test),
            ReadFrom = slice.ReadFrom,
            ReadUntil = slice.ReadUntil,
        };
    }

    /// <summary>Counts the items of all tests, each once.</summary>
    private async Task<ItemCounts> CountAsync(CancellationToken cancellationToken)
    {
        string Of(string verdict) => $"count(DISTINCT item) FILTER (WHERE verdict = '{verdict}')";
        return (await database.QueryAsync(
            $"SELECT count(DISTINCT item), {Of(Verdicts.Deviation)}, {Of(Verdicts.Approved)}, {Of(Verdicts.Undetermined)}, {Of(Verdicts.Indicated)} "
                + "FROM _verdicts",
            [],
            r => new ItemCounts(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4)),
            cancellationToken)).Single();
    }

    /// <summary>
    /// Does the work as a step with a time limit. Returns null, or why it failed: it catches every way in which a test may fail,
    /// and nothing else.
    /// </summary>
    private async Task<string?> GuardAsync(string step, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        if (steps.Begin(step) is { } killed)
            return killed;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(question.Limits.TestTime);
        try
        {
            await work(limited.Token);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Faults.OutOfTime(question.Limits.TestTime);
        }
        catch (DuckDBException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return limited.IsCancellationRequested
                ? Faults.OutOfTime(question.Limits.TestTime)
                : Faults.FirstLine(e);
        }
        catch (Exception e) when (e is BrokenTestException or EvidenceFormatException or IOException or InvalidDataException or JsonException)
        {
            return e.Message;
        }
    }

    private TestResult Broken(CompiledTest test, ImmutableArray<CompletenessResult> checks, string message) => new(
        test.Test.Id, slice.Name, Conclusion.Error, 0, 0, 0, 0, 0, checks, default, message)
    {
        Mode = _control.ModeOf(test.Test),
        ReadFrom = slice.ReadFrom,
        ReadUntil = slice.ReadUntil,
    };

    /// <summary>Whether the test concerns a state at a moment, so that the time of reading matters.</summary>
    private bool IsState(CompiledTest test) => _control.ModeOf(test.Test) == ControlMode.PointInTime;
}
