using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Tests.Running;

namespace AuditCli.Tests.Commands;

/// <summary>
/// Tests <c>permissions</c>: it prints what has to be granted in the form that the provider's tools accept, and says what it does not know.
/// </summary>
public sealed partial class PermissionTests(SampleRun sample) : IClassFixture<SampleRun>
{
    private static readonly string[] AwsControls =
        ["APD-AWS-001", "APD-AWS-002", "APD-AWS-004", "APD-AWS-006", "INF-AWS-001", "INF-AWS-002", "LOG-AWS-001"];

    [Fact]
    public async Task What_is_not_known_is_listed_on_stderr_and_in_the_document_and_ends_with_3()
    {
        using var folder = new TemporaryFolder();
        OwnControls.Write(folder, "APD-GCP-901", "  accounts: { gcp: iam:projects.serviceAccounts.list }\n  assets: { gcp: cloudasset:assets.list }\n");
        var result = await AskAsync(folder, "--controls", "lib", "--source", "gcp");
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("gcp: unmapped, not granted: cloudasset:assets.list", result.Error, StringComparison.Ordinal);
        Assert.Contains("# unmapped, not granted: cloudasset:assets.list", result.Output, StringComparison.Ordinal);
        Assert.Equal(["iam.serviceAccounts.list"], OwnControls.GooglePermissions(result.Output));
    }

    [Theory]
    [InlineData("--control APD-AWS-02: the library has no such control; did you mean 'APD-AWS-002'?", "--control", "APD-AWS-02")]
    [InlineData("--control XSR-*: the library has no such control", "--control", "APD-AWS-*", "--control", "XSR-*")]
    [InlineData("the selected controls read nothing from kubernetes", "--control", "APD-AWS-002", "--source", "kubernetes")]
    [InlineData("--target needs an ENGAGEMENT", "--target", "prod")]
    public async Task Asking_for_what_is_not_there_is_a_usage_error(string said, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        var result = await AskAsync(folder, arguments);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retired_control_asks_for_nothing()
    {
        using var folder = new TemporaryFolder();
        OwnControls.Write(folder, "APD-K8S-901", OwnControls.Pods);
        await File.AppendAllTextAsync(OwnControls.Write(folder, "APD-K8S-902", OwnControls.Roles), "status: retired\n");
        var result = await AskAsync(folder, "--controls", "lib", "--source", "kubernetes");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("deployments", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("clusterroles", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_that_a_shipped_control_asks_is_mapped()
    {
        using var folder = new TemporaryFolder();
        var result = await AskAsync(folder);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.DoesNotContain("unmapped", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_policy_of_the_AWS_controls_is_as_approved_and_its_side_effect_is_said()
    {
        using var folder = new TemporaryFolder();
        var result = await AskAsync(folder, [.. AwsControls.SelectMany(c => new[] { "--control", c }), "--source", "aws"]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Golden.Matches("permissions/aws-policy.json", result.Output);
        Assert.Contains("aws: side effect: iam:GenerateCredentialReport starts the credential report", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gcp", "gcp-role.yaml", "APD-GCP-001", "APD-GCP-002", "INF-GCP-001")]
    [InlineData("kubernetes", "kubernetes-clusterrole.yaml", "APD-K8S-001", "APD-K8S-004", "INF-K8S-002")]
    public async Task The_roles_of_Google_and_Kubernetes_are_as_approved(string source, string golden, params string[] controls)
    {
        using var folder = new TemporaryFolder();
        var result = await AskAsync(folder, [.. controls.SelectMany(c => new[] { "--control", c }), "--source", source]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Golden.Matches($"permissions/{golden}", result.Output);
    }

    [Fact]
    public async Task Without_a_source_every_document_is_shown_with_the_controls_that_need_it()
    {
        using var folder = new TemporaryFolder();
        OwnControls.Write(folder, "APD-AWS-901", "  report: { aws: iam:GetCredentialReport }\n");
        OwnControls.Write(folder, "APD-K8S-901", OwnControls.Pods);
        var text = await AskAsync(folder, "--controls", "lib");
        Assert.Contains("aws: IAM policy for APD-AWS-901\n", text.Output, StringComparison.Ordinal);
        Assert.Contains("# side effect: iam:GenerateCredentialReport", text.Output, StringComparison.Ordinal);
        Assert.Contains("kubernetes: ClusterRole for APD-K8S-901\n", text.Output, StringComparison.Ordinal);

        var json = JsonElement.Parse((await AskAsync(folder, "--controls", "lib", "--output", "json")).Output);
        Assert.Equal(["aws", "kubernetes"], json.EnumerateArray().Select(d => d.GetProperty("source").GetString()));
        Assert.Equal("iam:GenerateCredentialReport", json[0].GetProperty("side_effects")[0].GetProperty("operation").GetString());
        Assert.Equal(text.Output[text.Output.IndexOf("# use: kubectl", StringComparison.Ordinal)..], json[1].GetProperty("document").GetString());
    }

    [Fact]
    public async Task An_engagement_narrows_it_to_its_controls_and_to_what_its_targets_say()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        var fixedRegion = await AskAsync(folder, "engagement.yaml", "--source", "aws");
        Assert.True(fixedRegion.ExitCode == 0, fixedRegion.ToString());
        Assert.All(Actions(fixedRegion.Output), a => Assert.StartsWith("iam:", a, StringComparison.Ordinal));

        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004").Replace("[us-east-1]", "enabled", StringComparison.Ordinal));
        var everyRegion = await AskAsync(folder, "engagement.yaml", "--source", "aws");
        Assert.Equal(["ec2:DescribeRegions", .. Actions(fixedRegion.Output)], Actions(everyRegion.Output));
    }

    [Fact]
    public async Task The_policy_of_the_sample_allows_what_its_run_sent_and_no_more()
    {
        using var folder = new TemporaryFolder();
        var result = await AskAsync(folder, Repository.Path("samples", "engagement.yaml"), "--source", "aws");
        Assert.True(result.ExitCode == 0, result.ToString());
        var collected = File.ReadLines(Path.Combine(sample.Bundle, "data", "evidence", "index.jsonl")).Select(l => JsonElement.Parse(l))
            .Where(i => i.GetProperty("source").GetString() == "aws").Select(i => i.GetProperty("operation").GetString()!);
        var named = new Dictionary<string, string>
        {
            ["s3:ListBuckets"] = "s3:ListAllMyBuckets",
            ["s3:GetPublicAccessBlock"] = "s3:GetBucketPublicAccessBlock",
            ["s3control:GetPublicAccessBlock"] = "s3:GetAccountPublicAccessBlock",
            ["sso-admin:ListInstances"] = "sso:ListInstances",
        };
        var needed = collected.Append("iam:GenerateCredentialReport").Where(o => o != "sts:GetCallerIdentity").Select(o => named.GetValueOrDefault(o, o));
        Assert.Equal(needed.Distinct().Order(StringComparer.Ordinal), Actions(result.Output).Order(StringComparer.Ordinal));

        // The index lists tables only; the recorded exchanges show which calls were sent.
        var sent = Directory.EnumerateFiles(Path.Combine(sample.Bundle, "data", "exchanges"), "*.warc.gz", SearchOption.AllDirectories)
            .SelectMany(f => SentAction().Matches(Unpacked(f)).Select(m => m.Groups[1].Value)).Where(a => a != "GetCallerIdentity").ToHashSet();
        Assert.True(sent.Count >= 15, string.Join(" ", sent));
        Assert.Subset(Actions(result.Output).Select(a => a.Split(':')[1]).ToHashSet(), sent);
    }

    [NeedsFact("moto_server")]
    public async Task An_IAM_that_is_not_ours_takes_the_policy_and_refuses_a_broken_one()
    {
        using var folder = new TemporaryFolder();
        var policy = (await AskAsync(folder, "--source", "aws")).Output;
        folder.Write("policy.json", policy);
        folder.Write("broken.json", policy.Replace("\"Allow\"", "\"Permit\"", StringComparison.Ordinal));
        folder.Write("create.py", """
            import sys, boto3, moto
            with moto.mock_aws():
                print(boto3.client('iam', 'us-east-1').create_policy(PolicyName='AuditCliReader', PolicyDocument=open(sys.argv[1]).read())['Policy']['Arn'])
            """);
        var taken = await CreateAsync("policy.json");
        Assert.True(taken.ExitCode == 0 && taken.Output.Contains("policy/AuditCliReader", StringComparison.Ordinal), taken.ToString());
        Assert.Contains("MalformedPolicyDocument", (await CreateAsync("broken.json")).Error, StringComparison.Ordinal);

        Task<CommandResult> CreateAsync(string file) => AuditCommand.OtherAsync(
            folder.Path, "env", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "python3", "create.py", file);
    }

    private static Task<CommandResult> AskAsync(TemporaryFolder folder, params string[] arguments) =>
        AuditCommand.RunAsync(folder.Path, ["permissions", .. arguments]);

    private static string[] Actions(string policy) =>
    [
        .. JsonElement.Parse(policy).GetProperty("Statement").EnumerateArray()
            .SelectMany(s => s.GetProperty("Action").EnumerateArray()).Select(a => a.GetString()!),
    ];

    private static string Unpacked(string file)
    {
        using var gzip = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"(?:\bAction=|(?i:X-Amz-Target): [A-Za-z0-9_.]+\.)([A-Z][A-Za-z]+)")]
    private static partial Regex SentAction();
}

/// <summary>Controls written by tests. Each of their tables is a separate test, which passes if the table was read.</summary>
internal static class OwnControls
{
    public const string Pods = """
          pods: { kubernetes: v1/pods }
          accounts: { kubernetes: v1/serviceaccounts }
          deployments: { kubernetes: apps/v1/deployments }

        """;

    public const string Roles = """
          cluster_roles: { kubernetes: rbac.authorization.k8s.io/v1/clusterroles }
          bindings: { kubernetes: rbac.authorization.k8s.io/v1/clusterrolebindings }

        """;

    /// <summary>Writes a control into the library <c>lib</c> of a folder, and returns its path.</summary>
    /// <param name="evidence">The lines below <c>evidence:</c>.</param>
    public static string Write(TemporaryFolder folder, string id, string evidence)
    {
        var tables = evidence.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim().Split(':')[0]);
        var tests = tables.Select((t, i) =>
            $"  - {{ id: T{i + 1}, title: {t} was read, sql: \"SELECT t._ref AS item, true AS pass, '' AS reason FROM {t} t\" }}\n");
        return folder.Write($"lib/access-to-programs-and-data/{id}.yaml", $$"""
            schema: 1
            id: {{id}}
            version: 1.0.0
            title: Everything can be read
            objective: o
            risk: r
            domain: access-to-programs-and-data
            nature: { type: preventive, execution: automated }
            frequency: continuous
            kind: operating-effectiveness
            mode: point-in-time
            key_control: false
            owner: w
            references: {}
            completeness: { none: It tests reading alone. }
            recommendation: c
            evidence:

            """ + evidence + "tests:\n" + string.Concat(tests));
    }

    /// <summary>Returns the permissions in a role file.</summary>
    public static string[] GooglePermissions(string role) => [.. role.Split('\n').Where(l => l.StartsWith("- ", StringComparison.Ordinal)).Select(l => l[2..])];
}
