using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>The outcome of one case. Without differences it concluded as the case expects.</summary>
/// <param name="Line">The line on which the case begins in its file.</param>
public sealed record FixtureOutcome(string Case, int Line, ImmutableArray<string> Differences)
{
    public bool Passed => Differences.IsEmpty;

    /// <summary>The period and the moment of the case, stated or by default: dates in rows are compared with them.</summary>
    public required string Moment { get; init; }
}

/// <summary>Runs a control's fixture cases through the evaluator that runs everything else.</summary>
public static class FixtureRunner
{
    private static readonly DateTimeOffset DefaultAsOf = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateOnly DefaultStart = new(2026, 1, 1);
    private static readonly DateOnly DefaultEnd = new(2026, 9, 30);

    /// <summary>Runs all cases; returns one outcome per case, in the file's order.</summary>
    /// <param name="process">See <see cref="Evaluator.EvaluateAsync"/>.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<ImmutableArray<FixtureOutcome>> RunAsync(
        Control control, FixtureFile file, EvaluationLimits limits, EvaluationProcess? process, CancellationToken cancellationToken)
    {
        var outcomes = ImmutableArray.CreateBuilder<FixtureOutcome>();
        using var here = process is null ? new ControlEvaluation(control, clean: null) : null;
        foreach (var fixture in file.Cases)
        {
            var differences = await DifferencesAsync(control, fixture, limits, process, here, cancellationToken);
            var (start, end) = (fixture.PeriodStart ?? DefaultStart, fixture.PeriodEnd ?? DefaultEnd);
            outcomes.Add(new FixtureOutcome(fixture.Name, fixture.Line, differences)
            {
                Moment = $"period {start:yyyy-MM-dd} to {end:yyyy-MM-dd}, as of {Rfc3339.Format(AsOf(fixture))}",
            });
        }
        return outcomes.ToImmutable();
    }

    private static async Task<ImmutableArray<string>> DifferencesAsync(
        Control control, FixtureCase fixture, EvaluationLimits limits, EvaluationProcess? process, ControlEvaluation? here, CancellationToken cancellationToken)
    {
        var (faults, result, tests, partitions) = await ConcludeAsync(control, fixture, limits, process, here, cancellationToken);
        if (result is null)
            return faults;
        var named = IsNamed(control, fixture);
        var rows = tests.SelectMany(t => t).ToImmutableArray();
        return
        [
            .. Compare(fixture.Expect, result, partitions, Items(rows, named), Reasons(rows, named)),
            .. Unsaid(fixture.Expect, rows, named),
            .. Unanswered(control, fixture, result),
        ];
    }

    /// <summary>Says which questions keep a case from the conclusion that it expects, and how a case answers them.</summary>
    private static IEnumerable<string> Unanswered(Control control, FixtureCase fixture, ControlResult result) =>
        result.Conclusion == Conclusion.NeedsReview && fixture.Expect.Conclusion != Conclusion.NeedsReview
            ? control.HumanAttributes.Where(q => !fixture.Answers.ContainsKey(q.Id))
                .Select(q => $"question {q.Id} is open; answer it in the case: answers: {{ {q.Id}: yes }}")
            : [];

    /// <summary>
    /// Whether a case names items together with their partition, because several partitions may have an item of the same name.
    /// </summary>
    internal static bool IsNamed(Control control, FixtureCase fixture) => fixture.Partitions.Length > 1 && !control.AcrossEngagement;

    /// <summary>Evaluates a case, whatever the case expects.</summary>
    /// <param name="here">Without a process, the compiled control; it serves any number of cases.</param>
    /// <returns>The faults of the case itself and no result, or the result and, for each test, the lines of its rows.</returns>
    internal static async Task<Concluded> ConcludeAsync(
        Control control, FixtureCase fixture, EvaluationLimits limits, EvaluationProcess? process, ControlEvaluation? here, CancellationToken cancellationToken)
    {
        var tables = new FixtureTables(control, fixture);
        var partitions = tables.Partitions();
        ImmutableArray<string> faults =
        [
            .. tables.Faults,
            .. fixture.Parameters.Keys.Where(n => !control.Parameters.Any(p => p.Name == n)).Select(n => $"the control has no parameter {n}"),
            .. fixture.Answers.Keys.Where(n => !control.HumanAttributes.Any(q => q.Id == n)).Select(n => $"the control has no question {n}"),
        ];
        if (faults.Length > 0)
            return new([.. faults.Distinct()], null, [], []);

        var scope = new ControlInScope(control, ControlOrigin.Local, [.. control.Parameters.Select(EffectiveParameter.Of)
            .Select(p => fixture.Parameters.TryGetValue(p.Name, out var value) ? p with { Value = value } : p)]);
        var moment = new AuditMoment(
            AsOf(fixture),
            Midnight(fixture.PeriodStart ?? DefaultStart),
            EndOfPeriod(fixture),
            TimeSpan.FromHours(24));
        var files = new Dictionary<string, KeptStream>(StringComparer.Ordinal);
        var result = await Evaluator.EvaluateWithAsync(
            here, scope, partitions, moment, limits, process, name => files[name] = new(), clean: null, cancellationToken);
        ImmutableArray<string> Lines(string name) => files.TryGetValue(name, out var file) ? [.. file.Lines()] : [];
        var name = BundleLayout.PartitionsName(control.Id);
        return new(
            [],
            PeopleAnswers.Conclude(
                result, control, [.. fixture.Answers.Select(a => new PersonAnswer(a.Key, a.Value, "the case", moment.AsOf, "the case", "the case"))], []),
            [.. control.Tests.Select(t => Lines(BundleLayout.RowsName(control.Id, t.Id)))],
            result.Partitions is null ? [] : [.. PartitionResults.Read(() => new MemoryStream(files[name].ToArray()), name)]);
    }

    /// <summary>Returns the moment of a case: the stated one, else the default or, if later, the end of its period.</summary>
    internal static DateTimeOffset AsOf(FixtureCase fixture) =>
        fixture.AsOf ?? (EndOfPeriod(fixture) is var end && end > DefaultAsOf ? end : DefaultAsOf);

    private static DateTimeOffset EndOfPeriod(FixtureCase fixture) => Midnight((fixture.PeriodEnd ?? DefaultEnd).AddDays(1));

    private static IEnumerable<string> Compare(
        FixtureExpectation expect, ControlResult result, ImmutableArray<TestResult> partitions, ILookup<string, string> items,
        ILookup<(string Verdict, string Item), string> reasons)
    {
        if (result.Conclusion != expect.Conclusion)
        {
            var why = string.Concat(
                partitions.Where(t => t.Error is not null).Select(t => $"; {t.Id} in {t.Partition.Account}: {t.Error}")
                    .Concat(result.Limitations.Select(l => $"; {l.Evidence}: {l.Code}"))
                    .Concat(partitions.SelectMany(t => t.Completeness.Where(c => !c.Agree))
                        .Select(c => $"; '{c.Name}': {c.Left ?? "NULL"} and {c.Right ?? "NULL"}"))
                    .Distinct());
            yield return $"expected {Word(expect.Conclusion)}, got {Word(result.Conclusion)}{why}";
        }
        foreach (var difference in Difference(Verdicts.Deviation, expect.Deviations, items, reasons)
            .Concat(Difference(Verdicts.Approved, expect.Approved, items, reasons))
            .Concat(Difference(Verdicts.Undetermined, expect.Undetermined, items, reasons)))
        {
            yield return difference;
        }
        if (expect.Indicated is { } indicated)
        {
            foreach (var difference in Difference(Verdicts.Indicated, indicated, items, reasons))
                yield return difference;
        }
        foreach (var (register, expected) in expect.Unmatched)
        {
            var found = result.Registers?.FirstOrDefault(r => r.Evidence == register);
            if (found?.Unknown is { } unknown)
                yield return $"the unmatched rows of {register} are not known: {unknown}";
            var rows = found?.Unmatched.Select(r => r.Row).ToArray() ?? [];
            foreach (var row in expected.Except(rows).Order(StringComparer.Ordinal))
                yield return $"'{row}' of {register} should match nothing";
            foreach (var row in rows.Except(expected))
                yield return $"'{row}' of {register} matches nothing, which the case does not expect";
        }
    }

    private static IEnumerable<string> Difference(
        string verdict, ImmutableArray<string> expected, ILookup<string, string> items, ILookup<(string Verdict, string Item), string> reasons)
    {
        foreach (var item in expected.Except(items[verdict]).Order(StringComparer.Ordinal))
        {
            var found = items.FirstOrDefault(g => g.Contains(item))?.Key;
            yield return $"'{item}' should be {Words(verdict)} and is {(found is null ? "not in the population" : Words(found))}";
        }
        foreach (var item in items[verdict].Except(expected).Order(StringComparer.Ordinal))
            yield return $"'{item}' is {Words(verdict)}, which the case does not expect{string.Concat(reasons[(verdict, item)].Take(1).Select(r => $": {r}"))}";
    }

    private static string Word(Conclusion conclusion) => ControlWords.Conclusions.First(c => c.Value == conclusion).Word;

    /// <summary>Names a verdict as reports do.</summary>
    private static string Words(string verdict) => verdict switch
    {
        Verdicts.Deviation => "an exception",
        Verdicts.Indicated => "an indicated exception",
        Verdicts.Pass => "a pass",
        _ => verdict,
    };

    /// <summary>Returns the reasons of the rows that did not pass, by verdict and item.</summary>
    private static ILookup<(string Verdict, string Item), string> Reasons(IEnumerable<string> rows, bool named) => rows
        .Select(l => JsonElement.Parse(l))
        .Where(r => !string.IsNullOrWhiteSpace(Said(r, "reason")))
        .ToLookup(r => (r.GetProperty("verdict").GetString()!, Shown(r, named)), r => Said(r, "reason")!);

    /// <summary>
    /// Groups items by verdict; an item of several tests appears under each of its verdicts. An item whose test gave no verdict
    /// is undetermined, even when the evidence read so far indicates a deviation.
    /// </summary>
    internal static ILookup<string, string> Items(IEnumerable<string> rows, bool named) => rows
        .SelectMany(line =>
        {
            using var row = JsonDocument.Parse(line);
            var verdict = row.RootElement.GetProperty("verdict").GetString()!;
            var shown = Shown(row.RootElement, named);
            return row.RootElement.GetProperty("pass").ValueKind == JsonValueKind.Null && verdict != Verdicts.Undetermined
                ? [(Verdict: verdict, Item: shown), (Verdicts.Undetermined, shown)]
                : new[] { (Verdict: verdict, Item: shown) };
        })
        .Distinct()
        .ToLookup(r => r.Verdict, r => r.Item);

    /// <summary>Returns the expectations of the case that no row of the item meets.</summary>
    private static IEnumerable<string> Unsaid(FixtureExpectation expect, IEnumerable<string> rows, bool named)
    {
        if (expect.Rows.IsEmpty)
            yield break;
        var lines = rows.Select(l => JsonElement.Parse(l)).ToLookup(r => Shown(r, named), StringComparer.Ordinal);
        foreach (var (item, columns) in expect.Rows)
        {
            var unsaid = lines[item]
                .Select(row => columns.Where(c => !Says(row, c.Key, c.Value)).Select(c => (c.Key, Expected: c.Value, Said: Said(row, c.Key))).ToArray())
                .OrderBy(u => u.Length)
                .FirstOrDefault();
            if (unsaid is null)
                yield return $"'{item}' is not in the population";
            foreach (var (column, expected, said) in unsaid ?? [])
                yield return $"'{item}' has {column} {said ?? "NULL"}, but the case expects {expected ?? "NULL"}";
        }
    }

    private static bool Says(JsonElement row, string column, string? expected) => column == "reason" && expected is not null
        ? Said(row, column)?.Contains(expected, StringComparison.Ordinal) == true
        : Said(row, column) == expected;

    private static string? Said(JsonElement row, string column) =>
        (column == "reason" ? row : row.GetProperty("attributes")).TryGetProperty(column, out var value) && value.ValueKind != JsonValueKind.Null
            ? JsonMember.TextOrRaw(value)
            : null;

    private static string Shown(JsonElement row, bool named)
    {
        var item = row.GetProperty("item").GetString()!;
        return named ? $"{row.GetProperty("account").GetString()}/{item}" : item;
    }

    private static DateTimeOffset Midnight(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    /// <summary>What a case concluded.</summary>
    /// <param name="Faults">The faults of the case itself; then there is no result.</param>
    /// <param name="Rows">For each test of the control, the lines of its rows.</param>
    internal sealed record Concluded(
        ImmutableArray<string> Faults, ControlResult? Result, ImmutableArray<ImmutableArray<string>> Rows, ImmutableArray<TestResult> Partitions);

    /// <summary>A memory stream whose content can still be read after it is closed.</summary>
    private sealed class KeptStream : MemoryStream
    {
        public IEnumerable<string> Lines()
        {
            using var reader = new StreamReader(new MemoryStream(ToArray()));
            while (reader.ReadLine() is { } line)
                yield return line;
        }
    }
}
