using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Controls.Tests.Evaluation;

/// <summary>Controls and evidence small enough to read in a test.</summary>
internal static class Some
{
    public static readonly DateTimeOffset AsOf = new(2026, 10, 1, 0, 0, 0, TimeSpan.Zero);

    public static readonly AuditMoment Moment = new(AsOf, new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), AsOf, TimeSpan.FromHours(24));

    public const string MfaSql = "SELECT u.name AS item, u.mfa AS pass, 'no MFA' AS reason FROM users u";

    public static readonly ImmutableArray<Column> UserColumns =
        [new("name", ColumnType.Text), new("mfa", ColumnType.Boolean), new("age", ColumnType.Integer), new("tags", ColumnType.Json)];

    public static EvidenceNeed Users { get; } = Need("users", UserColumns);

    public static EvidenceNeed Devices { get; } = Need("devices", [new("serial", ColumnType.Text)]) with
    {
        ForEach = "users",
        With = ImmutableSortedDictionary<string, string>.Empty.Add("UserName", "name"),
    };

    public static EvidenceNeed Approvals { get; } = Need("approvals",
    [
        new("arn", ColumnType.Text), new("approved_by", ColumnType.Text), new("approved_on", ColumnType.Date),
        new("reason", ColumnType.Text), new("expires", ColumnType.Date),
    ]) with
    { Source = EvidenceNeed.FileSource, Optional = true };

    public static WaiverRule Waivers { get; } = new("approvals", "arn", "expires", "approved_by", "approved_on", "reason");

    public static EvidenceNeed Need(string name, ImmutableArray<Column> columns) => new(
        name, "aws", "iam:List" + name, ImmutableSortedDictionary<string, JsonElement>.Empty, null, ImmutableSortedDictionary<string, string>.Empty,
        [], false, false, null, columns);

    public static TestProcedure Test(string sql, string id = "T1", bool stands = false) => new(id, "a test", sql, null, null, stands);

    public static Control Control(params TestProcedure[] tests) => new()
    {
        Id = "APD-AWS-002",
        Version = "1.0.0",
        Title = "Console users use MFA",
        Objective = "o",
        Risk = "r",
        Domain = ItgcDomain.AccessToProgramsAndData,
        NatureType = "preventive",
        NatureExecution = "automated",
        Frequency = "continuous",
        Kind = ControlKind.OperatingEffectiveness,
        Mode = ControlMode.PointInTime,
        KeyControl = true,
        Owner = "w",
        References = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty,
        Parameters = [],
        Evidence = [Users],
        Completeness = [],
        NoCompleteness = "a test",
        Tests = tests.Length == 0 ? [Test(MfaSql)] : [.. tests],
        Recommendation = "c",
        Status = "active",
        File = "c.yaml",
        Source = "id: APD-AWS-002"u8.ToArray(),
    };

    public static EvidenceTable Table(EvidenceNeed need, params string[] rows) => new(
        [.. need.AddedColumns, .. need.Columns], true, [], null, null, TableRows.Of(rows));

    public static EvidenceTable Denied(EvidenceNeed need, params string[] rows) => Table(need, rows) with
    {
        Complete = false,
        Limitations = [new(need.Name, "prod", "111", "aws-global", need.Operation, CollectionOutcome.Failed, "AccessDenied", "not authorized", 1)],
    };

    public static Partition Partition(string account, params (string Name, EvidenceTable Table)[] tables) =>
        new(account, account, tables.ToImmutableSortedDictionary(t => t.Name, t => t.Table, StringComparer.Ordinal));

    public static Partition With(params string[] users) => Partition("prod", ("users", Table(Users, users)));

    public static string Approval(
        string item, string expires = "2026-12-31", string on = "2026-09-01", string by = "R. Reviewer", string reason = "break glass") =>
        JsonSerializer.Serialize(
            new Dictionary<string, string> { ["arn"] = item, ["approved_by"] = by, ["approved_on"] = on, ["reason"] = reason, ["expires"] = expires });

    public static async Task<Outcome> EvaluateAsync(Control control, params Partition[] partitions) =>
        await EvaluateAsync(control, Moment, EvaluationLimits.Default, partitions);

    public static async Task<Outcome> EvaluateAsync(Control control, ImmutableArray<LeftOutPlace> leftOut, params Partition[] partitions) =>
        await EvaluateAsync(control, Moment, EvaluationLimits.Default, leftOut, null, partitions);

    public static async Task<Outcome> EvaluateAsync(Control control, string preparer, params Partition[] partitions) =>
        await EvaluateAsync(control, Moment, EvaluationLimits.Default, [], preparer, partitions);

    public static async Task<Outcome> EvaluateAsync(Control control, AuditMoment moment, EvaluationLimits limits, params Partition[] partitions) =>
        await EvaluateAsync(control, moment, limits, [], null, partitions);

    private static async Task<Outcome> EvaluateAsync(
        Control control, AuditMoment moment, EvaluationLimits limits, ImmutableArray<LeftOutPlace> leftOut, string? preparer, Partition[] partitions)
    {
        var files = new Dictionary<string, MemoryStream>();
        var scope = new ControlInScope(control, ControlOrigin.Shipped,
            [.. control.Parameters.Select(EffectiveParameter.Of)])
        {
            LeftOut = leftOut,
            Preparer = preparer,
        };
        var result = await Evaluator.EvaluateAsync(
            scope, [.. partitions], moment, limits, process: null, n => files[n] = new MemoryStream(), clean: null, CancellationToken.None);
        return new Outcome(result, files.ToImmutableSortedDictionary(f => f.Key, f => Encoding.UTF8.GetString(f.Value.ToArray())));
    }

    internal sealed record Outcome(ControlResult Result, ImmutableSortedDictionary<string, string> Files)
    {
        public Conclusion Conclusion => Result.Conclusion;

        /// <summary>The results by partition, as they were written.</summary>
        public ImmutableArray<TestResult> Partitions => !Files.TryGetValue("apd-aws-002.partitions.ndjson", out var lines)
            ? []
            : [.. PartitionResults.Read(() => new MemoryStream(Encoding.UTF8.GetBytes(lines)), "apd-aws-002.partitions.ndjson")];

        public TestResult Test => Assert.Single(Partitions);

        public string[] Rows(string test = "t1") => Files[$"apd-aws-002.{test}.ndjson"].Split('\n', StringSplitOptions.RemoveEmptyEntries);

        public void IsError(string message)
        {
            Assert.Equal(Conclusion.Error, Conclusion);
            Assert.Contains(Partitions, t => t.Error?.Contains(message, StringComparison.Ordinal) == true);
        }
    }
}
