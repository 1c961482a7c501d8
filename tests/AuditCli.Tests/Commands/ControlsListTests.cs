using System.Text.Json;

namespace AuditCli.Tests.Commands;

/// <summary>Tests the filters of <c>controls list</c>.</summary>
public sealed class ControlsListTests
{
    [Theory]
    [InlineData("--framework soc2", "--framework soc2: there is no framework 'soc2'; the frameworks are ")]
    [InlineData("--framework soc2-tcs", "there is no framework 'soc2-tcs'; did you mean 'soc2-tsc'?")]
    [InlineData("--framework soc2-tsc:CC6.9", "soc2-tsc has no clause 'CC6.9'; did you mean 'CC6.1'?; its clauses are CC1.1, ")]
    [InlineData("--framework soc2-tsc:CC6.4", "no control of the library refers to it; controls refer to CC6.1, CC6.2, CC6.3, ")]
    [InlineData("--framework owasp-llm-2025", "no control of the library refers to it; controls refer to cis-aws-5.0, ")]
    [InlineData("--domain access", "--domain access: no control of the library has it; controls have access-to-programs-and-data, ")]
    [InlineData("--domain loging-and-monitoring", "did you mean 'logging-and-monitoring'?")]
    [InlineData("--pack quik", "--pack:1:1: quik: the library has no such pack; did you mean 'quick'?; it has iso-27001, quick, soc2, sox-itgc")]
    [InlineData("--source AWS", "no control of the library has it; did you mean 'aws'?; controls have aws, file, gcp, kubernetes")]
    [InlineData("--source gcp --framework cis-aws-5.0", "no control is in all of these: --framework cis-aws-5.0, --source gcp;")]
    public async Task What_matches_no_control_is_named_with_what_there_is(string options, string said)
    {
        var run = await RunAsync(options);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_wrong_filter_is_named_at_once()
    {
        var run = await RunAsync("--source azure --domain nowhere");
        Assert.Equal(2, run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("--framework soc2-tsc:CC7.2", "LOG-AWS-001")]
    [InlineData("--framework soc2-tsc:CC6.1 --source gcp", "APD-GCP-002")]
    [InlineData("--framework cis-eks-*", "APD-K8S-001")]
    [InlineData("--framework nist-800-53r5:AC-6(?)", "APD-AWS-001 APD-AWS-006 APD-K8S-001")]
    [InlineData("--domain logging-*", "LOG-AWS-001")]
    [InlineData("--domain logging-* --domain infra*", "INF-AWS-001 INF-AWS-002 INF-GCP-001 INF-K8S-002 LOG-AWS-001")]
    [InlineData("--pack quick --source kubernetes", "APD-K8S-001 APD-K8S-004 INF-K8S-002")]
    [InlineData("--pack s*", "APD-AWS-001 APD-AWS-002 APD-AWS-004 APD-AWS-006 APD-GCP-001 APD-GCP-002 APD-K8S-001 APD-K8S-004 APD-XSR-001 "
        + "INF-AWS-001 INF-AWS-002 INF-GCP-001 INF-K8S-002 LOG-AWS-001")]
    public async Task Filters_combine(string options, string expected)
    {
        var run = await RunAsync($"{options} -o json");
        Assert.True(run is { ExitCode: 0, Error: "" }, run.ToString());
        var controls = JsonElement.Parse(run.Output).GetProperty("controls").EnumerateArray().ToArray();
        Assert.Equal(expected, string.Join(' ', controls.Select(c => c.GetProperty("id").GetString())));
        var text = await RunAsync(options);
        Assert.All(expected.Split(' '), id => Assert.Contains($"  {id} ", text.Output, StringComparison.Ordinal));
        Assert.Equal(expected.Split(' ').Length, text.Output.Split('\n').Count(l => l.StartsWith("  ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Json_has_what_a_filter_can_name()
    {
        var run = await RunAsync("--framework soc2-tsc:CC7.2 --output json");
        var control = Assert.Single(JsonElement.Parse(run.Output).GetProperty("controls").EnumerateArray());
        Assert.Equal("logging-and-monitoring", control.GetProperty("domain").GetString());
        Assert.Equal("shipped", control.GetProperty("origin").GetString());
        Assert.Contains("aws", control.GetProperty("sources").EnumerateArray().Select(s => s.GetString()));
        Assert.Contains("CC7.2", control.GetProperty("references").GetProperty("soc2-tsc").EnumerateArray().Select(s => s.GetString()));
    }

    private static Task<CommandResult> RunAsync(string options) =>
        AuditCommand.RunAsync("/", ["controls", "list", .. options.Split(' ')]);
}
