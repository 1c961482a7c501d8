namespace AuditCli.Tests.Commands;

/// <summary>Tests what a user reads who has not signed in yet: the reason in one line and the next step, once.</summary>
public sealed class NoCredentialsTests : IDisposable
{
    private const string SignIn = "set AWS_PROFILE, or sign in with `aws sso login`";
    private static readonly Dictionary<string, string> NoLogin = new() { ["AWS_EC2_METADATA_DISABLED"] = "true", ["AWS_DEFAULT_REGION"] = "us-east-1" };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Doctor_gives_the_reason_in_one_line_with_the_next_step_and_no_permission_to_ask_for()
    {
        var result = await AuditCommand.ProcessAsync(_folder.Path, NoLogin, [], "doctor", "--aws", "--control", "APD-AWS-004");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains(SignIn, result.Output, StringComparison.Ordinal);
        Assert.EndsWith("1 target cannot be entered\n", result.Output, StringComparison.Ordinal);
        Assert.All(["\\u000a", "Exception 1", "characters)", "permissions"], w => Assert.DoesNotContain(w, result.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_run_gives_the_reason_once_with_the_number_of_readings_that_were_not_sent()
    {
        var result = await AuditCommand.ProcessAsync(_folder.Path, NoLogin, [], "run", "--aws", "--control", "APD-AWS-004", "--out", "out");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Single(result.Error.Split('\n'), l => l.Contains(SignIn, StringComparison.Ordinal));
        Assert.Matches(@"could not connect to target aws: NoCredentials .*; \d+ readings of it not sent\n", result.Error);
        Assert.DoesNotContain("Exception 1", result.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("aws iam:ListUsers", 3, "this call: the environment's credentials: ", SignIn)]
    [InlineData("gcp compute:firewalls.list project=p", 3, "there is no credentials file", "`gcloud auth application-default login` signs in")]
    [InlineData("http okta:users.list", 1, "give --url https://HOST, --product, or both", "")]
    [InlineData("kubernetes core:pods", 1, "did you mean v1/pods", "v1/<resource> for the core group")]
    public async Task Call_names_no_target_that_nobody_named_and_says_what_to_give(string words, int exit, string said, string next)
    {
        var environment = new Dictionary<string, string>(NoLogin) { ["GCE_METADATA_HOST"] = $"127.0.0.1:{Loopback.FreePort()}" };
        var result = await AuditCommand.ProcessAsync(_folder.Path, environment, [], ["call", .. words.Split(' ')]);
        Assert.True(result.ExitCode == exit, result.ToString());
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.Contains(next, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("target call", result.Error, StringComparison.Ordinal);
    }
}
