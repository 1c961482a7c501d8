using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Loading;

public sealed class EngagementLoadingTests
{
    [Theory]
    [InlineData("x", null, "x was handed over", null)]
    [InlineData("content", null, "the file it was", "")]
    [InlineData("other", null, "changed since", "was received with the SHA-256 ")]
    [InlineData("other", "transformations: Saved as CSV.", "changed since, and said so", "")]
    [InlineData("content", "given_by: a. preparer", "given to oneself", "gave the file too; a receipt is from one person to another")]
    [InlineData("content", "received_at: 2026-09-01T00:00:00Z", "before its source gave it", "was received before its source gave it, on 2026-09-30")]
    [InlineData("content", "source_kind: gossip", "of no kind", "'source_kind' must be one of system-export, database-query, ")]
    [InlineData("content", "received_at: yesterday", "at no time", "'received_at' must be a time with its zone ")]
    public void A_receipt_is_of_the_file_that_is_used(string digestOf, string? replaced, string what, string? fault)
    {
        using var folder = new TemporaryFolder();
        const string Content = "id\n1\n";
        var digest = digestOf switch { "x" => "x", "content" => Digest.Of(System.Text.Encoding.UTF8.GetBytes(Content)).Hex, _ => Digest.Of([1]).Hex };
        var lines = new List<string>
        {
            "given_by: H. Resources", "received_by: A. Preparer", "received_at: 2026-09-30T10:00:00Z", $"received_sha256: \"{digest}\"", "source_system: HRIS",
            "source_kind: system-export",
        };
        if (replaced is not null)
        {
            lines.RemoveAll(l => l.Split(':')[0] == replaced.Split(':')[0]);
            lines.Add(replaced);
        }
        var (engagement, faults) = EngagementLoader.Load(
            folder.WithFolders(Samples.Engagement.Replace(
                "stated_rows: 57,", $"stated_rows: 57, receipt: {{ {string.Join(", ", lines)} }},", StringComparison.Ordinal)),
            TestSources.All);
        if (fault == "")
        {
            Assert.True(faults.IsEmpty, $"{what}: {string.Join("; ", faults)}");
            Assert.Equal(digest, engagement!.Inputs[0].Receipt!.ReceivedSha256.Hex);
            Assert.Equal(ObtainedBy.Management, engagement.Inputs[0].ObtainedBy);
        }
        else
        {
            Assert.Contains(
                fault ?? "'received_sha256' must be a SHA-256 of 64 lower-case hexadecimal digits", Assert.Single(faults).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("end: 2026-09-30", "end: 2025-12-31", "4:35: the period ends on 2025-12-31, before it starts on 2026-01-01")]
    [InlineData("end: 2026-09-30", "end: 2026-09-31", "4:35: 'end': there is no such date as 2026-09-31")]
    [InlineData("end: 2026-09-30", "end: 30.9.2026", "4:35: 'end' must be a date such as 2026-09-30, but is '30.9.2026'")]
    [InlineData(
        "time_zone: UTC",
        "time_zone: Europe/Zurch",
        "4:58: this machine does not know the time zone 'Europe/Zurch'; write an IANA name such as Europe/Zurich, or install its time zone data")]
    [InlineData(
        "time_zone: UTC",
        "time_zone: ../../etc/passwd",
        "4:58: 'time_zone' must be an IANA time zone such as Europe/Zurich, but is '../../etc/passwd'")]
    [InlineData(
        "start: 2026-01-01, end: 2026-09-30, time_zone: UTC",
        "start: 2011-12-30, end: 2011-12-30, time_zone: Pacific/Apia",
        "4:18: the period has no day: Pacific/Apia skipped 2011-12-30")]
    [InlineData("as_of: 2026-10-01T00:00:00Z", "as_of: 2026-10-01", "5:8: 'as_of' must be a time with its zone such as "
            + "2026-10-01T00:00:00Z or 2026-10-01T02:00:00+02:00, but is '2026-10-01'")]
    [InlineData("as_of_tolerance: 24h", "as_of_tolerance: 1 day", "6:18: 'as_of_tolerance' must be a duration such as 24h, 90m or 7d, but is '1 day'")]
    [InlineData(
        "reviewer: R. Reviewer",
        "reviewer: R. Reviewer\nteam: [{ name: A. Preparer, role: reviewer }]",
        "9:8: 'A. Preparer' is the preparer; somebody else must review")]
    [InlineData(
        "reviewer: R. Reviewer",
        "reviewer: R. Reviewer\nteam: [{ name: R. Reviewer, role: respondent }]",
        "9:8: 'R. Reviewer' is the reviewer, who neither prepares nor answers")]
    [InlineData(
        "reviewer: R. Reviewer",
        "reviewer: R. Reviewer\nteam: [{ name: Q. Quiet, role: respondent }, { name: q. quiet, role: preparer }]",
        "9:46: 'q. quiet' is in the team already")]
    [InlineData(
        "reviewer: R. Reviewer",
        "reviewer: R. Reviewer\nteam: [{ name: Q. Quiet, role: king }]",
        "9:32: 'role' must be one of preparer, reviewer, respondent, but is 'king'")]
    [InlineData(
        "reviewer: R. Reviewer",
        "reviewer: R. Reviewer\nteam: [{ name: Q. Quiet, role: respondent, key: abc }]",
        "9:49: 'key' is a fingerprint, 64 hexadecimal digits in lower case, as 'auditcli keys show' prints it")]
    [InlineData("reviewer: R. Reviewer", "reviewer: \" a. preparer \"", "8:11: ' a. preparer ' is the preparer; somebody else must review")]
    [InlineData("reviewer: R. Reviewer", "reviewer: \"A.\\u200b Preparer\"", "8:11: 'A.\u200b Preparer' is the preparer; somebody else must review")]
    [InlineData("library: lib", "library: ../nowhere", "9:10: the folder '../nowhere' does not exist (looked for from the engagement's folder)")]
    [InlineData("approved_on: 2026-09-01", "approved_on: soon", "12:104: 'approved_on' must be a date such as 2026-09-30, but is 'soon'")]
    [InlineData("by: R. Reviewer, why", "by: R. Reviewer, wy", "13:46: the key 'why' is missing|13:76: unknown key 'wy'; did you mean 'why'?")]
    [InlineData("file: inputs/leavers.csv", "file: inputs/leaver.csv", "15:23: the file 'inputs/leaver.csv' does not exist in the engagement's folder")]
    [InlineData("file: inputs/leavers.csv", "file: inputs", "15:23: 'inputs' is a folder, not a file")]
    [InlineData(
        "file: inputs/leavers.csv",
        "file: /etc/passwd",
        "15:23: '/etc/passwd' must be a path from the engagement's folder, with '/' between its parts")]
    [InlineData("file: inputs/leavers.csv", "file: inputs/../../x.csv", "15:23: 'inputs/../../x.csv' leaves the engagement's folder; put the file inside it")]
    [InlineData("stated_rows: 57", "stated_rows: \"57\"", "15:147: 'stated_rows' must be a whole number, but is the text '57'")]
    [InlineData("  dev: ", "  prod:", "18:3: the key 'prod' is repeated here; the first is on line 17")]
    [InlineData(
        "  dev: ",
        "  Dev: ",
        "18:3: in 'targets', 'Dev' is not a name of lower-case letters, digits, '-' and '_', at most 63, not beginning with '-' or '_'")]
    [InlineData("regions: enabled", "regions: all", "17:115: 'regions' must be one of enabled, but is 'all'")]
    [InlineData("in_cluster: true", "in_cluster: yes", "21:83: 'in_cluster' must be true or false, but is 'yes'")]
    [InlineData(
        "{ gcp: { organization: \"123456789012\", projects: [] } }",
        "{ gpc: {} }",
        "19:14: unknown source 'gpc'; did you mean 'gcp'?; the sources are aws, gcp, kubernetes")]
    [InlineData(
        "{ gcp: { organization: \"123456789012\", projects: [] } }",
        "{ gcp: {}, aws: {} }",
        "19:12: target 'gcp-org' must have exactly one source (aws, gcp, kubernetes), but has 2")]
    [InlineData("context: trading-prod", "contxt: trading-prod", "21:28: unknown key 'contxt'; did you mean 'context'?")]
    [InlineData("replay: exchanges", "replay: nowhere", "22:9: the folder 'nowhere' does not exist (looked for from the engagement's folder)")]
    [InlineData("schema: 1", "schema: 2", "1:9: schema 2 is newer than this auditcli understands (1); use a newer auditcli")]
    public void A_fault_is_named_with_its_place(string right, string wrong, string faults)
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(right, Samples.Engagement, StringComparison.Ordinal);
        var (engagement, found) = Samples.Load(folder.WithFolders(Samples.Engagement.Replace(right, wrong, StringComparison.Ordinal)));
        Assert.Null(engagement);
        Assert.Equal(faults.Split('|'), found);
    }

    [Fact]
    public void A_library_in_whose_place_another_is_read_need_not_be_there()
    {
        using var folder = new TemporaryFolder();
        var path = folder.WithFolders(Samples.Engagement.Replace("library: lib", "library: ../nowhere", StringComparison.Ordinal));
        Assert.Equal(
            "the folder '../nowhere' does not exist (looked for from the engagement's folder)",
            Assert.Single(EngagementLoader.Load(path, TestSources.All).Faults).Message);
        var (engagement, faults) = EngagementLoader.Load(path, TestSources.All, usesLibrary: false);
        Assert.Empty(faults);
        Assert.Null(engagement!.Library);
    }

    [Fact]
    public void Several_faults_are_reported_together()
    {
        using var folder = new TemporaryFolder();
        var (_, faults) = Samples.Load(folder.WithFolders("""
            schema: 1
            name: n
            period: { start: 2026-02-01, end: 2026-01-01 }
            preparer: A. Preparer
            reviewer: A. Preparer
            inputs: { x: { file: none.csv, obtained_from: f, obtained_on: 2026-01-01, how: h } }
            tragets: {}
            """));
        Assert.Equal(
            [
                "1:1: the key 'entity' is missing", "1:1: the key 'targets' is missing",
                "3:35: the period ends on 2026-01-01, before it starts on 2026-02-01",
                "5:11: 'A. Preparer' is the preparer; somebody else must review",
                "6:22: the file 'none.csv' does not exist in the engagement's folder",
                "7:1: unknown key 'tragets'; did you mean 'targets'?",
            ],
            faults);
    }

    /// <summary>A pipe to which nobody writes would stop the program without a word.</summary>
    [Theory]
    [InlineData("engagement.yaml", "is a pipe, socket or device, not a regular file; copy its content to a file")]
    [InlineData("inputs/leavers.csv", "15:23: 'inputs/leavers.csv' is a pipe, socket or device")]
    public void A_pipe_in_the_place_of_a_file_is_refused_at_once(string file, string said)
    {
        using var folder = new TemporaryFolder();
        var path = folder.WithFolders(Samples.Engagement);
        File.Delete(Path.Combine(folder.Path, file));
        PosixFiles.MakePipe(Path.Combine(folder.Path, file));
        Assert.Contains(said, Assert.Single(Samples.Load(path).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_behind_a_link_is_refused()
    {
        using var folder = new TemporaryFolder();
        var path = folder.WithFolders(Samples.Engagement);
        File.Move(folder.Path + "/inputs/leavers.csv", folder.Path + "/elsewhere.csv");
        File.CreateSymbolicLink(folder.Path + "/inputs/leavers.csv", folder.Path + "/elsewhere.csv");
        Assert.Equal(
            ["15:23: 'inputs/leavers.csv' goes through the link 'inputs/leavers.csv'; put the file itself into the engagement's folder"],
            Samples.Load(path).Faults);

        Directory.Delete(folder.Path + "/inputs", recursive: true);
        Directory.CreateSymbolicLink(folder.Path + "/inputs", "/etc");
        Assert.StartsWith("15:23: 'inputs/leavers.csv' goes through the link 'inputs'", Assert.Single(Samples.Load(path).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_fault_and_no_exception() =>
        Assert.StartsWith("1:1: the engagement cannot be read: ", Assert.Single(Samples.Load("/no/such/engagement.yaml").Faults), StringComparison.Ordinal);

    [Theory]
    [InlineData("keys/none.json", "the file 'keys/none.json' does not exist (looked for at {0}/keys/none.json)")]
    [InlineData("/nowhere/none.json", "the file '/nowhere/none.json' does not exist (looked for at /nowhere/none.json)")]
    [InlineData("keys", "'keys' is a folder, not a file")]
    public void A_credentials_file_that_is_not_there_is_named(string written, string fault)
    {
        using var folder = new TemporaryFolder();
        folder.Write("keys/audit.json", "{}");
        var (engagement, faults) = Samples.Load(folder.WithFolders(Live(written)));
        Assert.Null(engagement);
        Assert.Equal([$"19:34: {string.Format(null, fault, folder.Path)}"], faults);
    }

    [Fact]
    public void A_credentials_file_is_looked_for_from_the_engagements_folder_wherever_the_program_was_started()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("keys/audit.json", "{}");
        Assert.Equal(file, Credentials(folder, "keys/audit.json"));
        Assert.Equal(file, Credentials(folder, "inputs/../keys/audit.json"));
        Assert.Equal(file, Credentials(folder, file));
    }

    [Fact]
    public void A_replay_needs_no_credentials_file()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(Path.Combine(folder.Path, "none.json"), Credentials(folder, "none.json", "replay: exchanges\n"));
    }

    [Fact]
    public void A_kubeconfig_in_the_home_folder_is_found_there()
    {
        using var folder = new TemporaryFolder();
        var engagement = Samples.Load(
            folder.WithFolders(Samples.Engagement.Replace("kubeconfig: config", "kubeconfig: ~/.kube/audit", StringComparison.Ordinal))).Engagement!;
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(Path.Combine(home, ".kube", "audit"), engagement.Targets.Single(t => t.Source == "kubernetes").Setting("kubeconfig"));
    }

    /// <summary>Returns the engagement without its replay and kubeconfig, and with that credentials file on line 19.</summary>
    private static string Live(string credentials) => Samples.Engagement
        .Replace("replay: exchanges\n", "", StringComparison.Ordinal)
        .Replace(", kubeconfig: config", "", StringComparison.Ordinal)
        .Replace("{ gcp: { organization: \"123456789012\", projects: [] } }", $"{{ gcp: {{ credentials: {credentials} }} }}", StringComparison.Ordinal);

    private static string? Credentials(TemporaryFolder folder, string written, string more = "")
    {
        var (engagement, faults) = Samples.Load(folder.WithFolders(Live(written) + more));
        Assert.Empty(faults);
        return engagement!.Targets.Single(t => t.Name == "gcp-org").Setting("credentials");
    }

    [Fact]
    public void What_the_engagement_says_of_controls_is_checked_against_the_library()
    {
        using var folder = new TemporaryFolder();
        var path = folder.WithFolders(Samples.Engagement.Replace("""parameters: { APD-AWS-004: { max_age_days: { value: 60, by""", """
            parameters: { APD-AWS-001: { max_age: { value: 1, by: R. Reviewer, why: told }, max_age_days: { value: "60", by: R. Reviewer, why: told } }, APD-AWS-004: { max_age_days: { value: 60, by
            """.Trim(), StringComparison.Ordinal));
        var control = Samples.Loaded(Samples.Minimal(parameters: "parameters: { max_age_days: { type: integer, default: 90, why: w } }")).Control;
        var (engagement, _) = EngagementLoader.Load(path, TestSources.All, shownAs: "e");
        var (_, faults) = EngagementLoader.Check(engagement!, [control]);
        Assert.Equal(
            [
                "e:11:26: there is no control 'INF-K8S-002'",
                "e:12:21: there is no control 'OPS-AWS-002'; did you mean 'APD-AWS-001'?",
                "e:13:32: APD-AWS-001 has no parameter 'max_age'",
                "e:13:106: parameter 'max_age_days' of APD-AWS-001 must be an integer such as 90, without quotes, but is the text '60'",
                "e:13:144: there is no control 'APD-AWS-004'; did you mean 'APD-AWS-001'?",
            ],
            faults.Select(f => f.ToString()));
        Assert.StartsWith(
            "e:11:13: 'APD-AWS-*' matches no control", EngagementLoader.Check(engagement!, []).Faults[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_override_takes_its_parameters_type()
    {
        using var folder = new TemporaryFolder();
        var path = folder.WithFolders("""
            schema: 1
            entity: e
            name: n
            period: { start: 2026-01-01, end: 2026-01-31 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            controls: { parameters: { APD-AWS-001: { code: { value: 007, by: R. Reviewer, why: told } } } }
            targets: {}
            """);
        var control = Samples.Loaded(Samples.Minimal(parameters: "parameters: { code: { type: text, default: x, why: w } }")).Control;
        var (engagement, faults) = EngagementLoader.Check(EngagementLoader.Load(path, TestSources.All).Engagement!, [control]);
        Assert.Empty(faults);
        Assert.Equal("\"007\"", Assert.Single(engagement.ParameterOverrides).Value.GetRawText());
        Assert.Equal(TimeSpan.FromHours(24), engagement.AsOfTolerance);
    }

    [Fact]
    public void Every_key_is_read()
    {
        using var folder = new TemporaryFolder();
        var path = folder.WithFolders(Samples.Engagement);
        var (engagement, faults) = Samples.Load(path);
        Assert.Empty(faults);
        Assert.NotNull(engagement);
        Assert.Equal(
            ("Acme Exchange", "FY2026 interim", "A. Preparer", "R. Reviewer"),
            (engagement.Entity, engagement.Name, engagement.Preparer, engagement.Reviewer));
        Assert.Equal(new DateTimeOffset(2026, 10, 1, 0, 0, 0, TimeSpan.Zero), engagement.AsOf);
        Assert.Equal(engagement.AsOf, engagement.Period.EndsBefore);
        Assert.Equal(Path.Combine(folder.Path, "lib"), engagement.Library);
        Assert.Equal(Path.Combine(folder.Path, "exchanges"), engagement.Replay);
        Assert.Equal(new NotApplicable("OPS-AWS-002", "No backups in scope", "R. Reviewer", new(2026, 9, 1)), Assert.Single(engagement.NotApplicable));
        Assert.Equal(new EngagementInput("hr-leavers", Path.Combine(folder.Path, "inputs", "leavers.csv"), "HR system export", new(2026, 9, 30),
            "auditor watched the export", 57, "all, 2026", "inputs/leavers.csv"), Assert.Single(engagement.Inputs));
        Assert.Equal(["prod", "dev", "gcp-org", "some", "trading"], engagement.Targets.Select(t => t.Name));
        Assert.Equal(
            ("enabled", "eu-west-1", "true"),
            (engagement.Targets[0].Setting("regions"), engagement.Targets[1].Setting("regions"), engagement.Targets[4].Setting("in_cluster")));
        Assert.Empty(engagement.Targets[2].Settings["projects"]);
        Assert.Equal("a b", string.Join(' ', engagement.Targets[3].Settings["projects"]));
    }

    [Theory]
    [InlineData("UTC", "2026-01-01", "2026-01-31", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")]
    [InlineData("Europe/Zurich", "2026-01-01", "2026-06-30", "2025-12-31T23:00:00Z", "2026-06-30T22:00:00Z")]
    // Clocks in Cairo go from 24 April 2026 00:00 to 01:00, so that day begins at 01:00 there.
    [InlineData("Africa/Cairo", "2026-04-24", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z")]
    // Clocks in Havana show 1 November 2026 00:00 twice, an hour apart; the day includes both.
    [InlineData("America/Havana", "2026-11-01", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")]
    public void A_period_begins_and_ends_at_midnight_in_its_time_zone(string zone, string start, string end, string startsAt, string endsBefore)
    {
        using var folder = new TemporaryFolder();
        var path = folder.WithFolders(Samples.Engagement.Replace(
            "start: 2026-01-01, end: 2026-09-30, time_zone: UTC", $"start: {start}, end: {end}, time_zone: {zone}", StringComparison.Ordinal));
        var (engagement, faults) = Samples.Load(path);
        Assert.Empty(faults);
        Assert.Equal((startsAt, endsBefore), (Written(engagement!.Period.StartsAt), Written(engagement.Period.EndsBefore)));

        static string Written(DateTimeOffset instant) => instant.ToString("yyyy-MM-ddTHH:mm:ssZ", null);
    }
}
