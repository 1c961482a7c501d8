namespace AuditCli.Controls.Tests.Loading;

/// <summary>Loads what a control states for a reader who judges how far to rely on it.</summary>
public sealed class RelianceLoadingTests
{
    [Theory]
    [InlineData(
        "design: { how_it_addresses: h, result: effective }\n",
        "21:9: an assessment of the design has 'result', 'by', 'on' and 'rationale', so that a reader knows whose it is; state all or none")]
    [InlineData(
        "design: { how_it_addresses: h, on: 2026-09-01 }\n",
        "21:9: an assessment of the design has 'result', 'by', 'on' and 'rationale', so that a reader knows whose it is; state all or none")]
    [InlineData("design: { result: effective, by: b, on: 2026-09-01, rationale: r }\n", "21:9: the key 'how_it_addresses' is missing")]
    [InlineData(
        "design: { how_it_addresses: h, result: good, by: b, on: 2026-09-01, rationale: r }\n",
        "21:40: 'result' must be one of effective, ineffective, but is 'good'")]
    [InlineData("systems: AWS\n", "21:10: 'systems' must be a list, but is text")]
    [InlineData("performer: ''\n", "21:12: 'performer' is empty")]
    public void What_a_reader_relies_on_is_stated_in_full(string rest, string fault) => Assert.Contains(fault, Samples.FaultsOf(Samples.Minimal(rest: rest)));

    [Fact]
    public void A_control_whose_design_is_ineffective_is_not_tested_for_its_operation()
    {
        const string Design = "design: { how_it_addresses: h, result: ineffective, by: b, on: 2026-09-01, rationale: r }\n";
        Assert.Empty(Samples.FaultsOf(Samples.Minimal(rest: Design)));
        var operates = Samples.Minimal(rest: Design).Replace("kind: design", "kind: operating-effectiveness", StringComparison.Ordinal);
        Assert.Contains("nothing can be concluded of its operation", Assert.Single(Samples.FaultsOf(operates)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[one]", "'sources' must have at least 2")]
    [InlineData("[one, two, three]", "'sources' has two entries: where the number of 'sql' comes from, and where that of 'equals' does")]
    [InlineData("[one, One]", "both numbers come from 'one', so they prove nothing together; name two sources")]
    public void Two_numbers_of_a_completeness_check_come_from_two_sources(string sources, string fault)
    {
        var yaml = Samples.Control.Replace("sources: [the credential report, the list of users]", $"sources: {sources}", StringComparison.Ordinal);
        Assert.NotEqual(Samples.Control, yaml);
        Assert.Contains(fault, Assert.Single(Samples.FaultsOf(yaml, "APD-AWS-002")), StringComparison.Ordinal);
    }
}
