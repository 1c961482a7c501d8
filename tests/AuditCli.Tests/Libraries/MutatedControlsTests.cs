using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Libraries;
using Xunit.Abstractions;

namespace AuditCli.Tests.Libraries;

/// <summary>
/// Checks that the fixtures of a shipped control detect errors in its SQL: each place is inverted in turn, and some case must then conclude
/// otherwise. The suite tries ten places of each control, <c>.ci/long</c> all of them.
/// </summary>
public sealed partial class MutatedControlsTests(ITestOutputHelper output)
{
    private const int Sampled = 10;
    private const int Together = 4;
    private const double Noticed = 0.95;

    public static TheoryData<string> ShippedControls => [.. ShippedLibrary.Ids];

    [Fact]
    public void Each_comparison_boolean_join_and_test_for_NULL_is_turned_into_its_opposite()
    {
        const string Sql = "SELECT a.x AS item, NOT a.y AS pass -- a = b\n"
            + "FROM a LEFT JOIN b ON b.id = a.id WHERE a.n BETWEEN 1 AND 2 AND b.z IS NOT NULL OR a.s <= '='";
        string[] expected =
        [
            "line 1: [NOT -> ]", "line 2: [LEFT JOIN -> JOIN]", "line 2: [= -> <>]", "line 2: [AND -> OR]", "line 2: [IS NOT NULL -> IS NULL]",
            "line 2: [OR -> AND]", "line 2: [<= -> >]", "line 2: [<= -> <]",
        ];
        Assert.Equal(expected, SqlMutants.Of(Sql).Select(m => $"{m.Place[..7]} {m.Place[m.Place.IndexOf('[')..(m.Place.IndexOf(']') + 1)]}"));
    }

    [Theory]
    [MemberData(nameof(ShippedControls))]
    public async Task The_fixtures_of_a_control_notice_what_is_wrong_in_its_SQL(string id)
    {
        var (control, fixtures) = DeniedFixturesTests.Load(id);
        var mutants = Mutants(control).ToImmutableArray();
        var listed = UnnoticedMutants.Listed.Select(l => l.Place).ToImmutableHashSet(StringComparer.Ordinal);
        // Listed mutants are tried only in the long run, because trying every case without a match takes the longest.
        var tried = LongRun.Sample(mutants, Math.Max(1, mutants.Length / Sampled))
            .Where(m => LongRun.IsWhole || !listed.Contains(WithoutLine($"{id} {m.Place}"))).ToArray();
        var noticed = await NoticedAsync(control, [.. tried], fixtures);
        NoticedMutants.Approve(id, [.. mutants.Select(Name)], noticed.Select(n => (Name(n.Key), n.Value.Name)));
        var missed = tried.Where(m => !noticed.ContainsKey(m)).Select(m => $"{id} {m.Place}").ToArray();
        var unlisted = missed.Where(m => !listed.Contains(WithoutLine(m))).ToArray();
        output.WriteLine($"{id}: {tried.Length - missed.Length} of {tried.Length} mutants are noticed");
        Assert.True(unlisted.Length == 0, $"no fixture notices, of {tried.Length}:\n{string.Join('\n', unlisted)}");
        Assert.True(!LongRun.IsWhole || missed.Length <= (1 - Noticed) * tried.Length, $"{missed.Length} of {tried.Length} are not noticed");
    }

    [Fact]
    public void A_place_that_no_fixture_notices_is_listed_with_its_reason_and_still_exists()
    {
        var places = ShippedLibrary.Ids
            .SelectMany(id => Mutants(DeniedFixturesTests.Load(id).Control).Select(m => WithoutLine($"{id} {m.Place}")))
            .ToHashSet(StringComparer.Ordinal);
        Assert.All(UnnoticedMutants.Listed, l => Assert.True(places.Contains(l.Place) && l.Reason.Length > 20, l.Place));
    }

    /// <param name="Control">The control with one place changed.</param>
    /// <param name="Test">The original and the changed test; null if the place is in a completeness check.</param>
    /// <param name="Check">The original and the changed completeness check; null if the place is in a test.</param>
    private sealed record Mutant(
        Control Control,
        string Place,
        (TestProcedure Own, TestProcedure Changed)? Test,
        (CompletenessCheck Own, CompletenessCheck Changed)? Check);

    private static IEnumerable<Mutant> Mutants(Control control)
    {
        foreach (var test in control.Tests)
        {
            foreach (var mutant in SqlMutants.Of(test.Sql))
            {
                var changed = test with { Sql = mutant.Sql };
                yield return new(control with { Tests = control.Tests.Replace(test, changed) }, $"{test.Id} {mutant.Place}", (test, changed), null);
            }
        }
        foreach (var (n, check) in control.Completeness.Index())
        {
            foreach (var mutant in SqlMutants.Of(check.Sql))
                yield return Of(n, check, check with { Sql = mutant.Sql }, $"sql {mutant.Place}");
            foreach (var mutant in SqlMutants.Of(check.EqualsSql))
                yield return Of(n, check, check with { EqualsSql = mutant.Sql }, $"equals {mutant.Place}");
        }

        Mutant Of(int n, CompletenessCheck check, CompletenessCheck changed, string place) =>
            new(control with { Completeness = control.Completeness.SetItem(n, changed) }, $"completeness {n} {place}", null, (check, changed));
    }

    /// <summary>
    /// Returns the mutants that a case detects, each with one such case. The case that detected it before is tried first. Of the others all
    /// mutated tests are evaluated together on the same tables, then all mutated completeness checks. A mutant's control is run as a whole
    /// only where its result differs, because loading a case costs as much as many queries.
    /// </summary>
    private static async Task<ImmutableDictionary<Mutant, FixtureCase>> NoticedAsync(
        Control control, ImmutableArray<Mutant> mutants, FixtureFile fixtures)
    {
        var noticed = ImmutableDictionary.CreateBuilder<Mutant, FixtureCase>();
        var before = NoticedMutants.Of(control.Id);
        foreach (var mutant in mutants)
        {
            if (before.TryGetValue(Name(mutant), out var name) && fixtures.Cases.FirstOrDefault(c => c.Name == name) is { } fixture
                && await NoticesAsync(mutant, fixture))
            {
                noticed.Add(mutant, fixture);
            }
        }
        mutants = mutants.RemoveAll(noticed.ContainsKey);
        noticed.AddRange(await NoticedAsync(
            [.. mutants.Where(m => m.Test is not null)],
            fixtures,
            // The checks are the same for a mutant and its original, so the two can differ without them.
            alive => control with
            {
                Completeness = [],
                Evidence = [.. control.Evidence.Select(e => e with { Unmatched = null })],
                Tests =
                [
                    .. alive.Select(m => m.Test!.Value.Own).Distinct(),
                    .. alive.Select((m, n) => m.Test!.Value.Changed with { Id = $"M{n}" }),
                ],
            },
            (partitions, rows, mutant, n) => Said(partitions, rows, mutant.Test!.Value.Own.Id) == Said(partitions, rows, $"M{n}")));
        noticed.AddRange(await NoticedAsync(
            [.. mutants.Where(m => m.Check is not null)],
            fixtures,
            // One test over all evidence has all checks, and costs less than the control's own tests.
            alive => control with
            {
                Completeness =
                [
                    .. alive.Select(m => m.Check!.Value.Own).Distinct(),
                    .. alive.Select((m, n) => m.Check!.Value.Changed with { Name = $"M{n}" }),
                ],
                Tests = [control.Tests[0] with { Sql = OverAll(control) }],
                Waivers = null,
            },
            (partitions, _, mutant, n) => Said(partitions, mutant.Check!.Value.Own.Name) == Said(partitions, $"M{n}")));
        return noticed.ToImmutable();
    }

    /// <param name="same">Whether the mutant of that number gives the result of its original test or check.</param>
    private static async Task<ImmutableDictionary<Mutant, FixtureCase>> NoticedAsync(
        ImmutableArray<Mutant> mutants,
        FixtureFile fixtures,
        Func<ImmutableArray<Mutant>, Control> together,
        Func<ImmutableArray<TestResult>, ImmutableSortedDictionary<string, string>, Mutant, int, bool> same)
    {
        // Cases with much evidence detect the most mutants, so they come first. The remaining mutants are prepared again after a growing
        // number of cases.
        var noticed = ImmutableDictionary.CreateBuilder<Mutant, FixtureCase>();
        var cases = fixtures.Cases.OrderByDescending(c => c.Partitions.Average(p => p.Evidence.Sum(e => e.Value.Rows.Length))).ToArray();
        for (var (done, next) = (0, Together); done < cases.Length && !mutants.IsEmpty; (done, next) = (done + next, next * 2))
        {
            var beside = together(mutants);
            using var ready = new ControlEvaluation(beside, clean: null);
            foreach (var fixture in cases.Skip(done).Take(next))
            {
                var (_, _, rows, partitions) = await FixtureRunner.ConcludeAsync(
                    beside, fixture, EvaluationLimits.Default, process: null, ready, CancellationToken.None);
                var byTest = beside.Tests.Index().ToImmutableSortedDictionary(
                    t => t.Item.Id, t => Visible(fixture, rows[t.Index]), StringComparer.Ordinal);
                foreach (var (n, mutant) in mutants.Index())
                {
                    if (!noticed.ContainsKey(mutant) && !same(partitions, byTest, mutant, n) && await NoticesAsync(mutant, fixture))
                        noticed.Add(mutant, fixture);
                }
            }
            mutants = mutants.RemoveAll(noticed.ContainsKey);
        }
        return noticed.ToImmutable();
    }

    private static string OverAll(Control control) =>
        $"SELECT 'all' AS item, {string.Join(" + ", control.Evidence.Select(e => $"(SELECT count(*) FROM {e.Name})"))} >= 0 AS pass, '' AS reason";

    private static async Task<bool> NoticesAsync(Mutant mutant, FixtureCase fixture) =>
        !Assert.Single(await FixtureRunner.RunAsync(
            mutant.Control, new("f", [fixture]), EvaluationLimits.Default, process: null, CancellationToken.None)).Passed;

    /// <summary>
    /// Returns what the case can see of the rows of a test: all of the items it names, and the verdict of each item that does not pass.
    /// A case that states unmatched rows of a register sees every item.
    /// </summary>
    private static string Visible(FixtureCase fixture, ImmutableArray<string> rows)
    {
        var seen = new StringBuilder();
        foreach (var line in rows)
        {
            var row = JsonElement.Parse(line);
            var (item, verdict) = (row.GetProperty("item").GetString()!, row.GetProperty("verdict").GetString());
            if (fixture.Expect.Rows.Keys.Any(k => k.EndsWith(item, StringComparison.Ordinal)))
                seen.AppendLine(ExceptionId.Replace(line, "/X/"));
            else if (verdict != "pass" || !fixture.Expect.Unmatched.IsEmpty)
                seen.AppendLine($"{row.GetProperty("account")} {item} {verdict} {row.GetProperty("pass")}");
        }
        return seen.ToString();
    }

    /// <summary>Returns what a test concludes in each partition, and what a case sees of its rows.</summary>
    private static string Said(ImmutableArray<TestResult> partitions, ImmutableSortedDictionary<string, string> rows, string test) =>
        string.Join('\n', partitions.Where(t => t.Id == test).Select(t => $"{t.Conclusion} {t.Error}").Append(rows[test]));

    /// <summary>Returns what a completeness check found in each partition of each test.</summary>
    private static string Said(ImmutableArray<TestResult> partitions, string check) =>
        string.Join('\n', partitions.SelectMany(t => t.Completeness.Where(c => c.Name == check).Select(c => $"{t.Id} {t.Partition} {c with { Name = "" }}")));

    /// <summary>Returns the mutant's place in its control without the line, which every edit above it changes.</summary>
    private static string Name(Mutant mutant) => WithoutLine(mutant.Place);

    private static string WithoutLine(string place) => Line.Replace(place, "");

    [GeneratedRegex(@"line [0-9]+: ", RegexOptions.CultureInvariant)]
    private static partial Regex Line { get; }

    /// <summary>Matches the identifier of an exception, which is derived from the name of its test.</summary>
    [GeneratedRegex("/X/[0-9a-f]{12}", RegexOptions.CultureInvariant)]
    private static partial Regex ExceptionId { get; }
}
