using System.IO.Compression;
using AuditCli.Bundles;

namespace AuditCli.Tests.Bundles;

/// <summary>Gives a bundle of evaluation 1 what only later bundles have: such a bundle is not one of evaluation 1.</summary>
public sealed class ClaimedRulesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly Dictionary<string, (string File, string What, string With, string Said)> Later = new(StringComparer.Ordinal)
    {
        ["limits"] = (
            "data/run.json", "\"requests_at_once_per_service\":8", "\"requests_at_once_per_service\":8,\"connections\":512", "it has limits of later runs"),
        ["inputs"] = ("data/run.json", "\"stated_rows\":2,", "\"stated_rows\":2,\"tested\":true,", "an input of it names its file"),
        ["clocks"] = (
            "data/results/results.json", "\"as_of_tolerance_seconds\":86400",
            "\"as_of_tolerance_seconds\":86400,\"clock_limit_seconds\":300", "by which clocks"),
        ["modes"] = (
            "data/results/results.json", "\"right\":\"1\",\"agree\":true}],",
            "\"right\":\"1\",\"agree\":true}],\"mode\":\"point-in-time\",", "a test of it states"),
        ["registers"] = ("data/results/results.json", "\"origin\":\"shipped\",", "\"origin\":\"shipped\",\"registers\":[],", "lists registers"),
        ["reading"] = ("data/evidence/index.jsonl", "\"pages\":1,", "\"pages\":1,\"read_from\":\"2026-11-23T04:42:00Z\",", "says when or how much was read"),
    };

    public static TheoryData<string> Parts => [.. Later.Keys];

    [Theory]
    [MemberData(nameof(Parts))]
    public async Task A_bundle_with_later_parts_cannot_claim_the_first_rules(string part)
    {
        ZipFile.ExtractToDirectory(Repository.Path("tests", "Shared", "bundles", "evaluation-1.zip"), _folder.Path);
        var bundle = Directory.GetDirectories(_folder.Path).Single();
        var (file, what, with, said) = Later[part];
        BundleForgery.Replace(bundle, file, what, with);
        BundleForgery.Reseal(bundle);
        var refused = await Assert.ThrowsAsync<InvalidDataException>(
            () => OpenedBundle.OpenAsync(bundle, AuditCommand.Host(_folder.Path), verified: null, CancellationToken.None));
        Assert.Contains("run.json states no evaluation, as those of evaluation 1, but ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }
}
