using System.Text.Json;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Commands;

/// <summary>Checks that <c>doctor</c> reports what a run could not read, and writes nothing.</summary>
public sealed class DoctorTests(AuditedCluster cluster) : IClassFixture<AuditedCluster>
{
    private static readonly Dictionary<string, string> Nothing = [];

    [Fact]
    public async Task A_missing_permission_of_a_google_project_is_named_with_who_needs_it_and_nothing_is_written()
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        server.Permissions["MARKERtokenOfServiceAccountMARKER"] =
            ["resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "resourcemanager.folders.get"];
        var environment = GoogleEnvironment.At(server, folder);
        folder.Write("engagement.yaml", GoogleEnvironment.Engagement("\"*-GCP-*\"", "projects: [nq-matching-prod]"));
        var before = Contents(folder);
        var result = await AuditCommand.ProcessAsync(folder.Path, environment, [], "doctor", "engagement.yaml");
        Assert.True(result.ExitCode == 3, result.ToString());
        string[] words =
        [
            "target google is account nq-matching-prod, read as ", "CANNOT READ compute:firewalls.list in nq-matching-prod gcp-global: ",
            "compute.firewalls.list", "needed by INF-GCP-001", "endpoint that is not the provider's own: http://127.0.0.1:",
            "auditcli permissions",
        ];
        foreach (var word in words)
            Assert.Contains(word, result.Output, StringComparison.Ordinal);
        Assert.Equal(before, Contents(folder));
    }

    [Fact]
    public async Task Where_all_can_be_read_it_says_so_and_asks_each_list_for_one_page()
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        folder.Write("engagement.yaml", GoogleEnvironment.Engagement("\"*-GCP-*\"", "organization: \"123456789012\""));
        var result = await AuditCommand.ProcessAsync(folder.Path, GoogleEnvironment.At(server, folder), [], "doctor", "engagement.yaml", "--output", "json");
        Assert.True(result.ExitCode == 0, result.ToString());
        var target = Assert.Single(JsonElement.Parse(result.Output).GetProperty("targets").EnumerateArray());
        Assert.Equal(3, target.GetProperty("accounts").GetArrayLength());
        var operations = target.GetProperty("operations").EnumerateArray().ToArray();
        Assert.Contains(operations, o =>
            o.GetProperty("operation").GetString() == "iam:projects.serviceAccounts.keys.list"
            && o.GetProperty("outcome").GetString() == "readable");
        Assert.DoesNotContain(operations, o => o.GetProperty("outcome").GetString() == "refused");
    }

    [Fact]
    public async Task An_account_that_two_targets_reach_is_tried_once_through_the_target_that_the_run_would_read_it_through()
    {
        using var folder = new TemporaryFolder();
        using var server = GoogleEnvironment.Server();
        folder.Write(
            "engagement.yaml",
            GoogleEnvironment.Engagement("APD-GCP-002", "organization: \"123456789012\"") + "\n  named: { gcp: { projects: [nq-matching-prod] } }\n");
        var result = await AuditCommand.ProcessAsync(folder.Path, GoogleEnvironment.At(server, folder), [], "doctor", "engagement.yaml", "--output", "json");
        Assert.True(result.ExitCode == 0, result.ToString());
        var targets = JsonElement.Parse(result.Output).GetProperty("targets").EnumerateArray().ToArray();
        var readThrough = targets.SelectMany(t => t.GetProperty("accounts").EnumerateArray())
            .Select(a => $"{a.GetProperty("account")} {a.GetProperty("read_through")}");
        Assert.Contains("nq-matching-prod named", readThrough);
        var asked = targets.SelectMany(t => t.GetProperty("operations").EnumerateArray(), (t, o) => (t.GetProperty("name").GetString(), Operation: o))
            .Where(o => o.Operation.GetProperty("account").GetString() == "nq-matching-prod")
            .ToArray();
        Assert.NotEmpty(asked);
        Assert.All(asked, o => Assert.Equal("named", o.Item1));
    }

    [NeedsFact("moto_server")]
    public async Task Ambient_aws_credentials_are_examined_and_run_and_the_bundle_can_be_done_again()
    {
        using var folder = new TemporaryFolder();
        await using var server = await MotoServer.StartAsync();
        var environment = AwsEnvironment.At(server.Address.GetLeftPart(UriPartial.Authority));
        var doctor = await AuditCommand.ProcessAsync(folder.Path, environment, [], "doctor", "--aws", "--control", "APD-AWS-00[124]", "--pack", "quick");
        Assert.Equal(1, doctor.ExitCode);
        doctor = await AuditCommand.ProcessAsync(folder.Path, environment, [], "doctor", "--aws", "--control", "APD-AWS-002", "--pack", "quick");
        Assert.True(doctor.ExitCode == 0, doctor.ToString());
        string[] words =
        [
            "target aws is account 123456789012, read as arn:aws:", "not asked: iam:GetCredentialReport", "side effect", "engine duckdb", "GB free",
        ];
        foreach (var word in words)
            Assert.Contains(word, doctor.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));

        var run = await AuditCommand.ProcessAsync(folder.Path, environment, [], "run", "--aws", "--control", "APD-AWS-002", "--pack", "quick", "--out", "out");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains("First look", run.Output, StringComparison.Ordinal);
        var again = await AuditCommand.ProcessAsync(
            folder.Path, Nothing, [], "reperform", AuditCommand.TheBundle(Path.Combine(folder.Path, "out")), "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [NeedsFact("kube-apiserver")]
    public async Task A_cluster_that_answers_nothing_and_one_that_answers_all_are_told_apart()
    {
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>
        {
            ["KUBECONFIG"] = folder.Write("kubeconfig", cluster.Server.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}")),
        };
        var denied = await AuditCommand.ProcessAsync(folder.Path, environment, [], "doctor", "--kubernetes");
        Assert.True(denied.ExitCode == 3, denied.ToString());
        Assert.Contains("CANNOT READ ", denied.Output, StringComparison.Ordinal);
        environment["KUBECONFIG"] = folder.Write("kubeconfig-2", cluster.Server.Kubeconfig($"{{ token: {await cluster.TokenAsync()} }}"));
        var allowed = await AuditCommand.ProcessAsync(folder.Path, environment, [], "doctor", "--kubernetes");
        Assert.True(allowed.ExitCode == 0, allowed.ToString());
        Assert.Contains("everything that was tried can be read", allowed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_target_that_cannot_be_entered()
    {
        using var folder = new TemporaryFolder();
        var environment = AwsEnvironment.At($"http://127.0.0.1:{Loopback.FreePort()}");
        environment["AWS_MAX_ATTEMPTS"] = "1";
        var result = await AuditCommand.ProcessAsync(folder.Path, environment, [], "doctor", "--aws", "--control", "APD-AWS-004");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("target aws CANNOT BE ENTERED: ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_regions_cannot_be_listed_what_needs_none_is_examined_and_run_all_the_same()
    {
        using var folder = new TemporaryFolder();
        // The server implements only IAM and STS, so it refuses ec2:DescribeRegions.
        using var server = new IamServer(users: 3, TimeSpan.Zero);
        var environment = AwsEnvironment.At(server.Url);
        var result = await AuditCommand.ProcessAsync(folder.Path, environment, [], "doctor", "--aws", "--control", "APD-AWS-004", "--control", "INF-AWS-002");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains("target aws is account 111122223333, read as arn:aws:iam::111122223333:user/auditor", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            "CANNOT READ ec2:DescribeSecurityGroups in 111122223333 any region: InvalidAction: "
            + "the account's regions could not be listed (ec2:DescribeRegions)",
            result.Output,
            StringComparison.Ordinal);
        Assert.DoesNotContain("CANNOT READ iam:", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("needed by APD-AWS-004", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("everything", Last(result), StringComparison.Ordinal);

        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004, INF-AWS-002")
            .Replace("regions: [us-east-1]", "regions: enabled", StringComparison.Ordinal));
        var run = await AuditCommand.ProcessAsync(folder.Path, environment, [], "run", "engagement.yaml", "--out", "out");
        var controls = SampleTests.Results(AuditCommand.TheBundle(Path.Combine(folder.Path, "out")))
            .GetProperty("controls").EnumerateArray().ToDictionary(c => c.GetProperty("id").GetString()!);
        Assert.Empty(controls["APD-AWS-004"].GetProperty("limitations").EnumerateArray());
        Assert.Equal("INCONCLUSIVE", controls["INF-AWS-002"].GetProperty("conclusion").GetString());
        Assert.All(controls["INF-AWS-002"].GetProperty("limitations").EnumerateArray(), l => Assert.Equal("InvalidAction", l.GetProperty("code").GetString()));
        Assert.True(run.ExitCode is 2 or 3, run.ToString());
    }

    [Theory]
    [InlineData("ListAccounts", "target org CANNOT BE ENTERED: AWSOrganizationsNotInUseException", "1 target cannot be entered")]
    [InlineData("ListRoots", "THE LIST OF ACCOUNTS MAY BE INCOMPLETE: AWSOrganizationsNotInUseException", "1 account cannot be entered or counted")]
    public async Task An_organization_that_is_not_in_use_is_no_all_clear(string refused, string said, string last)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 1, TimeSpan.Zero);
        using var gate = new AwsGate(new Uri(server.Url), asked =>
            asked.Operation == refused
                ? (400, "{\"__type\":\"AWSOrganizationsNotInUseException\",\"Message\":\"Your account is not a member of an organization.\"}")
            : asked.Operation == "ListAccounts" ? (200, "{\"Accounts\":[{\"Id\":\"111122223333\",\"Name\":\"own\",\"Status\":\"ACTIVE\"}]}")
            : null);
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004")
            .Replace(
                "prod: { aws: { regions: [us-east-1] } }",
                "org: { aws: { organization: true, role_name: Audit, regions: [us-east-1] } }",
                StringComparison.Ordinal));
        var result = await AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(gate.Url), [], "doctor", "engagement.yaml");
        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Contains(said, result.Output, StringComparison.Ordinal);
        Assert.Contains(last, Last(result), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("arn,approved_by,approved_on,reason,expires\na,R. Reviewer,2026-09-01,agreed,2026-12-31\n", 0, "none was refused")]
    [InlineData("arn,approved_by,approved_on,reason\na,R. Reviewer,2026-09-01,agreed\n", 1, "no column 'expires'")]
    [InlineData(null, 0, "input break-glass-register is not supplied: its table would be empty for APD-AWS-002")]
    public async Task Inputs_are_opened_and_those_that_are_missing_are_named(string? content, int exit, string said)
    {
        using var folder = new TemporaryFolder();
        using var server = new IamServer(users: 1, TimeSpan.Zero);
        var engagement = AwsEnvironment.Engagement("APD-AWS-002");
        if (content is not null)
        {
            folder.Write("register.csv", content);
            engagement += "\ninputs: { break-glass-register: { file: register.csv, obtained_from: Somebody, obtained_on: 2026-11-16, how: by mail } }\n";
        }
        folder.Write("engagement.yaml", engagement);
        var result = await AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(server.Url), [], "doctor", "engagement.yaml");
        Assert.True(result.ExitCode == exit, result.ToString());
        Assert.Contains(said, result.Output + result.Error, StringComparison.Ordinal);
        if (exit != 0)
            return;
        // An operation with a side effect is not tried, so the summary must not claim that everything can be read.
        Assert.Contains("not asked: iam:GetCredentialReport", result.Output, StringComparison.Ordinal);
        Assert.Contains("none was refused; not tried: ", Last(result), StringComparison.Ordinal);
    }

    private static string Last(CommandResult result) => result.Output.TrimEnd().Split('\n')[^1];

    [Fact]
    public async Task A_replay_asks_nobody_so_that_there_is_nothing_to_examine()
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(folder.Path, "doctor", Repository.Path("samples", "engagement.yaml"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("replays recorded exchanges", result.Error, StringComparison.Ordinal);
    }

    private static string[] Contents(TemporaryFolder folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
