using System.Collections.Immutable;
using System.Text;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests.Loading;

public sealed class ControlLoadingTests
{
    [Theory]
    [InlineData("titel: x\n", "21:1: unknown key 'titel'")]
    [InlineData("recomendation: x\n", "21:1: unknown key 'recomendation'")]
    [InlineData("limitation: [x]\n", "21:1: unknown key 'limitation'; did you mean 'limitations'?")]
    [InlineData("owner: x\n", "21:1: the key 'owner' is repeated here; the first is on line 13")]
    [InlineData("limitations: x\n", "21:14: 'limitations' must be a list, but is text")]
    [InlineData("limitations: [x, {}]\n", "21:18: an item of 'limitations' must be text, but is a map")]
    [InlineData("walkthrough: ' '\n", "21:14: 'walkthrough' is empty")]
    [InlineData("walkthrough:\n", "21:13: 'walkthrough' is empty")]
    [InlineData("across: targets\n", "21:9: 'across' must be one of engagement, but is 'targets'")]
    [InlineData("status: retird\n", "21:9: 'status' must be one of active, retired, but is 'retird'; did you mean 'retired'?")]
    [InlineData("replaced_by: apd-1\n", "21:14: 'replaced_by' must be an id such as APD-AWS-002 (<DOMAIN>-<SOURCE>-<NNN>), but is 'apd-1'")]
    [InlineData("replaced_by: APD-AWS-007\n", "21:14: 'replaced_by' is only for a retired control; add 'status: retired'")]
    [InlineData("status: retired\nreplaced_by: APD-AWS-001\n", "22:14: a control cannot replace itself")]
    [InlineData("human_attributes: [{ id: H1, question: q }, { id: h1, question: q }]\n", "21:51: the id 'h1' is taken by 'H1' above")]
    [InlineData(
        "waivers: { from: users, item: a, expires: b, approved_by: c, approved_on: d, reason: e }\n",
        "21:18: waivers must come from a supplied file, but evidence 'users' is read from aws")]
    [InlineData(
        "waivers: { from: user, item: a, expires: b, approved_by: c, approved_on: d, reason: e }\n",
        "21:18: there is no evidence 'user'; did you mean 'users'?")]
    public void A_fault_among_the_keys_is_named_with_its_place(string rest, string fault) =>
        Assert.Equal(fault.Split('|'), Samples.FaultsOf(Samples.Minimal(rest: rest)));

    [Fact]
    public void A_parameter_in_a_title_would_be_printed_as_its_name()
    {
        var yaml = Samples.Control.Replace(
            "title: Console password implies an active MFA device", "title: A device within $grace_days days", StringComparison.Ordinal);
        Assert.NotEqual(Samples.Control, yaml);
        Assert.Contains(
            "a title is printed literally, including '$grace_days'; put the meaning of the parameter into words",
            Assert.Single(Samples.FaultsOf(yaml, "APD-AWS-002")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("access key", "access key")]
    [InlineData("S3 bucket", "S3 bucket")]
    [InlineData("leaver-platform pair", "leaver-platform pair")]
    [InlineData("access  key", null)]
    [InlineData("keys (all)", null)]
    [InlineData("region 1", null)]
    [InlineData("a noun that is so long that no column of any report has room", null)]
    public void The_unit_of_a_population_is_a_noun(string unit, string? loaded)
    {
        var yaml = Samples.Control.Replace("      unit: console user", $"      unit: \"{unit}\"", StringComparison.Ordinal)
            .Replace("replaced_by: APD-AWS-003\n", "", StringComparison.Ordinal);
        Assert.NotEqual(Samples.Control, yaml);
        var faults = Samples.FaultsOf(yaml, "APD-AWS-002");
        if (loaded is null)
            Assert.Contains(" 'unit' must be a noun in the singular such as 'access key' ", Assert.Single(faults), StringComparison.Ordinal);
        else
            Assert.Equal(loaded, Samples.Loaded(yaml, "APD-AWS-002").Control.Tests[0].Unit);
    }

    [Fact]
    public void An_approval_whose_item_is_personal_would_match_nothing()
    {
        var yaml = Samples.Control.Replace("personal: false", "personal: true", StringComparison.Ordinal);
        Assert.Contains(
            "column 'arn' of 'approved' is personal, so that no item would match its digests",
            Assert.Single(Samples.FaultsOf(yaml, "APD-AWS-002")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("  u: { aws: iam:ListUser }", "20:13: 'iam:ListUser' is not in the read-only catalogue of aws; did you mean iam:ListUsers?")]
    [InlineData("  u: { aws: s3:Nothing }", "20:13: 's3:Nothing' is not in the read-only catalogue of aws")]
    [InlineData("  u: { azure: x }", "20:6: evidence 'u' must say where it comes from: one of aws, gcp, kubernetes, file|20:8: unknown key 'azure'")]
    [InlineData("  u: { aws: iam:ListUsers, gcp: x }", "20:28: evidence 'u' comes from one source, but names aws and gcp")]
    [InlineData("  u: { aws: iam:ListUsers, optinal: true }", "20:28: unknown key 'optinal'")]
    [InlineData("  u: { aws: iam:ListUsers, if_traget: true }", "20:28: unknown key 'if_traget'; did you mean 'if_target'?")]
    [InlineData("  u: { aws: iam:ListUsers, optional: true }", "20:28: unknown key 'optional'")]
    [InlineData("  u: { file: f, if_target: true, columns: { a: text } }", "20:17: unknown key 'if_target'")]
    [InlineData("  u: { file: f }", "20:6: the key 'columns' is missing")]
    [InlineData(
        "  u: { file: f, columns: { a: json } }",
        "20:31: the type of column 'a' must be one of text, integer, whole, decimal, decimal(18), boolean, date, timestamp, but is 'json'")]
    [InlineData(
        "  u: { file: f, columns: { a: decimal(39) } }",
        "20:31: the type of column 'a' is 'decimal(39)', but a decimal has 38 digits in all, from 0 to 38 of them after the point: "
            + "write decimal(18), or 'whole' for a whole number of more digits")]
    [InlineData(
        "  u: { file: f, columns: { a: decimal18 } }",
        "20:31: the type of column 'a' must be one of text, integer, whole, decimal, decimal(18), boolean, date, timestamp, but is 'decimal18'; "
            + "did you mean 'decimal'?")]
    [InlineData(
        "  u: { file: f, columns: { a: { type: wohle } } }",
        "20:39: 'type' must be one of text, integer, whole, decimal, decimal(18), boolean, date, timestamp, but is 'wohle'; did you mean 'whole'?")]
    [InlineData("  u: { file: f, columns: { a: { type: decimal(2), key: true } } }", "20:56: only a text column can be a key, but column 'a' is decimal(2)")]
    [InlineData("  u: { file: f, columns: { a: { type: whole, one_of: [x] } } }", "20:54: 'one_of' is only for text, but column 'a' is whole")]
    [InlineData(
        "  u: { file: f, columns: { a: { type: date, personal: true } } }", "20:55: only a text column can be personal, but column 'a' is date")]
    [InlineData(
        "  u: { file: f, columns: { a: { type: text, one_of: [x], personal: true } } }",
        "20:68: column 'a' has one of a few words, which no digest hides; leave out 'one_of' or 'personal'")]
    [InlineData("  u: { file: f, columns: { a: { type: text, personl: true } } }", "20:45: unknown key 'personl'; did you mean 'personal'?")]
    [InlineData(
        "  period_days: { aws: iam:ListUsers }",
        "20:3: evidence 'period_days': every control has a table of this name already; give the evidence another one")]
    [InlineData("  u: { file: f, columns: { a: { type: integer, one_of: [x] } } }", "20:56: 'one_of' is only for text, but column 'a' is integer")]
    [InlineData(
        "  u: { file: f, columns: { a: { type: text, one_of: [aws, AWS] } } }",
        "20:53: 'aws' is in 'one_of' twice; case is ignored, because files may write the words in any case")]
    [InlineData("  u: { file: f, columns: { a: { type: date, key: true } } }", "20:50: only a text column can be a key, but column 'a' is date")]
    [InlineData("  u: { file: f, columns: { a: { one_of: [x] } } }", "20:31: the key 'type' is missing")]
    [InlineData("  u: { file: f, columns: { a: { type: text, oneof: [x] } } }", "20:45: unknown key 'oneof'; did you mean 'one_of'?")]
    [InlineData("  u: { file: f, columns: { Id: text, ID: text } }", "20:38: the columns 'Id' and 'ID' differ only in case, which SQL ignores")]
    [InlineData(
        "  u: { file: f, columns: { _id: text } }",
        "20:28: in 'columns', '_id' is not a column name, at most 128 characters, not beginning with '_' or a blank; or _key")]
    [InlineData(
        "  U: { aws: iam:ListUsers }",
        "20:3: in 'evidence', 'U' is not a name of lower-case letters, digits, '-' and '_', at most 63, not beginning with '-' or '_'")]
    [InlineData("  u__calls: { aws: iam:ListUsers }", "20:3: evidence 'u__calls': '__calls' is reserved for the companion tables of for_each")]
    [InlineData("  u: { aws: iam:ListUsers, params: { Path: / } }", "20:38: iam:ListUsers has no parameter 'Path'")]
    [InlineData("  u: { aws: iam:ListUsers, params: { PathPrefx: / } }", "20:38: iam:ListUsers has no parameter 'PathPrefx'; did you mean 'PathPrefix'?")]
    [InlineData("  u: { aws: iam:GetCredentialReport, params: { a: / } }", "20:48: iam:GetCredentialReport has no parameter 'a'; it takes none")]
    [InlineData(
        "  u: { aws: iam:ListUsers, params: { MaxItems: '5' } }",
        "20:48: parameter 'MaxItems' must be an integer such as 90, without quotes, but is the text '5'")]
    [InlineData(
        "  u: { aws: ec2:DescribeSecurityGroups, params: { DryRun: yes } }",
        "20:59: parameter 'DryRun' must be true or false, without quotes, but is 'yes'")]
    [InlineData(
        "  e: { aws: cloudtrail:LookupEvents, params: { StartTime: 'before {period_start}' } }",
        "20:59: parameter 'StartTime' must be a time with its zone such as "
            + "2026-10-01T00:00:00Z or 2026-10-01T02:00:00+02:00, but is the text 'before {period_start}'")]
    [InlineData(
        "  e: { aws: cloudtrail:LookupEvents, params: { StartTime: '{period_start}{period_end}' } }",
        "20:59: parameter 'StartTime' must be a time with its zone such as "
            + "2026-10-01T00:00:00Z or 2026-10-01T02:00:00+02:00, but is the text '{period_start}{period_end}'")]
    [InlineData("  u: { aws: iam:ListUsers, params: { PathPrefix: '!' } }", "20:50: parameter 'PathPrefix' is '!', and must be a path")]
    [InlineData(
        "  u: { aws: iam:ListUsers, params: { PathPrefix: 'x{period_strat}' } }",
        "20:50: parameter 'PathPrefix': {period_strat} is not a placeholder; "
            + "did you mean '{period_start}'?; the placeholders are {period_start}, {period_end}, {as_of}")]
    [InlineData(
        "  g: { aws: ec2:DescribeSecurityGroups, params: { Filters: [{ Name: a, Values: ['{period}'] }] } }",
        "20:81: parameter 'Filters': {period} is not a placeholder; the placeholders are {period_start}, {period_end}, {as_of}")]
    [InlineData(
        "  u: { aws: iam:ListUsers, params: { MaxItems: '{as_of}' } }",
        "20:48: parameter 'MaxItems' must be an integer such as 90, without quotes, but is the text '{as_of}'")]
    [InlineData("  u: { aws: iam:ListUsers, allow_errors: { NoSuchEntity: none } }", "20:58: what 'NoSuchEntity' means must be one of empty, but is 'none'")]
    [InlineData(
        "  u: { aws: iam:ListUsers, allow_errors: { AccessDenied: empty } }",
        "20:44: 'AccessDenied' does not mean 'there is none', so it cannot count as an empty result; "
            + "for aws, only the codes for something that was not found do")]
    [InlineData(
        "  u: { aws: iam:ListUsers, allow_errors: { Throttling: empty } }",
        "20:44: 'Throttling' does not mean 'there is none', so it cannot count as an empty result; "
            + "for aws, only the codes for something that was not found do")]
    [InlineData(
        "  u: { aws: iam:ListUsers, allow_errors: { ConnectionFailed: empty } }",
        "20:44: 'ConnectionFailed' does not mean 'there is none', so it cannot count as an empty result; "
            + "for aws, only the codes for something that was not found do")]
    [InlineData(
        "  u: { aws: iam:ListUsers, allow_errors: { ExpiredToken: empty } }",
        "20:44: 'ExpiredToken' does not mean 'there is none', so it cannot count as an empty result; "
            + "for aws, only the codes for something that was not found do")]
    [InlineData(
        "  u: { aws: iam:ListUsers, allow_errors: { NoSuchEntity: empty, MalformedResponse: empty } }",
        "20:65: 'MalformedResponse' does not mean 'there is none', so it cannot count as an empty result; "
            + "for aws, only the codes for something that was not found do")]
    [InlineData(
        "  m: { aws: iam:ListMFADevices }",
        "20:13: iam:ListMFADevices needs the parameter 'UserName': give it in 'params', or in 'with' from a column of the evidence that 'for_each' names")]
    [InlineData(
        "  m: { aws: iam:ListMFADevices, with: { UserName: UserName } }",
        "20:39: 'with' passes on columns of the table that 'for_each' names, but there is no 'for_each'")]
    [InlineData("  m: { aws: iam:ListMFADevices, for_each: nobody, with: { UserName: UserName } }", "20:43: there is no evidence 'nobody'")]
    [InlineData(
        "  g: { aws: ec2:DescribeSecurityGroups }\n  h: { aws: ec2:DescribeSecurityGroups, for_each: g, with: { DryRun: Priority } }",
        "21:70: column 'Priority' of 'g' (ec2:DescribeSecurityGroups) is integer, which the parameter 'DryRun' of ec2:DescribeSecurityGroups (boolean) "
        + "does not take")]
    [InlineData(
        "  u: { aws: iam:ListUsers }\n  m: { aws: iam:ListMFADevices, for_each: u, with: { UserName: UserNam } }",
        "21:64: 'u' (iam:ListUsers) has no column 'UserNam'; did you mean 'UserName'?")]
    [InlineData(
        "  u: { aws: iam:ListUsers }\n  m: { aws: iam:ListMFADevices, for_each: u, with: { User: UserName, UserName: UserName } }",
        "21:54: iam:ListMFADevices has no parameter 'User'")]
    [InlineData(
        "  u: { aws: iam:ListUsers }\n  m: { aws: iam:ListMFADevices, for_each: u, with: { UserName: UserName }, params: { UserName: x } }",
        "21:54: the parameter 'UserName' is given in both 'params' and 'with'")]
    [InlineData(
        "  u: { aws: iam:ListUsers }\n  m: { aws: iam:ListMFADevices, for_each: u, params: { UserName: x } }",
        "21:43: 'for_each' without 'with' would repeat the same request; state in 'with' which parameter takes which column")]
    [InlineData(
        "  g: { gcp: iam:serviceAccounts.list }\n  m: { aws: iam:ListMFADevices, for_each: g, with: { UserName: email } }",
        "21:43: 'm' is read from aws and cannot be called for each row of 'g', which is from gcp")]
    [InlineData(
        "  g: { aws: ec2:DescribeSecurityGroups }\n  m: { aws: iam:ListMFADevices, for_each: g, with: { UserName: GroupId } }",
        "21:43: iam:ListMFADevices is global but ec2:DescribeSecurityGroups is regional; for_each stays in the parent row's region")]
    [InlineData(
        "  m: { aws: iam:ListMFADevices, for_each: n, with: { UserName: SerialNumber } }\n"
            + "  n: { aws: iam:ListMFADevices, for_each: m, with: { UserName: SerialNumber } }",
        "20:43: for_each forms a cycle: m -> n -> m")]
    public void A_fault_in_the_evidence_is_named_with_its_place(string evidence, string faults) =>
        Assert.Equal(faults.Split('|'), Samples.FaultsOf(Samples.Minimal(evidence: evidence + "\n")));

    [Theory]
    [InlineData("as_of: { type: integer, default: 1, why: w }", "18:15: $as_of is predefined; give the parameter another name")]
    [InlineData("n: { type: integer, default: '1', why: w }", "18:44: 'default' must be an integer such as 90, without quotes, but is the text '1'")]
    [InlineData("n: { type: text, default: \"a\\0b\", why: w }", "18:41: the character U+0000 is not allowed, nor its escape")]
    [InlineData("n: { type: date, default: 2026-02-30, why: w }", "18:41: 'default' must be a date such as 2026-09-30, but is '2026-02-30'")]
    [InlineData("n: { type: number, default: 1, why: w }", "18:26: 'type' must be one of text, integer, whole, "
        + "decimal, decimal(18), boolean, date, timestamp, but is 'number'")]
    [InlineData("n: { type: text, default: [a], why: w }", "18:41: 'default' must be one value, but is a list")]
    [InlineData("N: { type: text, default: a, why: w }", "18:15: in 'parameters', 'N' is not a name such as grace_days (lower-case letters, digits and '_')")]
    public void A_fault_in_a_parameter_is_named_with_its_place(string parameter, string fault) =>
        Assert.Equal([fault], Samples.FaultsOf(Samples.Minimal(parameters: "parameters: { " + parameter + " }")));

    [Theory]
    [InlineData("schema: 2", "1:9: schema 2 is newer than this auditcli understands (1); use a newer auditcli")]
    [InlineData("schema: 0", "1:9: schema 0 does not exist; the schema is 1")]
    [InlineData("schema: '1'", "1:9: 'schema' must be the number 1")]
    public void Another_schema_is_refused_clearly(string schema, string fault) =>
        Assert.Equal([fault], Samples.FaultsOf(Samples.Minimal().Replace("schema: 1", schema, StringComparison.Ordinal)));

    [Fact]
    public void Several_faults_are_reported_together_in_the_order_of_the_file()
    {
        var broken = Samples.Minimal()
            .Replace("version: 1.0.0", "version: 1.0", StringComparison.Ordinal)
            .Replace("title: t\n", "", StringComparison.Ordinal)
            .Replace("execution: automated", "execution: automatic", StringComparison.Ordinal)
            .Replace("key_control: false", "key_control: no", StringComparison.Ordinal)
            .Replace(
                "tests: [{ id: T1, title: t, sql: SELECT 1 }]",
                "tests: [{ id: T1, title: t, sql: SELECT 1 }, { id: t1, titel: t, sql: SELECT 1 }, { id: Partitions, title: t, sql: SELECT 1 }]",
                StringComparison.Ordinal);
        Assert.Equal(
            [
                "1:1: the key 'title' is missing",
                "3:10: 'version' must be a semantic version such as 1.0.0, but is '1.0'",
                "7:40: 'execution' must be one of automated, manual, hybrid, but is 'automatic'; did you mean 'automated'?",
                "11:14: 'key_control' must be true or false, but is 'no'",
                "15:46: the key 'title' is missing",
                "15:52: the id 't1' is taken by 'T1' above",
                "15:56: unknown key 'titel'; did you mean 'title'?",
                "15:89: 'Partitions' names a file of every bundle, so that no test can have it; use another id, such as T1",
            ],
            Samples.FaultsOf(broken));
    }

    [Fact]
    public void A_control_stands_where_its_domain_and_id_say()
    {
        var yaml = Encoding.UTF8.GetBytes(Samples.Minimal());
        Assert.Equal(
            [
                "README.txt:1:1: a library holds <domain>/<id>.yaml and <id>.fixtures.yaml; this is neither",
                "acess/APD-AWS-001.yaml:1:1: 'acess' is not a domain; "
                    + "the domains are access-to-programs-and-data, program-change-management, program-development, computer-operations, "
                    + "infrastructure-security, logging-and-monitoring, data-integrity, ai-platform, crypto-custody",
                "data-integrity/APD-AWS-001.yaml:7:9: the domain is 'access-to-programs-and-data', but the file is in the folder 'data-integrity'",
                "data-integrity/X.fixtures.yaml:1:1: the control of these fixtures is missing; put its <id>.yaml in the same folder",
                "access-to-programs-and-data/apd-aws-001.yaml:2:5: the id is 'APD-AWS-001', so the file must be called APD-AWS-001.yaml, not apd-aws-001.yaml",
            ],
            Samples.Library(
                new("README.txt", yaml), new("packs/quick.yaml", yaml), new("control.schema.json", yaml), new("ai-platform/README.md", yaml),
                new("acess/APD-AWS-001.yaml", yaml), new("data-integrity/APD-AWS-001.yaml", yaml), new("data-integrity/X.fixtures.yaml", yaml),
                new("access-to-programs-and-data/apd-aws-001.yaml", yaml))
            .Faults.Select(f => f.ToString())
            .OrderBy(f => f.StartsWith("access", StringComparison.Ordinal)).ThenBy(f => f, StringComparer.Ordinal));
    }

    [Fact]
    public void Across_the_engagement_is_said_once_and_of_checks_only_where_the_control_says_it()
    {
        const string Check = "completeness: [{ name: n, sql: SELECT 1, equals: SELECT 1, across: engagement }]\n";
        var alone = Samples.Minimal(evidence: "  users: { aws: iam:ListUsers, across: engagement }\n");
        Assert.Empty(Samples.FaultsOf(alone));
        Assert.True(Samples.Library(Samples.File("APD-AWS-001", alone)).Controls.Single().Control.Evidence[0].AcrossEngagement);
        Assert.Contains("remove it here", Assert.Single(Samples.FaultsOf(alone + "across: engagement\n")), StringComparison.Ordinal);
        var check = Samples.Minimal().Replace("completeness: { none: The API has no second count. }\n", Check, StringComparison.Ordinal);
        Assert.Contains("one account at a time", Assert.Single(Samples.FaultsOf(check)), StringComparison.Ordinal);
        Assert.Empty(Samples.FaultsOf(check + "across: engagement\n"));
    }

    [Fact]
    public void A_replacement_must_exist()
    {
        var faults = Samples.Library(Samples.File("APD-AWS-002", Samples.Control)).Faults;
        Assert.Equal("APD-AWS-002.yaml:56:14: there is no control 'APD-AWS-003'", Assert.Single(faults).ToString());
    }

    [Fact]
    public void Every_key_is_read()
    {
        var successor = Samples.Minimal("APD-AWS-003");
        var library = Samples.Library(Samples.File("APD-AWS-003", successor), Samples.File("APD-AWS-002", Samples.Control));
        Assert.Empty(library.Faults);
        Assert.Equal(["APD-AWS-002", "APD-AWS-003"], library.Controls.Select(c => c.Control.Id));
        var control = library.Controls[0].Control;
        Assert.Equal(
            (ItgcDomain.AccessToProgramsAndData, "preventive", "automated", "continuous"),
            (control.Domain, control.NatureType, control.NatureExecution, control.Frequency));
        Assert.Equal((ControlKind.OperatingEffectiveness, ControlMode.PointInTime, true), (control.Kind, control.Mode, control.KeyControl));
        Assert.Equal("1.9", Assert.Single(control.References["cis-aws-5.0"]));
        Assert.Equal(["0", "\"<root_account>\"", "\"2026-01-01\"", "\"22,443\"", "\"aws,gcp\""], control.Parameters.Select(p => p.Default.GetRawText()));
        Assert.Equal(["credential_report", "users", "mfa_devices", "groups", "approved"], control.Evidence.Select(e => e.Name));
        Assert.Equal("\"/\"", control.Evidence[1].Params["PathPrefix"].GetRawText());
        Assert.Equal(
            ("users", "UserName", "NoSuchEntity"),
            (control.Evidence[2].ForEach, control.Evidence[2].With["UserName"], Assert.Single(control.Evidence[2].AllowErrors)));
        Assert.Equal((true, false), (control.Evidence[3].IfTarget, control.Evidence[3].Optional));
        Assert.Equal(new Column("expires", ColumnType.Date), control.Evidence[4].Columns[4]);
        Assert.Equal(new WaiverRule("approved", "arn", "expires", "approved_by", "approved_on", "reason"), control.Waivers);
        Assert.Equal(
            ("retired", "APD-AWS-003", "IT-17", "daily", true),
            (control.Status, control.ReplacedBy, control.ClientControlRef, control.SamplingPolicyRow, control.AcrossEngagement));
        Assert.Equal(new HumanQuestion("H1", "Was the register reviewed?"), Assert.Single(control.HumanAttributes));
    }

    [Fact]
    public void A_fault_inside_SQL_can_be_shown_in_the_file()
    {
        var loaded = Samples.Library(Samples.File("APD-AWS-002", Samples.Control)).Controls[0];
        Assert.Equal("APD-AWS-002.yaml:16:23: x", loaded.FaultIn("parameters.grace_days", 1, 1, "x").ToString());
        Assert.Equal("APD-AWS-002.yaml:39:12: no such table", loaded.FaultIn("tests[T1].sql", 2, 6, "no such table").ToString());
        Assert.Equal("APD-AWS-002.yaml:29:10: x", loaded.FaultIn("completeness[0].sql", 1, 1, "x").ToString());
        Assert.Equal("APD-AWS-002.yaml:32:7: x", loaded.FaultIn("completeness[0].equals", 2, 1, "x").ToString());
        Assert.Equal("APD-AWS-002.yaml:26:80: x", loaded.FaultIn("evidence.approved.unmatched", 1, 1, "x").ToString());
    }

    [Fact]
    public void The_origin_is_told_by_the_digest()
    {
        var file = Samples.File("APD-AWS-001", Samples.Minimal());
        Assert.Equal(ControlOrigin.Local, Origin(ImmutableDictionary<string, Digest>.Empty));
        Assert.Equal(ControlOrigin.Modified, Origin(ImmutableDictionary<string, Digest>.Empty.Add("APD-AWS-001", Digest.Of([]))));
        Assert.Equal(ControlOrigin.Shipped, Origin(ImmutableDictionary<string, Digest>.Empty.Add("APD-AWS-001", Digest.Of(file.Content.Span))));

        ControlOrigin Origin(ImmutableDictionary<string, Digest> shipped) =>
            ControlLibrary.Load([file], TestSources.All, shipped).Controls.Single().Origin;
    }

    [Fact]
    public void A_folder_is_read_without_following_links()
    {
        using var folder = new TemporaryFolder();
        var shipped = ImmutableDictionary<string, Digest>.Empty;
        Assert.EndsWith(
            "there is no such folder of controls",
            Assert.Single(ControlLibrary.Load(folder.Path + "/none", TestSources.All, shipped).Faults).Message,
            StringComparison.Ordinal);
        var path = folder.Write($"lib/{Samples.Folder}/APD-AWS-001.yaml", Samples.Minimal());
        folder.Write($"lib/{Samples.Folder}/APD-AWS-001.fixtures.yaml", "cases: []");
        folder.Write("lib/README.md", "");
        folder.Write("lib/packs/quick.yaml", "x");
        var library = ControlLibrary.Load(folder.Path + "/lib", TestSources.All, shipped);
        Assert.Empty(library.Faults);
        Assert.Equal("cases: []", Encoding.UTF8.GetString(library.Controls.Single().Fixtures!.Content.Span));

        File.CreateSymbolicLink($"{folder.Path}/lib/{Samples.Folder}/APD-AWS-009.yaml", path);
        Assert.Equal("links are not followed in a library of controls; put the file itself here",
            Assert.Single(ControlLibrary.Load(folder.Path + "/lib", TestSources.All, shipped).Faults).Message);

        File.Delete($"{folder.Path}/lib/{Samples.Folder}/APD-AWS-009.yaml");
        PosixFiles.MakePipe($"{folder.Path}/lib/{Samples.Folder}/APD-AWS-009.yaml");
        Assert.StartsWith("it is a pipe, socket or device, not a regular file",
            Assert.Single(ControlLibrary.Load(folder.Path + "/lib", TestSources.All, shipped).Faults).Message, StringComparison.Ordinal);
    }
}
