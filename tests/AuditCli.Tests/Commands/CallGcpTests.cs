using System.Text.Json;

namespace AuditCli.Tests.Commands;

/// <summary>Checks that <c>call gcp</c> prints what the Google Cloud CLI prints, or nothing.</summary>
public sealed class CallGcpTests
{
    private const string Token = "MARKERtokenOfServiceAccountMARKER";

    [Theory]
    [InlineData("iam:projects.serviceAccounts.list", "PERMISSION_DENIED: Permission 'iam.serviceAccounts.list' denied")]
    [InlineData("compute:instances.aggregatedList", "PERMISSION_DENIED: Permission 'compute.instances.list' denied")]
    [InlineData("cloudresourcemanager:projects.getIamPolicy", "PERMISSION_DENIED: Permission 'resourcemanager.projects.getIamPolicy' denied")]
    public async Task A_denied_call_prints_nothing_on_stdout_and_the_providers_own_words_on_stderr(string operation, string words)
    {
        using var server = new GoogleServer();
        server.Permissions[Token] = ["resourcemanager.projects.get"];
        await FailsAsync(server, 3, words, operation, "--project", "p-one");
    }

    [Fact]
    public async Task A_page_that_is_denied_after_others_leaves_nothing_of_them()
    {
        using var server = new GoogleServer(fault: (r, _) => r.Query.Contains("pageToken", StringComparison.Ordinal)
            ? GoogleFault.Error(403, "PERMISSION_DENIED", "no more")
            : null);
        await FailsAsync(server, 3, "PERMISSION_DENIED: no more", "iam:projects.serviceAccounts.list", "--project", "p-one");
    }

    [Fact]
    public async Task An_api_that_is_not_enabled_is_not_an_empty_list()
    {
        using var server = new GoogleServer();
        await FailsAsync(
            server, 3, "ApiNotEnabled: cloudkms.googleapis.com has not been used",
            "cloudkms:projects.locations.keyRings.list", "parent=projects/{project}/locations/global", "--project", "p-one");
    }

    [Theory]
    [InlineData("container:projects.locations.clusters.list parent=projects/p-one/locations/-", null, """missingZones: ["us-east1-b"]""")]
    [InlineData(
        "compute:instances.aggregatedList",
        """{"items":{"zones/a":{"instances":[{"name":"x"}]},"zones/b":{"warning":{"code":"UNREACHABLE","message":"zone b is down"}}}}""",
        "zone b is down")]
    [InlineData("storage:buckets.list", """{"items":[{"name":"x"}],"unreachable":["projects/_/buckets/y"]}""", """unreachable: ["projects/_/buckets/y"]""")]
    [InlineData("iam:projects.serviceAccounts.list", """{"accounts":[{"name":"x"}],"nextPageToken":"again"}""", "repeats an earlier page token")]
    [InlineData("iam:projects.serviceAccounts.list", "<html>", "not JSON")]
    [InlineData("iam:projects.serviceAccounts.list", """{"accounts":[{"displayName":"a\ud800"}]}""", "not JSON")]
    public async Task An_incomplete_answer_is_not_printed(string question, string? body, string words)
    {
        using var server = new GoogleServer(fault: (_, _) => body is null ? null : new(200, body));
        await FailsAsync(server, 3, words, [.. question.Split(' '), "--project", "p-one"]);
    }

    [Theory]
    [InlineData("iam:projects.serviceAccount.list", "did you mean iam:projects.serviceAccounts.list")]
    [InlineData("iam:projects.serviceAccounts.create", "not in the read-only catalogue")]
    [InlineData("cloudresourcemanager:projects.setIamPolicy", "not in the read-only catalogue")]
    public async Task What_is_not_in_the_catalogue_is_not_sent(string operation, string hint)
    {
        using var server = new GoogleServer();
        await FailsAsync(server, 1, hint, operation, "--project", "p-one");
        Assert.Empty(server.Seen);
        Assert.Empty(server.TokenRequests);
    }

    [Theory]
    [InlineData("iam:projects.serviceAccounts.list", "name=projects/{project}, but no project is named")]
    [InlineData("iam:projects.serviceAccounts.list nam=projects/p-one", "takes no parameter nam; it takes name, pageSize")]
    [InlineData("iam:projects.serviceAccounts.list name", "'name' is not name=value")]
    [InlineData("iam:projects.serviceAccounts.list name=a name=b", "name is given twice")]
    [InlineData("iam:projects.serviceAccounts.list name=", "name must not be empty")]
    [InlineData(
        "iam:projects.serviceAccounts.list name=projects/p-one pageSize=many",
        "pageSize is not JSON, but iam:projects.serviceAccounts.list needs integer there: many")]
    [InlineData("iam:projects.serviceAccounts.list name=projects/p-one pageToken=t2", "takes no parameter pageToken")]
    [InlineData("iam:projects.serviceAccounts.keys.list", "iam:projects.serviceAccounts.keys.list needs name=...")]
    [InlineData("iam:projects.serviceAccounts.get name=projects/p-one/serviceAccounts/a:enable", "not in the read-only catalogue")]
    [InlineData("iam:projects.serviceAccounts.list --target cloud", "--target needs --engagement FILE")]
    public async Task A_wrong_question_is_a_usage_error_and_asks_no_api(string question, string hint)
    {
        using var server = new GoogleServer();
        await FailsAsync(server, 1, hint, question.Split(' '));
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task Credentials_that_are_not_there_are_a_failure_that_names_the_file()
    {
        using var server = new GoogleServer();
        await FailsAsync(
            server, 3, "NoCredentials: the credentials file nowhere.json",
            "iam:projects.serviceAccounts.list", "--project", "p-one", "--credentials", "nowhere.json");
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task The_engagements_target_gives_project_and_credentials_and_an_option_stands_before_it()
    {
        using var server = new GoogleServer();
        using var folder = new TemporaryFolder();
        var environment = GoogleEnvironment.At(server, folder);
        environment.Remove("GOOGLE_APPLICATION_CREDENTIALS");
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004").Replace(
            "prod: { aws: { regions: [us-east-1] } }", "cloud: { gcp: { projects: [p-one], credentials: credentials.json } }", StringComparison.Ordinal));

        string[] call = ["call", "gcp", "iam:projects.serviceAccounts.list", "--engagement", "engagement.yaml"];
        var one = await AuditCommand.ProcessAsync(folder.Path, environment, [], call);
        var two = await AuditCommand.ProcessAsync(
            folder.Path, environment, [], [.. call, "--project", "p-two", "--impersonate", GoogleEnvironment.Account]);
        var none = await AuditCommand.ProcessAsync(folder.Path, environment, [], "call", "kubernetes", "v1/pods", "--engagement", "engagement.yaml");

        Assert.Equal((3, 1), (Answer(one).GetArrayLength(), Answer(two).GetArrayLength()));
        Assert.Equal("MARKERtokenOfImpersonationMARKER", server.Seen[^1].Token);
        Assert.Equal((1, "engagement.yaml has no Kubernetes target"), (none.ExitCode, none.Error.Trim()));
    }

    [Fact]
    public async Task A_list_without_elements_is_an_empty_array()
    {
        using var server = new GoogleServer();
        Assert.Equal("[]", (await CallAsync(server, "iam:projects.serviceAccounts.list", "--project", "p-three")).Output.Trim());
    }

    [Fact]
    public async Task The_rules_in_effect_on_a_network_are_those_of_that_network_and_need_their_own_permission()
    {
        const string Operation = "compute:networks.getEffectiveFirewalls";
        using var server = GoogleEnvironment.Server();
        var rules = Answer(await CallAsync(server, Operation, "network=default", "--project", "nq-matching-prod")).GetProperty("firewalls");
        Assert.Equal(["default-allow-ssh", "default-allow-rdp"], rules.EnumerateArray().Select(r => r.GetProperty("name").GetString()));
        await FailsAsync(server, 3, "NOT_FOUND", Operation, "network=efault", "--project", "nq-matching-prod");
        server.Permissions[Token] = ["resourcemanager.projects.get", "compute.firewalls.list", "compute.networks.list"];
        await FailsAsync(
            server, 3, "PERMISSION_DENIED: Permission 'compute.networks.getEffectiveFirewalls' denied",
            Operation, "network=default", "--project", "nq-matching-prod");
    }

    [Fact]
    public async Task Number_literals_and_texts_are_printed_as_the_api_writes_them()
    {
        const string Element =
            """{"name":"ζ\u0001<&>","big":9007199254740993,"text":"9007199254740993","odd":[1e3,1.50,-0,-0.0,1E+2,123456789012345678901234567890]}""";
        using var server = new GoogleServer(fault: (_, _) => new(200, $$"""{"accounts":[{{Element}}]}"""));
        var printed = (await CallAsync(server, "iam:projects.serviceAccounts.list", "--project", "p-one")).Output;
        Assert.Equal(SortedJson.Of(JsonElement.Parse($"[{Element}]")), SortedJson.Of(JsonElement.Parse(printed)));
        Assert.Contains("\"ζ\\u0001<&>\"", printed, StringComparison.Ordinal);
    }

    /// <summary>
    /// Compares every member and every literal, regardless of the order of members. One member that a single CLI command adds is ignored.
    /// </summary>
    [NeedsTheory("gcloud")]
    [InlineData("projects list", "cloudresourcemanager.v1:projects.list filter=lifecycleState:ACTIVE")]
    [InlineData("projects describe p-one", "cloudresourcemanager.v1:projects.get")]
    [InlineData("projects get-iam-policy p-one", "cloudresourcemanager.v1:projects.getIamPolicy")]
    [InlineData("iam service-accounts list", "iam:projects.serviceAccounts.list name=projects/p-one", "\"disabled\": false,\n")]
    [InlineData(
        "iam service-accounts keys list --iam-account=a@p-one.iam.gserviceaccount.com",
        "iam:projects.serviceAccounts.keys.list name=projects/{project}/serviceAccounts/a@p-one.iam.gserviceaccount.com")]
    [InlineData("iam roles list --project=p-one", "iam:projects.roles.list")]
    [InlineData("services list --enabled", "serviceusage:services.list filter=state:ENABLED")]
    [InlineData("asset search-all-iam-policies --scope=projects/p-one", "cloudasset:searchAllIamPolicies")]
    [InlineData("container clusters list --project=p-two", "container:projects.locations.clusters.list parent=projects/p-two/locations/-")]
    [InlineData("kms keyrings list --location=global --project=p-two", "cloudkms:projects.locations.keyRings.list parent=projects/p-two/locations/global")]
    [InlineData(
        "kms keys list --keyring=ledger --location=global --project=p-two",
        "cloudkms:projects.locations.keyRings.cryptoKeys.list parent=projects/p-two/locations/global/keyRings/ledger")]
    [InlineData(
        "org-policies describe gcp.resourceLocations --project=p-one",
        "orgpolicy:projects.policies.get name=projects/p-one/policies/gcp.resourceLocations")]
    [InlineData("logging sinks list", "logging:projects.sinks.list")]
    [InlineData("logging buckets list --location=global", "logging:projects.locations.buckets.list parent=projects/{project}/locations/global")]
    [InlineData("logging metrics list", "logging:projects.metrics.list")]
    [InlineData("compute firewall-rules list", "compute:firewalls.list")]
    [InlineData("compute routes list", "compute:routes.list")]
    [InlineData("compute instances list", "compute:instances.aggregatedList")]
    [InlineData("compute disks list", "compute:disks.aggregatedList includeAllScopes=true")]
    [InlineData("compute project-info describe", "compute:projects.get")]
    [InlineData("sql instances list", "sqladmin:instances.list")]
    [InlineData("sql instances describe ledger", "sqladmin:instances.get instance=ledger")]
    public async Task The_cli_prints_the_same_from_the_same_server(string command, string question, string? added = null)
    {
        using var server = new GoogleServer();
        using var folder = new TemporaryFolder();
        var theirs = Gcloud.AskAsync(command, folder.Path, GoogleEnvironment.At(server, folder));

        var ours = await CallAsync(server, [.. question.Split(' '), "--project", "p-one"]);

        var expected = SortedJson.Of(await theirs);
        Assert.Equal(added is null ? expected : expected.Replace(added, "", StringComparison.Ordinal), SortedJson.Of(Answer(ours)));
    }

    /// <summary>What the CLI asks of an organization is asked here of the target, which names the organization.</summary>
    [NeedsTheory("gcloud")]
    [InlineData("organizations describe 123456789012", "cloudresourcemanager.v1:organizations.get")]
    [InlineData("organizations get-iam-policy 123456789012", "cloudresourcemanager.v1:organizations.getIamPolicy")]
    [InlineData("asset search-all-resources --scope=organizations/123456789012", "cloudasset:searchAllResources scope=organizations/{organization}")]
    [InlineData("iam roles list --organization=123456789012", "iam:organizations.roles.list")]
    [InlineData("logging sinks list --organization=123456789012", "logging:organizations.sinks.list")]
    [InlineData(
        "logging buckets list --location=global --organization=123456789012",
        "logging:organizations.locations.buckets.list parent=organizations/{organization}/locations/global")]
    [InlineData(
        "org-policies describe gcp.resourceLocations --organization=123456789012",
        "orgpolicy:organizations.policies.get name=organizations/{organization}/policies/gcp.resourceLocations")]
    [InlineData("asset search-all-iam-policies --scope=organizations/123456789012", "cloudasset:searchAllIamPolicies scope=organizations/{organization}")]
    public async Task What_is_asked_once_of_an_organization_is_what_the_cli_prints(string command, string question)
    {
        using var server = new GoogleServer();
        using var folder = new TemporaryFolder();
        var environment = GoogleEnvironment.At(server, folder);
        folder.Write("engagement.yaml", GoogleEnvironment.Engagement("APD-GCP-002", "organization: \"123456789012\""));
        var ours = await AuditCommand.ProcessAsync(
            folder.Path, environment, [], ["call", "gcp", .. question.Split(' '), "--engagement", "engagement.yaml"]);
        Assert.Equal(SortedJson.Of(await Gcloud.AskAsync(command, folder.Path, environment)), SortedJson.Of(Answer(ours)));
    }

    private static async Task FailsAsync(GoogleServer server, int exitCode, string words, params string[] question)
    {
        using var folder = new TemporaryFolder();
        // Exit code 1 means that no API request is sent, so no separate process with endpoint overrides is needed.
        var result = exitCode == 1
            ? await AuditCommand.RunAsync(
                folder.Path,
                ["call", "gcp", .. question, "--credentials", folder.Write("credentials.json", server.ServiceAccountFile(GoogleEnvironment.Account))])
            : await CallAsync(server, question);
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("MARKER", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    private static async Task<CommandResult> CallAsync(GoogleServer server, params string[] question)
    {
        using var folder = new TemporaryFolder();
        return await AuditCommand.ProcessAsync(folder.Path, GoogleEnvironment.At(server, folder), [], ["call", "gcp", .. question]);
    }

    private static JsonElement Answer(CommandResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.DoesNotContain("MARKER", result.ToString(), StringComparison.Ordinal);
        return JsonElement.Parse(result.Output);
    }
}
