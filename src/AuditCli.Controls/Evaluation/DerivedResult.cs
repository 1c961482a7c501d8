using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Derives a control's result again from its file, the index of evidence and those values that only its SQL can give. A difference from the
/// sealed result shows that the results were edited. It runs no SQL, so it takes milliseconds.
/// </summary>
/// <param name="scope">The control, with the parameters and the decisions of the engagement.</param>
/// <param name="partitions">The evidence of the control; its tables are not read.</param>
public sealed class DerivedResult(ControlInScope scope, ImmutableArray<Partition> partitions, AuditMoment moment)
{
    private readonly Control _control = scope.Control;
    private readonly ImmutableArray<Slice> _slices = Slice.Of(scope.Control, partitions, scope.LeftOut);

    /// <summary>
    /// Whether the results were made under today's rules. Older results lack some members and some limitations, which are then taken as
    /// they are.
    /// </summary>
    public bool IsCurrent { get; init; } = true;

    /// <summary>
    /// What the SQL of each test names. Null where it was not read, because <see cref="NeedsSql"/> says that the result is the same whatever
    /// it names.
    /// </summary>
    public ImmutableArray<TestEvidence>? Read { get; init; }

    /// <summary>The registers, by the control's SQL run again; null where they were not evaluated, and are taken as they are.</summary>
    public ImmutableArray<RegisterResult>? Registers { get; init; }

    /// <summary>Returns the same derivation with what the SQL of the tests names.</summary>
    public DerivedResult With(ImmutableArray<TestEvidence> read) =>
        new(scope, partitions, moment) { IsCurrent = IsCurrent, Read = read, Registers = Registers };

    /// <summary>Returns the same derivation with the registers.</summary>
    public DerivedResult With(ImmutableArray<RegisterResult> registers) =>
        new(scope, partitions, moment) { IsCurrent = IsCurrent, Read = Read, Registers = registers };

    /// <summary>
    /// Whether the result depends on what a test's SQL names, because evidence is incomplete or was read too late, or a check does not agree. A
    /// result may be stricter only for a reason in the bundle: incomplete evidence that the test does not read is none.
    /// </summary>
    /// <param name="parts">The given results by partition.</param>
    public bool NeedsSql(ImmutableArray<TestResult> parts)
    {
        var tests = ByPlace(parts);
        foreach (var slice in _slices)
        {
            var found = _control.Tests.Select(t => (Test: t, Result: tests.GetValueOrDefault((t.Id, slice.Name))))
                .Where(t => t.Result is { Error: null }).ToArray();
            // All checks of a single test concern it.
            if (_control.Tests.Length > 1 && found.Any(t => t.Result!.Completeness.Any(c => !c.Agree))
                || found.Any(t => Conclude(slice, t.Test, t.Result!, []) != Conclude(slice, t.Test, t.Result!, _control.Evidence))
                || IsCurrent && !IsBroken(slice, tests) && StatesReadAway(slice, _control.Evidence).Any())
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>
    /// Returns the result as it must be. Counts, digests of rows, sides of checks, errors and approvals are those of the given result; a part
    /// that is missing there has a placeholder.
    /// </summary>
    /// <param name="parts">The given results by partition.</param>
    public (ControlResult Result, ImmutableArray<TestResult> Parts) Of(ControlResult given, ImmutableArray<TestResult> parts)
    {
        var found = ByPlace(parts);
        var tests = _slices.SelectMany(s => _control.Tests.Select(t => Test(s, t, found))).ToImmutableArray();
        var result = given with
        {
            Id = _control.Id,
            Version = _control.Version,
            Sha256 = _control.Sha256,
            Title = _control.Title,
            Domain = _control.Domain,
            Conclusion = Standing.Of(_control, [.. tests.Select(t => t.Conclusion)]),
            Population = Evaluator.HasOneUnit(_control) ? given.Population ?? 0 : null,
            Limitations = Limitations(given, found),
            Tests = TestTotals.Of(tests),
            Waivers = _control.Waivers is null ? WaiverSummary.None : given.Waivers,
            NotApplicable = null,
        };
        if (!IsCurrent)
            return (result, tests);
        var names = _slices.IsEmpty ? [] : DerivedRegisters.Of(_control).Select(n => n.Name).Order(StringComparer.Ordinal).ToArray();
        result = result with
        {
            Notes = Notes(given, found),
            Parameters = ParameterResult.Of(scope),
            RefusedDecision = scope.RefusedDecision,
            Registers = names.Length == 0 ? null
                : [.. names.Select(n => (Registers ?? given.Registers)?.FirstOrDefault(r => r.Evidence == n) ?? new RegisterResult(n, [], "it is missing"))],
        };
        return (result, tests);
    }

    private static Dictionary<(string, PartitionName), TestResult> ByPlace(ImmutableArray<TestResult> parts)
    {
        var tests = new Dictionary<(string, PartitionName), TestResult>();
        foreach (var test in parts)
            tests.TryAdd((test.Id, test.Partition), test);
        return tests;
    }

    /// <summary>Whether nothing could be run in the slice: its tests then have an error, no checks, and no rows.</summary>
    private bool IsBroken(Slice slice, Dictionary<(string, PartitionName), TestResult> found) => _control.Tests.All(t =>
        found.GetValueOrDefault((t.Id, slice.Name)) is { Error: not null, Completeness.IsEmpty: true, Population: 0 });

    private TestResult Test(Slice slice, TestProcedure test, Dictionary<(string, PartitionName), TestResult> found)
    {
        if (found.GetValueOrDefault((test.Id, slice.Name)) is not { } given)
            return new(test.Id, slice.Name, Conclusion.Error, 0, 0, 0, 0, 0, [], default, "it is missing");
        var checks = Checks(slice, test, given, found);
        var (result, needs) = (given with { Completeness = checks }, NeedsOf(test));
        var broken = checks.FirstOrDefault(c => c.Error is not null);
        var strict = Conclude(slice, test, result, needs ?? _control.Evidence);
        result = result with
        {
            Conclusion = needs is null && given.Conclusion == Conclude(slice, test, result, []) ? given.Conclusion : strict,
            Error = given.Error ?? (broken is null ? null : $"completeness check '{broken.Name}': {broken.Error}"),
        };
        return !IsCurrent ? result : result with
        {
            Unit = test.Unit,
            Mode = _control.ModeOf(test),
            ReadFrom = slice.ReadFrom,
            ReadUntil = slice.ReadUntil,
        };
    }

    /// <summary>
    /// Returns the checks of a test: those that its control has, each with the agreement that follows from its sides, and placeholders for
    /// those that are missing.
    /// </summary>
    private ImmutableArray<CompletenessResult> Checks(
        Slice slice, TestProcedure test, TestResult given, Dictionary<(string, PartitionName), TestResult> found)
    {
        bool IsOf(string name, CompletenessCheck check) =>
            name == check.Name || slice.Parts.Any(p => name == SliceRun.NameIn(check, p.Name));
        var concerning = IsCurrent ? Read?.FirstOrDefault(r => r.Test == test.Id)?.Checks : null;
        var known = given.Completeness.Where(c => _control.Completeness.Any(k => IsOf(c.Name, k) && concerning?.Contains(k.Name) != false))
            .Select(c => c with { Agree = c.Error is null && ComparedSides.MayAgree(c.Left, c.Right) && (c.Agree || IsCurrent && c.Left == c.Right) });
        if (IsBroken(slice, found))
            return [.. known];
        // Without the SQL it is only known that every check concerns some test.
        var needed = Read?.FirstOrDefault(r => r.Test == test.Id)?.Checks
            ?? (test == _control.Tests[0] || _control.Tests.Length == 1
                ? [.. _control.Completeness.Select(c => c.Name).Where(n => !_control.Tests.Skip(1).Any(
                    t => found.GetValueOrDefault((t.Id, slice.Name)) is { } other && other.Completeness.Any(c => c.Name == n)))]
                : []);
        return [.. known, .. needed.Where(n => given.Completeness.All(c => c.Name != n)).Select(n => new CompletenessResult(n, null, null, false))];
    }

    /// <summary>Returns the evidence that must be complete for a test; null where that is not known.</summary>
    private ImmutableArray<EvidenceNeed>? NeedsOf(TestProcedure test) => Read?.FirstOrDefault(r => r.Test == test.Id)?.Needs is { } names
        ? [.. _control.Evidence.Where(n => names.Contains(n.Name))]
        // SQL that today's gate refuses may have been admitted then.
        : Read is null || !IsCurrent ? null : _control.Evidence;

    private Conclusion Conclude(Slice slice, TestProcedure test, TestResult result, ImmutableArray<EvidenceNeed> needs)
    {
        if (result.Error is not null)
            return Conclusion.Error;
        var away = _control.ModeOf(test) == ControlMode.PointInTime
            && (IsCurrent && slice.WrongClock(_control, moment) is not null || needs.Any(n => slice.ReadAway(n, moment) is not null));
        return new Standing(
            result.Completeness.Any(c => c.Error is not null),
            needs.Any(n => !slice.IsComplete(n)) || result.Completeness.Any(c => !c.Agree),
            away,
            _control.Waivers is { } rule && !slice.IsComplete(_control.Evidence.Single(n => n.Name == rule.From)))
            .Conclude(new(result.Population, result.Deviations, result.Approved, result.Undetermined, result.Indicated));
    }

    private bool HasState => _control.Tests.Any(t => _control.ModeOf(t) == ControlMode.PointInTime);

    private IEnumerable<Limitation> StatesReadAway(Slice slice, IEnumerable<EvidenceNeed> needs) =>
        HasState ? needs.Select(n => slice.ReadAway(n, moment)).OfType<Limitation>() : [];

    private ImmutableArray<Limitation> Limitations(ControlResult given, Dictionary<(string, PartitionName), TestResult> found)
    {
        var all = new List<Limitation>();
        foreach (var slice in _slices)
        {
            all.AddRange(_control.Evidence.SelectMany(slice.LimitationsOf));
            if (!IsCurrent || !HasState)
                continue;
            var stated = Read is { } read && _control.Tests.All(t => NeedsOf(t) is not null)
                ? _control.Evidence.Where(n => _control.Tests.Any(t => _control.ModeOf(t) == ControlMode.PointInTime && NeedsOf(t)!.Value.Contains(n)))
                : null;
            var timely = StatesReadAway(slice, stated ?? _control.Evidence).Concat(slice.WrongClock(_control, moment) is { } wrong ? [wrong] : []);
            // Where nothing could be run, or it is not known which states the tests read, what the results say is taken.
            all.AddRange(timely.Where(l => given.Limitations.Any(g => IsSame(g, l))
                || !IsBroken(slice, found) && (stated is not null || l.Code != LimitationCodes.StateReadAway)));
        }
        return IsCurrent
            ? Evaluator.InOrder(all)
            : Evaluator.InOrder(given.Limitations.Concat(all.Where(l => !given.Limitations.Any(g => IsSame(g, l)))));
    }

    /// <summary>Whether two limitations are about the same evidence, place and code, whatever they say.</summary>
    private static bool IsSame(Limitation one, Limitation other) =>
        one == other with { Message = one.Message, Count = one.Count, Outcome = one.Outcome };

    private ImmutableArray<string> Notes(ControlResult given, Dictionary<(string, PartitionName), TestResult> found)
    {
        // Where nothing could be run, no remark was made.
        var ran = _slices.Where(s => !IsBroken(s, found)).ToArray();
        return Evaluator.Notes(
            ran.SelectMany(s => _control.Evidence.SelectMany(s.NotesOf)),
            ran.SelectMany(s => _control.Evidence.SelectMany(s.TakenAsNoneOf)),
            tested: !(_slices.IsEmpty || _control.Tests.IsEmpty)) is var notes && ran.Length == _slices.Length
                ? notes
                : [.. given.Notes];
    }
}
