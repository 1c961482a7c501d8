using System.Text;
using System.Text.RegularExpressions;
using AuditCli.Evidence;
using AuditCli.Evidence.Warc;

namespace AuditCli.Tests.Reperformance;

/// <summary>
/// Changes a bundle and signs it again with the trusted key. Verification succeeds, but <c>reperform</c> names what was changed.
/// </summary>
public sealed partial class ForgedByTheSignerTests(SignedSample sample) : IClassFixture<SignedSample>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task One_altered_answer_is_named_with_its_exchange_the_item_and_the_test()
    {
        var bundle = Copy();
        var (bucket, record) = ("", "");
        var asked = new Dictionary<string, string>(StringComparer.Ordinal);
        BundleForgery.EditExchanges(Path.Combine(bundle, "data/exchanges/prod/s3-aws-global.warc.gz"), r =>
        {
            if (r.Type == "request" && PolicyStatus().Match(Text(r)) is { Success: true } question)
                asked[r.Id] = question.Groups["bucket"].Value;
            if (record.Length > 0 || r.Type != "response" || !asked.TryGetValue(r.ConcurrentTo!, out var name)
                || !Text(r).Contains("<IsPublic>false</IsPublic>", StringComparison.OrdinalIgnoreCase))
                return r;
            (bucket, record) = (name, r.Id);
            return BundleForgery.WithBody(r, IsPublic().Match(Text(r)).Value, "<IsPublic>true</IsPublic> ", honest: true);
        });

        var result = await SignedAgainAsync(bundle);
        Assert.Matches($@"INF-AWS-001 T\d+ prod 111122223333 {Regex.Escape(bucket)}: verdict pass -> deviation", result.Output);
        Assert.Matches(
            @"because evidence policy_status differs \(s3:GetBucketPolicyStatus in prod 111122223333 aws-global\): "
            + $@"the exchanges give other rows: row \d+ \({Regex.Escape(record.Trim('<', '>'))}#[^)]*\): [^\n]*IsPublic false -> true",
            result.Output);
        Assert.Contains("INF-AWS-001: conclusion INCONCLUSIVE -> FAIL", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("INF-AWS-002", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_altered_together_with_its_digest_in_the_index_is_told_from_the_exchanges()
    {
        var bundle = Copy();
        var table = Directory.GetFiles(Path.Combine(bundle, "data", "tables"), "aws-iam-listusers-*.ndjson.gz")
            .First(f => BundleForgery.ReadTable(f).Contains("break-glass-1", StringComparison.Ordinal));
        var before = Digest.Of(Encoding.UTF8.GetBytes(BundleForgery.ReadTable(table))).Hex;
        BundleForgery.ReplaceInTable(table, "break-glass-1", "break-glass-9");
        BundleForgery.Replace(bundle, "data/evidence/index.jsonl", before, Digest.Of(Encoding.UTF8.GetBytes(BundleForgery.ReadTable(table))).Hex);

        var result = await SignedAgainAsync(bundle);
        Assert.Matches(
            @"iam:ListUsers in prod 111122223333 aws-global: table_sha256 [^\n]*\n\s+because the exchanges give other rows: "
            + @"row \d+ \(urn:uuid:[^)]*\): [^\n]*break-glass-9 -> [^\n]*break-glass-1",
            result.Output);
        Assert.Contains("results  identical", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Results_altered_together_with_their_digest_and_their_counts_are_told_from_the_evidence()
    {
        var bundle = Copy();
        var file = Path.Combine(bundle, "data", "results", "inf-aws-002.t1.ndjson");
        var before = Digest.Of(File.ReadAllBytes(file)).Hex;
        var text = File.ReadAllText(file);
        var item = Deviation().Match(text).Groups["item"].Value;
        // The rows of each account have their own digest, so the digest of the changed account is computed again.
        var (account, lines) = ("444455556666", File.ReadAllLines(file));
        var digest = Lines(lines, account);
        File.WriteAllText(file, text
            .Replace("\"verdict\":\"deviation\"", "\"verdict\":\"pass\"", StringComparison.Ordinal)
            .Replace("\"pass\":false", "\"pass\":true", StringComparison.Ordinal));
        Assert.NotEqual(before, Digest.Of(File.ReadAllBytes(file)).Hex);
        BundleForgery.ReplaceInPartitions(bundle, "INF-AWS-002", digest, Lines(File.ReadAllLines(file), account));

        var result = await SignedAgainAsync(bundle);
        Assert.Contains("tables   identical", result.Output, StringComparison.Ordinal);
        Assert.Contains($"INF-AWS-002 T1 dev {account} {item}: verdict pass -> deviation", result.Output, StringComparison.Ordinal);
        Assert.Contains("because the tables and the engine are the same: the results were edited", result.Output, StringComparison.Ordinal);

        static string Lines(string[] lines, string account) =>
            Digest.Of(Encoding.UTF8.GetBytes(string.Concat(
                lines.Where(l => l.Contains($"\"account\":\"{account}\"", StringComparison.Ordinal)).Select(l => l + "\n")))).Hex;
    }

    [Fact]
    public async Task Results_by_partition_altered_with_their_digest_are_named_with_the_partition_and_the_value()
    {
        const string Dev = "\"account\":\"444455556666\"";
        var bundle = Copy();
        string FileOf(string control) => Path.Combine(bundle, $"data/results/{control.ToLowerInvariant()}.partitions.ndjson");
        void Edit(string control, Func<string[], IEnumerable<string>> edit) => BundleForgery.EditPartitions(bundle, control, edit);
        static string Edited(string line) => line.Contains(Dev, StringComparison.Ordinal) ? Population().Replace(line, "\"population\":77") : line;
        Edit("INF-AWS-001", lines => lines.Select(Edited));
        File.WriteAllText(FileOf("INF-AWS-002"), string.Concat(File.ReadAllLines(FileOf("INF-AWS-002")).Select(l => Edited(l) + "\n")));
        Edit("APD-AWS-001", lines => lines.Where(l => !l.Contains(Dev, StringComparison.Ordinal)));
        Edit("APD-AWS-002", lines => [.. lines, lines[0].Replace(Dev, "\"account\":\"999999999999\"", StringComparison.Ordinal)]);
        Edit("APD-AWS-004", lines => lines.Reverse());
        BundleForgery.Replace(bundle, "data/results/results.json", Digest.Of(File.ReadAllBytes(FileOf("LOG-AWS-001"))).Hex, new string('0', 64));
        File.Copy(FileOf("LOG-AWS-001"), FileOf("LOG-AWS-999"));
        File.Delete(FileOf("APD-XSR-001"));

        var result = await SignedAgainAsync(bundle);
        Assert.Contains("tables   identical", result.Output, StringComparison.Ordinal);
        string[] said =
        [
            @"INF-AWS-001: tests T1 dev 444455556666 population 77 -> \d+\n +because the tables and the engine are the same: the results were edited",
            @"INF-AWS-002: tests T1 dev 444455556666 population 77 -> \d+\n +because results.json has the digest of the re-performed results by partition",
            @"APD-AWS-001: tests T1 dev 444455556666 nothing -> \{""id"":""T1""",
            @"APD-AWS-002: tests T1 dev 999999999999 \{""id"":""T1"".* -> nothing",
            @"data/results/apd-aws-004.partitions.ndjson: bytes one form -> another\n +because the same results in another order",
            @"LOG-AWS-001: partitions sha256 0000.*\n +because the results by partition are the same: results.json was edited",
            @"data/results/log-aws-999.partitions.ndjson: file there -> nothing\n +because results.json has no such control",
            @"data/results/apd-xsr-001.partitions.ndjson: file nothing -> there",
        ];
        Assert.All(said, s => Assert.Matches(s, result.Output));
    }

    private string Copy() => BundleForgery.Copy(sample.Bundle, Path.Combine(_folder.Path, "copy"));

    /// <summary>
    /// Returns the result of <c>reperform</c> for a bundle that its signer changed and signed again; <c>verify</c> finds nothing.
    /// </summary>
    private async Task<CommandResult> SignedAgainAsync(string bundle)
    {
        Directory.Delete(Path.Combine(bundle, "attestation"), recursive: true);
        BundleForgery.Reseal(bundle);
        (int, string[])[] commands =
        [
            (0, ["seal", bundle, "--sign", sample.Key]),
            (0, ["verify", bundle, "--trust", sample.Key + ".pub"]),
        ];
        foreach (var (exit, arguments) in commands)
        {
            var held = await AuditCommand.RunAsync(_folder.Path, arguments);
            Assert.True(held.ExitCode == exit, held.ToString());
        }
        var result = await AuditCommand.RunAsync(_folder.Path, "reperform", bundle, "--trust", sample.Key + ".pub");
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("bundle   verifies", result.Output, StringComparison.Ordinal);
        return result;
    }

    private static string Text(WarcRecord record) => Encoding.UTF8.GetString(record.Block.Span);

    [GeneratedRegex("\"population\":[0-9]+")]
    private static partial Regex Population();

    [GeneratedRegex(@"^GET /(?<bucket>[^/?]+)\?policyStatus")]
    private static partial Regex PolicyStatus();

    [GeneratedRegex("<IsPublic>false</IsPublic>", RegexOptions.IgnoreCase)]
    private static partial Regex IsPublic();

    [GeneratedRegex("\"item\":\"(?<item>[^\"]+)\"[^\n]*\"verdict\":\"deviation\"")]
    private static partial Regex Deviation();
}

/// <summary>A run of the sample, signed with a key that the verifier trusts.</summary>
public sealed class SignedSample : IAsyncLifetime, IDisposable
{
    private static readonly MadeOnce<CommandResult> Once = new(async folder =>
    {
        var made = await AuditCommand.RunAsync(folder, "keys", "new", "auditor.pem", "--no-passphrase");
        Assert.True(made.ExitCode == 0, made.ToString());
        var run = await AuditCommand.RunAsync(folder, "run", Repository.Path("samples", "engagement.yaml"), "--out", "out", "--sign", "auditor.pem");
        Assert.True(run.ExitCode == 2, run.ToString());
        return run;
    });

    private readonly TemporaryFolder _folder = new();

    public string Bundle { get; private set; } = "";

    /// <summary>The signer's private key. The verifier's public key has the same path with <c>.pub</c> appended.</summary>
    public string Key => Path.Combine(_folder.Path, "auditor.pem");

    public async Task InitializeAsync()
    {
        await Once.CopyToAsync(_folder.Path);
        Bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();
}
