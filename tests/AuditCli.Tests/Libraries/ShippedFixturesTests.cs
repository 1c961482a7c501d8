using AuditCli.Controls.Evaluation;
using AuditCli.Libraries;

namespace AuditCli.Tests.Libraries;

/// <summary>Runs every case of every shipped control. A case that fails anyway would also count as detecting any error in the SQL.</summary>
public sealed class ShippedFixturesTests
{
    public static TheoryData<string> ShippedControls => [.. ShippedLibrary.Ids];

    [Theory]
    [MemberData(nameof(ShippedControls))]
    public async Task Every_case_of_a_shipped_control_concludes_as_it_states(string id)
    {
        var (control, fixtures) = DeniedFixturesTests.Load(id);
        var outcomes = await FixtureRunner.RunAsync(control, fixtures, EvaluationLimits.Default, process: null, CancellationToken.None);
        Assert.Equal(fixtures.Cases.Length, outcomes.Length);
        Assert.Equal("", string.Join('\n', outcomes.Where(o => !o.Passed).SelectMany(o => o.Differences)));
    }
}
