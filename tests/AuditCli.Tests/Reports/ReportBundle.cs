using System.Collections.Immutable;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Collectors;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Tests.Reports;

/// <summary>
/// A population item as a test writes it. The item is a JSON string, so that it can be one that this program would never write.
/// </summary>
internal sealed record Item(
    string Json,
    string Verdict,
    string Reason = "console password without MFA",
    string Attributes = """{"user_name":"lukas.berg","devices":0}""")
{
    public static Item Of(string text, string verdict = "deviation") => new(JsonSerializer.Serialize(text), verdict);
}

/// <summary>Builds sealed bundles by hand: a fixed one for approved files, or one with any population.</summary>
internal static class ReportBundle
{
    public const string Id = "example-exchange-20261123t050000z-0123abcd";
    private const string Account = "111122223333";
    private static readonly DateTimeOffset At = new(2026, 11, 23, 4, 42, 0, TimeSpan.Zero);

    private const string ControlFile = """
        schema: 1
        id: APD-AWS-901
        version: 1.2.0
        title: Console users sign in with a second factor
        objective: Every person who can sign in with a password also proves identity with a second factor.
        risk: A stolen password gives access to production.
        domain: access-to-programs-and-data
        nature: { type: preventive, execution: automated }
        frequency: continuous
        kind: operating-effectiveness
        mode: point-in-time
        key_control: true
        owner: Cloud platform
        client_control_ref: ITGC-12
        references: { soc2-tsc: [CC6.1] }
        parameters: { grace_days: { type: integer, default: 0, why: New joiners get a device on day one. } }
        evidence: { users: { aws: iam:ListUsers } }
        completeness:
          - { name: the report covers every user, sql: SELECT count(*) FROM users, equals: SELECT count(*) FROM users }
        tests:
          - { id: T1, attribute: A, severity: high, title: A password implies a device, sql: "SELECT Arn AS item, true AS pass, '<b>none</b>' AS reason FROM users" }
        limitations: [IAM users only.]
        recommendation: Enforce it at the identity provider.
        """;

    public static ImmutableArray<Item> Usual { get; } =
    [
        Item.Of("arn:aws:iam::111122223333:user/elena.marsh", "pass"),
        Item.Of("arn:aws:iam::111122223333:user/lukas.berg"),
        Item.Of("arn:aws:iam::111122223333:user/break-glass-1", "approved"),
        Item.Of("arn:aws:iam::111122223333:user/unread", "undetermined"),
    ];

    /// <summary>Writes and seals the bundle in a folder, and returns its path.</summary>
    public static async Task<string> SealAsync(
        string folder, IEnumerable<Item> items, string id = Id, string itemInTable = "arn:aws:iam::111122223333:user/lukas.berg")
    {
        await using var bundle = BundleWriter.Create(folder, id);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var lines = new StringBuilder();
        await using (var rows = new StreamWriter(bundle.OpenFile("data/results/apd-aws-901.t1.ndjson"), new UTF8Encoding(false)))
        {
            foreach (var item in items)
            {
                counts[item.Verdict] = counts.GetValueOrDefault(item.Verdict) + 1;
                var pass = item.Verdict switch { "pass" => "true", "undetermined" => "null", _ => "false" };
                var exception = item.Verdict is "deviation" or "approved" or "indicated"
                    ? $",\"exception_id\":\"{ExceptionIds.For("APD-AWS-901", "T1", Account, RowJson.Text(JsonElement.Parse(item.Json)))}\""
                    : "";
                var reason = item.Verdict == "pass" ? "" : $",\"reason\":{JsonSerializer.Serialize(item.Reason)}";
                var waiver = item.Verdict == "approved"
                    ? ""","waiver":{"approved_by":"H. Castellanos","approved_on":"2026-01-15","expires":"2027-01-14","reason":"Sealed identity"}"""
                    : "";
                lines.Append(
                    $"{{\"target\":\"prod\",\"account\":\"{Account}\",\"item\":{item.Json},\"pass\":{pass},\"verdict\":\"{item.Verdict}\""
                    + $"{exception}{reason}{waiver},\"attributes\":{item.Attributes}}}\n");
            }
            await rows.WriteAsync(lines.ToString());
        }
        await bundle.WriteFileAsync("data/controls/apd-aws-901.yaml", Encoding.UTF8.GetBytes(ControlFile), CancellationToken.None);
        await bundle.WriteFileAsync("data/engagement.yaml", "schema: 1\n"u8.ToArray(), CancellationToken.None);
        await bundle.WriteFileAsync("data/exchanges/prod/iam-aws-global.warc.gz", "the raw answers"u8.ToArray(), CancellationToken.None);
        await bundle.AppendEvidenceAsync(await EvidenceAsync(bundle, itemInTable), CancellationToken.None);
        await bundle.AppendEvidenceAsync(Failed(), CancellationToken.None);
        var results = await ResultsAsync(bundle, counts, Digest.Of(Encoding.UTF8.GetBytes(lines.ToString())));
        await bundle.WriteFileAsync("data/results/results.json", ResultsJson.Write(results), CancellationToken.None);
        await bundle.WriteFileAsync("data/run.json", Encoding.UTF8.GetBytes(Run(id)), CancellationToken.None);
        return (await bundle.SealAsync(new("auditcli 0.1.0", new DateOnly(2026, 11, 23), null), CancellationToken.None)).Path;
    }

    public static Workpaper Read(string bundle) => WorkpaperReader.Read(OpenedBundle.Open(bundle), [.. CollectorCatalog.All.Select(c => c.Source)]);

    /// <summary>Writes the results of a control by partition, and returns the control with them.</summary>
    public static async Task<ControlResult> WithPartitionsAsync(ControlResult control, BundleWriter bundle, params TestResult[] partitions)
    {
        using var written = new PartitionResultsWriter(control.Id, n => bundle.OpenFile(BundleLayout.ResultsFolder + n), clean: null);
        foreach (var part in partitions)
            await written.WriteAsync(part, CancellationToken.None);
        return control with { Tests = written.Totals, Partitions = written.Written };
    }

    private static async Task<EvaluationResults> ResultsAsync(BundleWriter bundle, Dictionary<string, long> counts, Digest rows)
    {
        long Of(string verdict) => counts.GetValueOrDefault(verdict);
        var all = counts.Values.Sum();
        var conclusion = Of("deviation") > 0 ? Conclusion.Fail
            : Of("undetermined") + Of("indicated") > 0 ? Conclusion.Inconclusive
            : all > 0 ? Conclusion.Pass
            : Conclusion.NoOccurrence;
        var test = new TestResult(
            "T1", new("prod", Account), conclusion, all, Of("deviation"), Of("approved"), Of("undetermined"), Of("indicated"),
            [new("the report covers every user", "4", "4", true)], rows);
        ControlResult Control(string id, Conclusion concluded, string title, ItgcDomain domain) => new(
            id, "1.2.0", Digest.Of(Encoding.UTF8.GetBytes(id)), ControlOrigin.Modified, concluded, title, domain,
            0, 0, 0, 0, 0, [], [], WaiverSummary.None, [], []);
        return new(
            EvaluationResults.CurrentSchema,
            new("duckdb", "v1.5.6", ImmutableSortedDictionary<string, string>.Empty),
            new(At, new(2026, 9, 1, 0, 0, 0, TimeSpan.Zero), new(2026, 11, 16, 0, 0, 0, TimeSpan.Zero), 86400),
            [
                await WithPartitionsAsync(Control(
                    "APD-AWS-901", conclusion, "Console users sign in with a second factor", ItgcDomain.AccessToProgramsAndData) with
                {
                    Sha256 = Digest.Of(Encoding.UTF8.GetBytes(ControlFile)),
                    Origin = ControlOrigin.Local,
                    Population = all,
                    Deviations = Of("deviation"),
                    Approved = Of("approved"),
                    Undetermined = Of("undetermined"),
                    Indicated = Of("indicated"),
                    Waivers = new(
                        [], [new("arn:aws:iam::111122223333:user/old", "H. Castellanos", "2025-02-03", "2026-02-02", "Removed", "expired before as_of")]),
                    Parameters = [new("grace_days", ColumnType.Integer, JsonElement.Parse("7"), "R. Reviewer", "Client standard")],
                }, bundle, test),
                await WithPartitionsAsync(
                    Control("APD-AWS-902", Conclusion.NoOccurrence, "Nothing happened", ItgcDomain.AccessToProgramsAndData), bundle,
                    new TestResult("T1", new("prod", Account), Conclusion.NoOccurrence, 0, 0, 0, 0, 0, [], default)),
                Control("INF-AWS-903", Conclusion.Inconclusive, "Storage is not public", ItgcDomain.InfrastructureSecurity) with
                {
                    Limitations =
                    [
                        new(
                            "buckets", "prod", Account, "eu-west-1", "s3:ListBuckets", CollectionOutcome.Failed,
                            "AccessDenied", "not authorized <script>alert(1)</script>", 2),
                    ],
                },
                Control("OPS-AWS-904", Conclusion.NotApplicable, "Backups are restored", ItgcDomain.ComputerOperations) with
                {
                    NotApplicable = new("No backups in scope", "R. Reviewer", new(2026, 9, 1)),
                },
            ],
            [new("APD-K8S-001", "the engagement has no target of kubernetes")]);
    }

    private static async Task<EvidenceItem> EvidenceAsync(BundleWriter bundle, string named)
    {
        var row = Encoding.UTF8.GetBytes(
            $"{{\"_target\":\"prod\",\"_account\":\"{Account}\",\"_region\":\"aws-global\","
            + $"\"_ref\":\"urn:uuid:35d96ad9-b2f9-8040-af7b-a90fa29782d0#/Users/0\",\"Arn\":{JsonSerializer.Serialize(named)}}}\n");
        await using (var file = bundle.OpenFile(BundleLayout.Table("aws-iam-listusers-0123456789ab")))
        await using (var gzip = new GZipStream(file, CompressionLevel.Optimal))
            await gzip.WriteAsync(row);
        return Evidence("aws-iam-listusers-0123456789ab", [new("APD-AWS-901", "users")], "iam:ListUsers", CollectionOutcome.Complete) with
        {
            Items = 1,
            Table = BundleLayout.Table("aws-iam-listusers-0123456789ab"),
            TableSha256 = Digest.Of(row),
            Columns =
            [
                new("_target", ColumnType.Text), new("_account", ColumnType.Text), new("_region", ColumnType.Text),
                new("_ref", ColumnType.Text), new("Arn", ColumnType.Text),
            ],
            Exchanges = [new("data/exchanges/prod/iam-aws-global.warc.gz", "urn:uuid:35d96ad9-b2f9-8040-af7b-a90fa29782d0", "request-1", 200, At)],
        };
    }

    private static EvidenceItem Failed() => Evidence(
        "aws-s3-listbuckets-0123456789ab", [new("INF-AWS-903", "buckets")], "s3:ListBuckets", CollectionOutcome.Failed) with
    {
        Code = "AccessDenied",
        Message = "not authorized",
        Failures = [new("AccessDenied", "not authorized", 2)],
    };

    private static EvidenceItem Evidence(string id, ImmutableArray<EvidenceName> names, string operation, CollectionOutcome outcome) => new()
    {
        EvidenceId = id,
        Names = names,
        Target = "prod",
        Account = Account,
        Region = "aws-global",
        Source = "aws",
        Operation = operation,
        Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty,
        Outcome = outcome,
        Pages = 1,
        Items = 0,
        Columns = [],
        Exchanges = [],
        Identity = "arn:aws:sts::111122223333:assumed-role/AuditReadOnly/auditcli",
        Started = At,
        Finished = At.AddSeconds(1),
    };

    private static string Run(string id) => $$"""
        {"schema":1,"bundle_id":"{{id}}","mode":"replay","tool":{"name":"auditcli","version":"0.1.0","runtime":".NET 10","system":"linux-x64"},
        "run_by":{"user":"auditor","machine":"laptop"},"entity":"Example Exchange","name":"FY2026 interim","preparer":"A. Preparer","reviewer":"R. Reviewer",
        "engagement_sha256":"{{Digest.Of("schema: 1\n"u8)}}","period":{"start":"2026-09-01","end":"2026-11-15","time_zone":"UTC"},
        "as_of":"2026-11-23T04:42:00Z","started":"2026-11-23T05:00:00.5Z","finished":"2026-11-23T05:01:00Z",
        "recorded":{"first":"2026-11-23T04:41:56.1Z","last":"2026-11-23T04:42:00Z"},
        "targets":[{"name":"prod","source":"aws","settings":{"regions":["eu-west-1"],"exclude_accounts":["999900001111"]},
        "account":"111122223333","identity":"arn:aws:sts::111122223333:assumed-role/AuditReadOnly/auditcli",
        "regions":["eu-west-1"],"read_through":null,"failure":null,"exchanges":[]},
        {"name":"dev","source":"aws","settings":{},"account":null,"identity":null,"regions":null,"read_through":null,
        "failure":{"code":"AccessDenied","message":"the role was refused"},"exchanges":[]}],
        "unusual_endpoints":["http://127.0.0.1:5000","https://10.0.0.1:6443 (certificate not checked)"],
        "inputs":[{"name":"hr-leavers","obtained_from":"HR system export","obtained_on":"2026-09-30","how":"auditor watched",
        "stated_rows":57,"report_parameters":"all, 2026"}],
        "clock_offset_seconds":{"iam.amazonaws.com":0.25},"limits":{"requests_at_once":16,"requests_at_once_per_service":8},
        "secrets_allowed":["data/inputs/hr-leavers/leavers.csv","data/reports/results.csv"],
        "unused_recordings":[{"file":"prod/iam-aws-global.warc.gz","count":3}]}
        """.ReplaceLineEndings("");
}
