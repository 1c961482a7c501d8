namespace AuditCli.Tests.Hosting;

/// <summary>
/// Runs the program in a folder that holds a login of each provider, as an engagement from somebody else may. Only the user's own home
/// counts, whether the variable for it is set or not.
/// </summary>
public sealed class HomeFolderTests : IDisposable
{
    private const string Login = "application_default_credentials.json";

    /// <summary>The files in a home that hold a login.</summary>
    private static readonly string[] Logins = [".aws/credentials", ".aws/config", $".config/gcloud/{Login}", ".kube/config"];

    private static readonly string[] Calls = ["aws iam:ListUsers", "gcp iam:projects.serviceAccounts.list --project nq-ledger-prod", "kubernetes v1/pods"];

    private readonly TemporaryFolder _folder = new();
    private readonly IamServer _aws = new(users: 1, TimeSpan.Zero);
    private readonly GoogleServer _google = GoogleEnvironment.Server();
    private readonly ClusterServer _cluster = new(_ => """{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"""u8.ToArray());

    public void Dispose()
    {
        _cluster.Dispose();
        _google.Dispose();
        _aws.Dispose();
        _folder.Dispose();
    }

    /// <summary>
    /// Returns each call without a home of its own. Where the variable is missing, the home that the system has for the user counts; if
    /// somebody is signed in there, the program would use that login, so these cases are left out.
    /// </summary>
    public static TheoryData<string, string> Homeless
    {
        get
        {
            var cases = new TheoryData<string, string>();
            string[] missing = Logins.Any(l => File.Exists(Path.Combine(OfTheSystem, l))) ? [] : ["HOME=", "-u HOME"];
            foreach (var call in Calls)
            {
                foreach (var home in missing.Append("HOME=/nowhere/at/all"))
                    cases.Add(call, home);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Homeless))]
    public async Task A_login_in_the_working_folder_is_not_the_users(string call, string home)
    {
        var result = await CallAsync(call, home);

        Assert.True((result.ExitCode, result.Output) == (3, ""), result.ToString());
        Assert.StartsWith("NoCredentials: ", result.Error, StringComparison.Ordinal);
        Assert.Equal((0, 0, 0), (_aws.Answered, _google.Seen.Count + _google.TokenRequests.Count, _cluster.Lists));
    }

    /// <summary>Shows that the logins above would be used if the folder were the user's home.</summary>
    [Fact]
    public async Task A_login_in_the_home_is_the_users()
    {
        foreach (var call in Calls)
        {
            var result = await CallAsync(call, $"HOME={_folder.Path}");
            Assert.True(result.ExitCode == 0, result.ToString());
        }
        Assert.True(_aws.Answered > 0 && _google.Seen.Count > 0 && _cluster.Lists > 0);
    }

    [Fact]
    public async Task A_path_from_a_home_that_does_not_exist_is_not_looked_for_in_the_working_folder()
    {
        _folder.Write("engagement.yaml", """
            schema: 1
            entity: Example Exchange
            name: Cluster
            period: { start: 2026-09-01, end: 2026-11-15 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            targets:
              trading: { kubernetes: { kubeconfig: ~/.kube/config } }
            """);

        var result = await CallAsync("kubernetes v1/pods --engagement engagement.yaml --target trading", "HOME=/nowhere/at/all");

        Assert.True((result.ExitCode, result.Output) == (1, ""), result.ToString());
        Assert.Contains("(looked for at /nowhere/at/all/.kube/config)", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, _cluster.Lists);
    }

    private static string OfTheSystem => File.ReadLines("/etc/passwd")
        .Select(l => l.Split(':'))
        .Where(f => f.Length > 6 && f[0] == Environment.UserName)
        .Select(f => f[5])
        .FirstOrDefault("/");

    /// <summary>Runs one call in the folder with the logins.</summary>
    /// <param name="home">What <c>env</c> does to the variable.</param>
    private Task<CommandResult> CallAsync(string call, string home)
    {
        foreach (var login in Logins)
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder.Path, login))!);
        _folder.Write(".aws/credentials", "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n");
        _folder.Write(".aws/config", $"[default]\nregion = us-east-1\nendpoint_url = {_aws.Url}\n");
        _folder.Write($".config/gcloud/{Login}", _google.ServiceAccountFile(GoogleEnvironment.Account));
        _folder.Write(".kube/config", _cluster.Kubeconfig);
        var variables = GoogleEnvironment.At(_google);
        // Without a file the SDKs ask the machine for its own account; nobody listens there.
        variables["GCE_METADATA_HOST"] = $"127.0.0.1:{Loopback.FreePort()}";
        variables["AWS_EC2_METADATA_DISABLED"] = "true";
        return AuditCommand.ProcessAsync(_folder.Path, variables, ["env", .. home.Split(' ')], ["call", .. call.Split(' ')]);
    }
}
