using System.Collections.Immutable;
using System.Text;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Tests;

namespace AuditCli.Controls.Tests;

/// <summary>Complete documents that tests read unchanged or break in one place.</summary>
internal static class Samples
{
    public const string Folder = "access-to-programs-and-data";

    /// <summary>A control that uses every key except those of <see cref="ControlWithFilters"/>, on the program's source.</summary>
    public const string Control = """
        schema: 1
        id: APD-AWS-002
        version: 1.0.0
        title: Console users sign in with multi-factor authentication
        objective: Every person who can sign in to the AWS console proves identity with a second factor.
        risk: A stolen password gives console access to production.
        domain: access-to-programs-and-data
        nature: { type: preventive, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: true
        owner: Cloud platform
        references: { cobit-2019: [DSS05.04], cis-aws-5.0: ["1.9"], nist-800-53r5: [IA-2(1)] }
        parameters:
          grace_days: { type: integer, default: 0, min: 0, max: 30, why: New joiners get a device on day one. }
          root_name: { type: text, default: <root_account>, one_of: [<root_account>, root], pattern: "[<>_a-z]+", why: That is what the report calls it. }
          since: { type: date, default: 2026-01-01, min: 2020-01-01, max: 2030-12-31, why: The policy began then. }
          ports: { type: text, default: "22,443", list: { of: integer, min: 1, max: 65535, or: [all], empty: false }, why: They are administered by. }
          stores: { type: text, default: "aws,gcp", list: { one_of: [aws, gcp], pattern: "[a-z]+" }, why: People are there. }
        evidence:
          credential_report: { aws: iam:GetCredentialReport }
          users:             { aws: iam:ListUsers, params: { PathPrefix: / } }
          mfa_devices:       { aws: iam:ListMFADevices, for_each: users, with: { UserName: UserName }, allow_errors: { NoSuchEntity: empty } }
          groups:            { gcp: iam:serviceAccounts.list, if_target: true }
          approved:          { file: break-glass-register, optional: true, unmatched: "SELECT a.arn AS row, 'nobody has it' AS why FROM approved a", columns: { arn: { type: text, key: true, personal: false }, approved_by: text, approved_on: date, reason: text, expires: date, kind: { type: text, one_of: [person, machine] } } }
        completeness:
          - name: the report covers every user that existed when it was made
            sql: SELECT count(*) FROM credential_report
            equals: |
              SELECT count(*)
              FROM users
            sources: [the credential report, the list of users]
        tests:
          - id: T1
            title: Console password implies an active MFA device
            sql: |
              SELECT r.arn AS item, r.mfa_active IS TRUE AS pass, 'console password without MFA' AS reason
              FROM credential_report r WHERE r.password_enabled IS TRUE
            attribute: A
            severity: high
            mode: period
            stands_when_incomplete: false
            population:
              unit: console user
              definition: Users with a password.
              boundary: Every account of the engagement, as of the day.
              excluded: [Federated users have no password.]
              precision: One row per user, not per device.
            procedure: Inspected the credential report for each user with a password.
            method: inspection
            assertions: [restricted-access, validity]
        waivers: { from: approved, item: arn, expires: expires, approved_by: approved_by, approved_on: approved_on, reason: reason }
        recommendation: Enforce MFA through the identity provider; disable local passwords.
        status: retired
        replaced_by: APD-AWS-003
        client_control_ref: IT-17
        limitations: [Federated users are not seen here.]
        across: engagement
        sampling: { policy_row: daily }
        human_attributes: [{ id: H1, question: Was the register reviewed? }]
        walkthrough: One sign-in was watched.
        performer: IAM
        systems: [AWS]
        relied_on_by: [the ledger's change control]
        design: { how_it_addresses: A stolen password alone opens nothing., result: effective, by: A. Preparer, on: 2026-09-01, rationale: No path without. }

        """;

    /// <summary>The control with <c>keep</c>, <c>where</c>, and <c>across</c> for parts of it.</summary>
    public static string ControlWithFilters { get; } =
        Control
            .Replace(
                "{ aws: iam:GetCredentialReport }",
                "{ aws: iam:GetCredentialReport, keep: { user: [\"a*\", b], mfa_active: true }, across: engagement }",
                StringComparison.Ordinal)
            .Replace("with: { UserName: UserName }", "with: { UserName: UserName }, where: { \"Tags.team\": [ops, 7] }", StringComparison.Ordinal)
            .Replace("  - name: the report covers", "  - across: engagement\n    name: the report covers", StringComparison.Ordinal);

    /// <summary>Returns the smallest valid control, with parts inserted by tests.</summary>
    public static string Minimal(
        string id = "APD-AWS-001", string evidence = "  users: { aws: iam:ListUsers }\n", string parameters = "", string rest = "") => $$"""
        schema: 1
        id: {{id}}
        version: 1.0.0
        title: t
        objective: o
        risk: r
        domain: access-to-programs-and-data
        nature: { type: preventive, execution: automated }
        frequency: continuous
        kind: design
        mode: point-in-time
        key_control: false
        owner: w
        references: {}
        completeness: { none: The API has no second count. }
        tests: [{ id: T1, title: t, sql: SELECT 1 }]
        recommendation: c
        {{parameters}}
        evidence:

        """ + evidence + rest;

    /// <summary>
    /// An engagement that uses every key, on the program's sources. It needs <c>inputs/leavers.csv</c> and the folders <c>lib</c> and
    /// <c>exchanges</c>.
    /// </summary>
    public const string ShippedEngagement = EngagementWithAws + """
          org:     { aws: { organization: true, role_name: AuditReadOnly, exclude_accounts: ["444455556666"] } }
          google: { gcp: { organization: "123456789012", folder: "1", projects: [a], credentials: c.json, impersonate: audit, quota_project: p } }
          trading: { kubernetes: { context: trading-prod, kubeconfig: config } }
          idp:
            http:
              { url: "https://acme.okta.com", product: okta, auth: bearer, token_env: A, user: u, password_env: B, client_id: c, client_secret_env: D,
                private_key_file: k.pem, assertion_file: token, tenant: t, token_url: "https://acme.okta.com/token", scope: s, ca: ca.pem,
                client_certificate: c.pem, client_key: k.pem, socket: s.sock }

        """ + Replay;

    /// <summary>The engagement with targets of several projects, and a setting that only tests have.</summary>
    public const string Engagement = EngagementWithAws + """
          gcp-org: { gcp: { organization: "123456789012", projects: [] } }
          some:    { gcp: { folder: "1", projects: [a, b] } }
          trading: { kubernetes: { context: trading-prod, kubeconfig: config, in_cluster: true } }

        """ + Replay;

    private const string Replay = "replay: exchanges\n";

    private const string EngagementWithAws = """
        schema: 1
        entity: Acme Exchange
        name: FY2026 interim
        period: { start: 2026-01-01, end: 2026-09-30, time_zone: UTC }
        as_of: 2026-10-01T00:00:00Z
        as_of_tolerance: 24h
        preparer: A. Preparer
        reviewer: R. Reviewer
        library: lib
        controls:
          include: ["APD-AWS-*", INF-K8S-002]
          not_applicable: { OPS-AWS-002: { reason: No backups in scope, approved_by: R. Reviewer, approved_on: 2026-09-01 } }
          parameters: { APD-AWS-004: { max_age_days: { value: 60, by: R. Reviewer, why: Client standard } } }
        inputs:
          hr-leavers: { file: inputs/leavers.csv, obtained_from: HR system export, obtained_on: 2026-09-30, how: auditor watched the export, stated_rows: 57, report_parameters: "all, 2026" }
        targets:
          prod:    { aws: { profile: audit-ro, role_arn: "arn:aws:iam::111122223333:role/Audit", external_id: x, regions: enabled } }
          dev:     { aws: { regions: [eu-west-1] } }

        """;

    public static string WithFolders(this TemporaryFolder folder, string engagement)
    {
        folder.Write("inputs/leavers.csv", "id\n1\n");
        folder.Write("lib/README.md", "");
        folder.Write("exchanges/README.md", "");
        return folder.Write("engagement.yaml", engagement);
    }

    public static LibraryFile File(string id, string yaml) => new($"{Folder}/{id}.yaml", Encoding.UTF8.GetBytes(yaml), $"{id}.yaml");

    public static ControlLibrary Library(params IEnumerable<LibraryFile> files) =>
        ControlLibrary.Load(files, TestSources.All, ImmutableDictionary<string, Digest>.Empty);

    /// <summary>Returns the faults of one control, as <c>line:column: message</c>.</summary>
    public static string[] FaultsOf(string yaml, string id = "APD-AWS-001") =>
        [.. Library(File(id, yaml)).Faults.Select(f => $"{f.Line}:{f.Column}: {f.Message}")];

    /// <summary>Returns the control of a text, which must have no faults.</summary>
    public static LoadedControl Loaded(string yaml, string id = "APD-AWS-001")
    {
        var library = Library(File(id, yaml));
        Assert.Empty(library.Faults);
        return Assert.Single(library.Controls);
    }

    public static (Engagement? Engagement, string[] Faults) Load(string path, string? shownAs = null)
    {
        var (engagement, faults) = EngagementLoader.Load(path, TestSources.All, shownAs: shownAs);
        return (engagement, [.. faults.Select(f => $"{f.Line}:{f.Column}: {f.Message}")]);
    }
}
