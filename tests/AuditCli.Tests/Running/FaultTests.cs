namespace AuditCli.Tests.Running;

/// <summary>
/// Runs against a misbehaving provider from end to end. The conclusion shows it, and the first limitation says how it failed.
/// </summary>
public sealed class FaultTests
{
    [Theory]
    [InlineData("ListUsers", ServerFault.Denied, "AccessDenied")]
    [InlineData("ListAccessKeys", ServerFault.Denied, "AccessDenied")]
    [InlineData("GetCredentialReport", ServerFault.Denied, "AccessDenied")]
    [InlineData("GetCallerIdentity", ServerFault.Denied, "AccessDenied")]
    [InlineData("ListUsers", ServerFault.ResetInTheBody, "ConnectionFailed")]
    [InlineData("ListUsers", ServerFault.MalformedXml, "MalformedResponse")]
    [InlineData("GetCredentialReport", ServerFault.MalformedXml, "MalformedResponse")]
    [InlineData("ListUsers", ServerFault.ValueOfAnotherType, "ValueDoesNotFit")]
    [InlineData("ListUsers", ServerFault.Redirected, "Redirected")]
    [InlineData("ListUsers", ServerFault.SameTokenForEver, "RepeatedToken")]
    public async Task What_was_not_read_whole_is_inconclusive_and_the_limitation_names_it(string action, ServerFault fault, string code)
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        // ListUsers fails on its second page: the first page is kept, but is not taken for the whole list.
        using var server = new IamServer(
            users: 3,
            TimeSpan.Zero,
            (asked, nth) => asked == action && (nth > 1 || action != "ListUsers") ? fault : ServerFault.None)
        {
            PageSize = 2,
        };
        var result = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 3, result.ToString());
        var control = Assert.Single(SampleTests.Results(AuditCommand.TheBundle(Path.Combine(folder.Path, "out"))).GetProperty("controls").EnumerateArray());
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
        Assert.Contains(control.GetProperty("limitations").EnumerateArray(), l => l.GetProperty("code").GetString() == code);
        Assert.Contains(code, result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_is_throttled_twice_and_then_answered_is_no_limitation()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        using var server = new IamServer(users: 3, TimeSpan.Zero, (asked, nth) => asked == "ListUsers" && nth <= 2 ? ServerFault.Throttled : ServerFault.None);
        var result = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(3, server.Calls["ListUsers"]);
    }

    [Fact]
    public async Task A_code_for_none_that_comes_after_a_page_is_a_failure_and_not_an_end()
    {
        using var folder = new TemporaryFolder();
        var control = await File.ReadAllTextAsync(Repository.Path("controls", "access-to-programs-and-data", "APD-AWS-004.yaml"));
        var lenient = control.Replace("{ aws: iam:ListUsers }", "{ aws: iam:ListUsers, allow_errors: { NoSuchEntity: empty } }", StringComparison.Ordinal);
        Assert.NotEqual(control, lenient);
        folder.Write("controls/access-to-programs-and-data/APD-AWS-004.yaml", lenient);
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004") + "\nlibrary: controls\n");
        using var server = new IamServer(users: 3, TimeSpan.Zero, (asked, nth) => asked == "ListUsers" && nth > 1 ? ServerFault.NotFound : ServerFault.None)
        {
            PageSize = 2,
        };
        var result = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.True(result.Output.Contains("iam:ListUsers in prod 111122223333 aws-global: NoSuchEntity", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public async Task An_account_that_two_targets_reach_is_read_once_and_the_other_target_is_listed()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004") + "\n  again: { aws: { regions: [us-east-1] } }\n");
        using var server = new IamServer(users: 3, TimeSpan.Zero);
        var result = await RunAsync(folder, server);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(1, server.Calls["ListUsers"]);
        Assert.Contains("not tested: again: account 111122223333 is read through target prod", result.Output, StringComparison.Ordinal);
    }

    private static Task<CommandResult> RunAsync(TemporaryFolder folder, IamServer server) => AuditCommand.ProcessAsync(
        folder.Path, AwsEnvironment.At(server.Url), [], "run", "engagement.yaml", "--out", "out");
}
