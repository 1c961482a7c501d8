using System.Collections.Immutable;
using System.Text.RegularExpressions;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using Xunit.Abstractions;

namespace AuditCli.Tests;

/// <summary>
/// Whether the fixtures of a shipped control notice when its SQL is wrong: one place after the other is turned into its opposite, and
/// some case must conclude otherwise. Ten places of each control here, all of them in <c>.ci/long</c>.
/// </summary>
public sealed partial class MutatedControlsTests(ITestOutputHelper output)
{
    private const int Sampled = 10;
    private const int Together = 6;
    private const double Noticed = 0.95;

    public static TheoryData<string> ShippedControls => [.. ShippedLibrary.Ids];

    [Fact]
    public void Each_comparison_boolean_join_and_test_for_NULL_is_turned_into_its_opposite()
    {
        const string Sql = "SELECT a.x AS item, NOT a.y AS pass -- a = b\nFROM a LEFT JOIN b ON b.id = a.id WHERE a.n BETWEEN 1 AND 2 AND b.z IS NOT NULL OR a.s <= '='";
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
        // To find that none of many cases notices one takes the longest, and the whole run does it.
        var tried = LongRun.Sample(mutants, Math.Max(1, mutants.Length / Sampled)).Where(m => LongRun.IsWhole || !listed.Contains($"{id} {m.Place}")).ToArray();
        var missed = new List<string>();
        foreach (var of in tried.GroupBy(m => m.Test))
        {
            var alive = of.Key is { } test ? await UnnoticedAsync(control, test, [.. of], fixtures) : await UnnoticedAsync([.. of], fixtures.Cases);
            missed.AddRange(alive.Select(m => $"{id} {m.Place}"));
        }
        var unlisted = missed.Where(m => !listed.Contains(m)).ToArray();
        output.WriteLine($"{id}: {tried.Length - missed.Count} of {tried.Length} mutants are noticed");
        Assert.True(unlisted.Length == 0, $"no fixture notices, of {tried.Length}:\n{string.Join('\n', unlisted)}");
        Assert.True(!LongRun.IsWhole || missed.Count <= (1 - Noticed) * tried.Length, $"{missed.Count} of {tried.Length} are not noticed");
    }

    [Fact]
    public void A_place_that_no_fixture_notices_is_listed_with_its_reason_and_still_exists()
    {
        var places = ShippedLibrary.Ids.SelectMany(id => Mutants(DeniedFixturesTests.Load(id).Control).Select(m => $"{id} {m.Place}")).ToHashSet(StringComparer.Ordinal);
        Assert.All(UnnoticedMutants.Listed, l => Assert.True(places.Contains(l.Place) && l.Reason.Length > 20, l.Place));
    }

    /// <param name="Control">The control with the one place changed.</param>
    /// <param name="Test">The test whose SQL it is in, as the control has it; null for a completeness check.</param>
    private sealed record Mutant(Control Control, string Place, TestProcedure? Test, TestProcedure? Changed);

    private static IEnumerable<Mutant> Mutants(Control control)
    {
        foreach (var test in control.Tests)
        {
            foreach (var mutant in SqlMutants.Of(test.Sql))
            {
                var changed = test with { Sql = mutant.Sql };
                yield return new(control with { Tests = control.Tests.Replace(test, changed) }, $"{test.Id} {mutant.Place}", test, changed);
            }
        }
        foreach (var (n, check) in control.Completeness.Index())
        {
            foreach (var mutant in SqlMutants.Of(check.Sql))
                yield return new(control with { Completeness = control.Completeness.SetItem(n, check with { Sql = mutant.Sql }) }, $"completeness {n} sql {mutant.Place}", null, null);
            foreach (var mutant in SqlMutants.Of(check.EqualsSql))
                yield return new(control with { Completeness = control.Completeness.SetItem(n, check with { EqualsSql = mutant.Sql }) }, $"completeness {n} equals {mutant.Place}", null, null);
        }
    }

    /// <summary>
    /// Those that no case notices. All mutants of one test are asked beside it of the same tables, and only where one answers otherwise
    /// than the test is its control run as a whole, since loading a case takes as long as many questions.
    /// </summary>
    private static async Task<ImmutableArray<Mutant>> UnnoticedAsync(Control control, TestProcedure test, ImmutableArray<Mutant> mutants, FixtureFile fixtures)
    {
        foreach (var cases in fixtures.Cases.Chunk(Together))
        {
            var beside = control with { Tests = [test, .. mutants.Select((m, n) => m.Changed! with { Id = $"M{n}" })] };
            using var ready = new ControlEvaluation(beside, clean: null);
            var noticed = new HashSet<Mutant>();
            foreach (var fixture in cases)
            {
                var (_, result, rows) = await FixtureRunner.ConcludeAsync(beside, fixture, EvaluationLimits.Default, process: null, ready, CancellationToken.None);
                var said = beside.Tests.Select((t, n) => Said(result!, t, rows[n])).ToArray();
                foreach (var (n, mutant) in mutants.Index())
                {
                    if (said[n + 1] != said[0] && !noticed.Contains(mutant) && await NoticesAsync(mutant, fixture))
                        noticed.Add(mutant);
                }
            }
            mutants = mutants.RemoveAll(noticed.Contains);
            if (mutants.IsEmpty)
                break;
        }
        return mutants;
    }

    private static async Task<ImmutableArray<Mutant>> UnnoticedAsync(ImmutableArray<Mutant> mutants, ImmutableArray<FixtureCase> cases)
    {
        var alive = ImmutableArray.CreateBuilder<Mutant>();
        foreach (var mutant in mutants)
        {
            var noticed = false;
            foreach (var fixture in cases)
                noticed = noticed || await NoticesAsync(mutant, fixture);
            if (!noticed)
                alive.Add(mutant);
        }
        return alive.ToImmutable();
    }

    private static async Task<bool> NoticesAsync(Mutant mutant, FixtureCase fixture) =>
        !Assert.Single(await FixtureRunner.RunAsync(mutant.Control, new("f", [fixture]), EvaluationLimits.Default, process: null, CancellationToken.None)).Passed;

    /// <summary>What a test concludes in each partition and its rows, without the identifiers of exceptions, in which its name is.</summary>
    private static string Said(ControlResult result, TestProcedure test, ImmutableArray<string> rows) => string.Join('\n',
        result.Tests.Where(t => t.Id == test.Id).Select(t => $"{t.Conclusion} {t.Error}").Concat(rows.Select(r => ExceptionId.Replace(r, "/X/"))));

    [GeneratedRegex("/X/[0-9a-f]{12}", RegexOptions.CultureInvariant)]
    private static partial Regex ExceptionId { get; }
}
