using System.Text.Json;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Tests.Running;

/// <summary>A moto server with an organization of six accounts.</summary>
public sealed class OrganizationOnMoto : IAsyncLifetime
{
    private MotoServer? _server;

    public Uri Address => _server?.Address ?? throw new InvalidOperationException("moto_server does not run");

    /// <summary>Account ids by name.</summary>
    public Dictionary<string, string> Accounts { get; private set; } = [];

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("moto_server") is not null)
            return;
        _server = await MotoServer.StartAsync();
        var seeded = await AuditCommand.OtherAsync(
            Path.GetTempPath(), "python3", Repository.Path("tests", "AuditCli.Tests", "organization.py"), Address.ToString());
        Accounts = seeded.ExitCode == 0
            ? JsonSerializer.Deserialize<Dictionary<string, string>>(seeded.Output)!
            : throw new InvalidOperationException(seeded.ToString());
    }

    public async Task DisposeAsync()
    {
        if (_server is { } server)
            await server.DisposeAsync();
    }
}

/// <summary>Tests an organization as one target: every account is read, or reported as not read with the reason.</summary>
public sealed class OrganizationTests(OrganizationOnMoto moto) : IClassFixture<OrganizationOnMoto>
{
    private const string Control = """
        schema: 1
        id: APD-AWS-901
        version: 1.0.0
        title: Every user of every account is seen
        objective: Nobody is left out of the population.
        risk: A user whom nobody looked at.
        domain: access-to-programs-and-data
        nature: { type: detective, execution: automated }
        frequency: continuous
        kind: design
        mode: point-in-time
        key_control: false
        owner: Cloud platform
        references: { soc2-tsc: [CC6.1] }
        evidence:
          users: { aws: iam:ListUsers }
        completeness: { none: It tests who is seen. }
        tests:
          - id: T1
            title: The user has a name
            sql: SELECT u.Arn AS item, u.UserName IS NOT NULL AS pass, 'no name' AS reason FROM users u
        recommendation: None.
        """;

    private string Id(string name) => moto.Accounts[name];

    [NeedsFact("moto_server")]
    public async Task An_account_that_cannot_be_entered_is_a_limitation_that_names_it_and_all_others_are_read()
    {
        using var folder = new TemporaryFolder();
        using var gate = Gate();
        var result = await RunAsync(folder, gate, $"exclude_accounts: [\"{Id("sandbox")}\"]", "");
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));
        var results = SampleTests.Results(bundle);
        var control = Assert.Single(results.GetProperty("controls").EnumerateArray());

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
        // management has 1 user, ledger 1 and matching 2; the 3 of refusing could not be read.
        Assert.Equal(4, control.GetProperty("population").GetInt32());
        var limitations = control.GetProperty("limitations").EnumerateArray().ToArray();
        Assert.All(limitations, l => Assert.Equal(Id("refusing"), l.GetProperty("account").GetString()));
        Assert.Contains(limitations, l => l.GetProperty("code").GetString() == "AccessDenied"
            && l.GetProperty("message").GetString()!.Contains($"could not connect to account {Id("refusing")} (refusing)", StringComparison.Ordinal));
        string[] notTested = [.. results.GetProperty("not_tested").EnumerateArray().Select(n => n.GetProperty("reason").GetString()!)];
        Assert.Contains($"account {Id("sandbox")} (sandbox) is left out by exclude_accounts", notTested);
        Assert.Contains(notTested, n =>
            n.StartsWith($"account {Id("closed")} (closed) is ", StringComparison.Ordinal)
            && n.EndsWith("cannot be read", StringComparison.Ordinal));
        Assert.Contains($"could not connect to account {Id("refusing")} of target org: AccessDenied", result.Output, StringComparison.Ordinal);
        Assert.Contains($"{Id("sandbox")} (sandbox) is left out by exclude_accounts", result.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        // The management account is read with its own credentials, since the role need not exist there.
        Assert.DoesNotContain(gate.Asked, a => a.Operation == "AssumeRole" && a.Body.Contains(Id("management"), StringComparison.Ordinal));
        Assert.All(gate.Asked.Where(a => a.Operation == "AssumeRole"), a => Assert.Contains("ExternalId=engagement-7", a.Body, StringComparison.Ordinal));
    }

    [NeedsFact("moto_server")]
    public async Task A_test_over_the_whole_engagement_does_not_pass_over_an_account_that_the_engagement_leaves_out()
    {
        using var folder = new TemporaryFolder();
        using var gate = new AwsGate(moto.Address, _ => null);
        var result = await RunAsync(folder, gate, $"exclude_accounts: [\"{Id("sandbox")}\"]", "", Control + "\nacross: engagement\n");
        var control = Assert.Single(SampleTests.Results(AuditCommand.TheBundle(Path.Combine(folder.Path, "out"))).GetProperty("controls").EnumerateArray());

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
        // A closed account cannot be used by anybody, so it is listed but causes no limitation.
        var limitation = Assert.Single(control.GetProperty("limitations").EnumerateArray());
        Assert.Equal(("AccountLeftOut", Id("sandbox")), (limitation.GetProperty("code").GetString(), limitation.GetProperty("account").GetString()));
    }

    [NeedsFact("moto_server")]
    public async Task The_population_of_accounts_is_evidence_and_doing_the_run_again_gives_the_same()
    {
        using var folder = new TemporaryFolder();
        using var gate = Gate();
        await RunAsync(folder, gate, "exclude_accounts: []", "");
        var bundle = AuditCommand.TheBundle(Path.Combine(folder.Path, "out"));

        var item = Assert.Single(EvidenceIndex.Read(bundle), i => i.Operation == "accounts");
        Assert.Equal("Incomplete", item.Outcome.ToString());
        Assert.Equal("AccountNotEntered", Assert.Single(item.Failures).Code);
        Assert.NotEmpty(item.Exchanges);
        var rows = await RowsAsync(Path.Combine(bundle, item.Table!));
        Assert.Equal(moto.Accounts.Values.Order(StringComparer.Ordinal), rows.Select(r => r.GetProperty("account").GetString()!));
        Assert.Equal(
            [("closed", "left out"), ("ledger", "read"), ("management", "read"), ("matching", "read"), ("refusing", "not entered"), ("sandbox", "read")],
            rows.Select(r => (moto.Accounts.Single(a => a.Value == r.GetProperty("account").GetString()).Key, r.GetProperty("outcome").GetString()!)).Order());
        Assert.True(File.Exists(Path.Combine(bundle, $"data/exchanges/org/iam-{Id("ledger")}.aws-global.warc.gz")));

        var again = await AuditCommand.RunAsync(folder.Path, "reperform", bundle, "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Contains("identical", again.Output, StringComparison.Ordinal);
    }

    [NeedsFact("moto_server")]
    public async Task An_account_that_another_target_names_is_read_once_and_through_that_one()
    {
        using var folder = new TemporaryFolder();
        using var gate = new AwsGate(moto.Address, asked =>
            asked.Operation == "AssumeRole" && asked.Body.Contains($"{Id("refusing")}%3Arole%2FAuditReadOnly", StringComparison.Ordinal)
                ? AwsGate.Denied("not this one")
                : null);
        var result = await RunAsync(folder, gate, "regions: enabled",
            $$"""
              own: { aws: { role_arn: "arn:aws:iam::{{Id("refusing")}}:role/Named", regions: [us-east-1] } }
              ledger: { aws: { role_arn: ["arn:aws:iam::123456789012:role/Hub", "arn:aws:iam::{{Id("ledger")}}:role/Named"], regions: [us-east-1] } }
            """);
        var control = Assert.Single(SampleTests.Results(AuditCommand.TheBundle(Path.Combine(folder.Path, "out"))).GetProperty("controls").EnumerateArray());

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("PASS", control.GetProperty("conclusion").GetString());
        // management 1, ledger 1, matching 2, refusing 3, sandbox 4: no user is counted twice.
        Assert.Equal(11, control.GetProperty("population").GetInt32());
        Assert.Contains($"not tested: org: account {Id("refusing")} is read through target own", result.Output, StringComparison.Ordinal);
        Assert.Contains($"not tested: org: account {Id("ledger")} is read through target ledger", result.Output, StringComparison.Ordinal);
        Assert.Equal(5, gate.Asked.Count(a => a.Operation == "ListUsers"));
    }

    [NeedsFact("moto_server")]
    public async Task A_resumed_run_lists_the_accounts_that_it_did_not_read_as_an_uninterrupted_one_does()
    {
        var more = $"exclude_accounts: [\"{Id("sandbox")}\"]";
        var other = $$"""  own: { aws: { role_arn: "arn:aws:iam::{{Id("ledger")}}:role/Named", regions: [us-east-1] } }""";
        using var whole = new TemporaryFolder();
        using var killed = new TemporaryFolder();
        using var gate = Gate();
        using var slow = new AwsGate(moto.Address, asked =>
        {
            if (asked.Operation == "ListUsers")
                Thread.Sleep(TimeSpan.FromSeconds(1));
            return null;
        });
        await RunAsync(whole, gate, more, other);
        Write(killed, more, other, Control);
        using (var process = AuditCommand.Start(killed.Path, AwsEnvironment.At(slow.Url), [], "run", "engagement.yaml", "--out", "out"))
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            for (var waited = 0; waited < 6000 && !process.HasExited && slow.Asked.All(a => a.Operation != "ListUsers"); waited++)
                await Task.Delay(10);
            process.Kill();
            await AuditCommand.EndAsync(process);
            _ = await output + await error;
        }
        var partial = Directory.GetDirectories(Path.Combine(killed.Path, "out"), "*.partial").Single();
        var resumed = await AuditCommand.ProcessAsync(killed.Path, AwsEnvironment.At(gate.Url), [], "run", "--resume", partial);

        Assert.True(resumed.ExitCode == 3, resumed.ToString());
        var notTested = NotTested(whole);
        Assert.Contains($"account {Id("sandbox")} (sandbox) is left out by exclude_accounts", notTested, StringComparison.Ordinal);
        Assert.Contains($"account {Id("ledger")} is read through target own", notTested, StringComparison.Ordinal);
        Assert.Equal(notTested, NotTested(killed));

        static string NotTested(TemporaryFolder folder) =>
            SampleTests.Results(AuditCommand.TheBundle(Path.Combine(folder.Path, "out"))).GetProperty("not_tested").GetRawText();
    }

    [NeedsTheory("moto_server")]
    [InlineData("ListRoots", "AccessDenied")]
    [InlineData("ListAccountsForParent", "AccountsDisagree")]
    public async Task A_population_that_is_not_certain_leaves_no_control_conclusive(string operation, string code)
    {
        using var folder = new TemporaryFolder();
        using var gate = new AwsGate(moto.Address, asked => asked.Operation != operation ? null
            : code == "AccessDenied" ? (400, """{"__type":"AccessDeniedException","Message":"no"}""") : (200, """{"Accounts":[]}"""));
        var result = await RunAsync(folder, gate, "exclude_accounts: []", "");
        var control = Assert.Single(SampleTests.Results(AuditCommand.TheBundle(Path.Combine(folder.Path, "out"))).GetProperty("controls").EnumerateArray());

        Assert.True(result.ExitCode == 3, result.ToString());
        Assert.Equal("INCONCLUSIVE", control.GetProperty("conclusion").GetString());
        Assert.All(
            control.GetProperty("limitations").EnumerateArray(),
            l => Assert.StartsWith(code, l.GetProperty("code").GetString(), StringComparison.Ordinal));
        Assert.Contains("the organization's list", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("organization: true", "organization: true needs role_name")]
    [InlineData("role_name: Audit", "role_name can only be used with organization: true")]
    [InlineData("organization: false, role_name: Audit", "role_name can only be used with organization: true")]
    [InlineData("organization: true, role_name: Audit, exclude_accounts: [\"12\"]", "'12' is not one")]
    [InlineData("organization: true, role_name: \"Audit role\"", "'Audit role' cannot be one")]
    [InlineData("external_id: x", "external_id is passed when a role is assumed")]
    [InlineData("role_arn: Audit", "'Audit' is not an ARN")]
    public async Task Settings_that_do_not_fit_together_are_an_error_with_their_place(string settings, string said)
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004").Replace("regions: [us-east-1]", settings, StringComparison.Ordinal));
        var result = await AuditCommand.RunAsync(folder.Path, "run", "engagement.yaml", "--out", "out");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.Matches(@"engagement\.yaml:\d+:\d+: target 'prod': ", result.Error);
    }

    [Fact]
    public async Task Permissions_name_what_an_organization_is_asked_and_who_needs_it()
    {
        using var folder = new TemporaryFolder();
        folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004")
            .Replace("regions: [us-east-1]", "organization: true, role_name: audit/AuditReadOnly", StringComparison.Ordinal));
        var result = await AuditCommand.RunAsync(folder.Path, "permissions", "engagement.yaml");
        Assert.True(result.ExitCode == 0, result.ToString());
        string[] actions =
        [
            "organizations:ListAccounts", "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListRoots", "ec2:DescribeRegions",
        ];
        foreach (var action in actions)
            Assert.Contains($"\"{action}\"", result.Output, StringComparison.Ordinal);
        Assert.Contains(
            "sts:AssumeRole on arn:aws:iam::*:role/audit/AuditReadOnly",
            (result.Output + result.Error).ReplaceLineEndings(" "),
            StringComparison.Ordinal);
    }

    private AwsGate Gate() => new(moto.Address, asked => asked.Operation == "AssumeRole" && asked.Body.Contains(Id("refusing"), StringComparison.Ordinal)
        ? AwsGate.Denied("User: arn:aws:iam::123456789012:user/auditor is not authorized to perform: sts:AssumeRole on resource: "
            + $"arn:aws:iam::{Id("refusing")}:role/AuditReadOnly")
        : null);

    private static Task<CommandResult> RunAsync(TemporaryFolder folder, AwsGate gate, string more, string targets, string control = Control)
    {
        Write(folder, more, targets, control);
        return AuditCommand.ProcessAsync(folder.Path, AwsEnvironment.At(gate.Url), [], "run", "engagement.yaml", "--out", "out");
    }

    private static void Write(TemporaryFolder folder, string more, string targets, string control)
    {
        folder.Write("controls/access-to-programs-and-data/APD-AWS-901.yaml", control);
        folder.Write("engagement.yaml", (AwsEnvironment.Engagement("APD-AWS-901") + "\nlibrary: controls\n").Replace(
            "prod: { aws: { regions: [us-east-1] } }",
            $"org: {{ aws: {{ organization: true, role_name: AuditReadOnly, external_id: engagement-7, {more} }} }}\n{targets}",
            StringComparison.Ordinal)
            .Replace("as_of: 2026-11-23T00:00:00Z\n", "", StringComparison.Ordinal));
    }

    private static async Task<List<JsonElement>> RowsAsync(string path)
    {
        await using var file = new System.IO.Compression.GZipStream(File.OpenRead(path), System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(file);
        return [.. (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonElement.Parse(l))];
    }
}
