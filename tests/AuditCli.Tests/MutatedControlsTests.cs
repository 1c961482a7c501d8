using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using Xunit.Abstractions;

namespace AuditCli.Tests;

/// <summary>
/// Whether the fixtures of a shipped control notice when its SQL is wrong: one place after the other is turned into its opposite, and
/// some case must conclude otherwise. Ten places of each control here, all of them in <c>.ci/long</c>.
/// </summary>
public sealed class MutatedControlsTests(ITestOutputHelper output)
{
    private const int Sampled = 10;
    private const int AtATime = 4;
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
        ImmutableArray<(Control Control, string Place)> tried = [.. LongRun.Sample(mutants, Math.Max(1, mutants.Length / Sampled))];
        var listed = UnnoticedMutants.Listed.Select(l => l.Place).ToImmutableHashSet(StringComparer.Ordinal);
        var missed = new List<string>();
        // What notices one mutant most often notices its neighbour in the SQL, so the case that did goes first.
        var cases = fixtures.Cases.ToList();
        foreach (var (mutant, place) in tried)
        {
            // To find that none of many cases notices one takes the longest, and the whole run does it.
            if (!LongRun.IsWhole && listed.Contains($"{id} {place}"))
            {
                missed.Add($"{id} {place}");
                continue;
            }
            if (await NoticesAsync(mutant, fixtures, cases) is not { } noticed)
            {
                missed.Add($"{id} {place}");
                continue;
            }
            cases.Remove(noticed);
            cases.Insert(0, noticed);
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

    private static IEnumerable<(Control Control, string Place)> Mutants(Control control)
    {
        foreach (var test in control.Tests)
        {
            foreach (var mutant in SqlMutants.Of(test.Sql))
                yield return (control with { Tests = control.Tests.Replace(test, test with { Sql = mutant.Sql }) }, $"{test.Id} {mutant.Place}");
        }
        foreach (var (n, check) in control.Completeness.Index())
        {
            foreach (var mutant in SqlMutants.Of(check.Sql))
                yield return (control with { Completeness = control.Completeness.SetItem(n, check with { Sql = mutant.Sql }) }, $"completeness {n} sql {mutant.Place}");
            foreach (var mutant in SqlMutants.Of(check.EqualsSql))
                yield return (control with { Completeness = control.Completeness.SetItem(n, check with { EqualsSql = mutant.Sql }) }, $"completeness {n} equals {mutant.Place}");
        }
    }

    /// <summary>A case that concludes otherwise than it says; the first is enough. Null where none does.</summary>
    private static async Task<FixtureCase?> NoticesAsync(Control mutant, FixtureFile fixtures, List<FixtureCase> cases)
    {
        // A few at a time, since each time the SQL is judged again, and most mutants are noticed soon.
        foreach (var some in cases.Chunk(AtATime))
        {
            var outcomes = await FixtureRunner.RunAsync(mutant, fixtures with { Cases = [.. some] }, EvaluationLimits.Default, process: null, CancellationToken.None);
            if (outcomes.FirstOrDefault(o => !o.Passed) is { } noticed)
                return some.First(c => c.Name == noticed.Case);
        }
        return null;
    }
}
