using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests;

/// <summary>
/// Compares the catalogues of all providers with the one rule for the contents of logs (<c>log_contents.json</c>): the provider's own trail
/// of who did what is read, what programs wrote is not.
/// </summary>
public sealed class LogContentsTests
{
    private static readonly JsonElement Rule = JsonElement.Parse(File.ReadAllText(Repository.Path("src", "AuditCli.Collectors", "log_contents.json")));

    private static ImmutableArray<(string Name, string? Reads, string? Refused)> Catalogue(string folder, string name) =>
    [
        .. Directory.GetFiles(Repository.Path(["src", "AuditCli.Collectors", .. folder.Split('/')]), "*.json").Order(StringComparer.Ordinal)
            .Select(f => JsonElement.Parse(File.ReadAllText(f))).Where(f => f.TryGetProperty(name, out _))
            .SelectMany(f => f.GetProperty("operations").EnumerateObject()
                .Select(o => (
                    $"{f.GetProperty(name).GetString()}:{o.Name}", o.Value.TryGetProperty("reads", out var why) ? why.GetString() : null, (string?)null))
                .Concat(f.GetProperty("refused").EnumerateObject()
                    .Select(o => ($"{f.GetProperty(name).GetString()}:{o.Name}", (string?)null, o.Value.GetString())))),
    ];

    /// <summary>Names what each provider's catalogue reads of logs, and what it refuses, so that a new decision is seen here.</summary>
    [Theory]
    [InlineData(
        "Aws/Catalogue/Services", "service",
        "auditmanager:GetChangeLogs cloudtrail:GetQueryResults cloudtrail:LookupEvents drs:DescribeJobLogItems mgn:DescribeJobLogItems",
        "ec2:GetConsoleOutput lightsail:GetContainerLog lightsail:GetRelationalDatabaseLogEvents logs:GetLogEvents logs:GetLogObject logs:GetLogRecord "
            + "logs:GetQueryResults rds:DownloadDBLogFilePortion")]
    [InlineData("Gcp/Catalogue", "api", "logging:entries.list", "compute:instances.getSerialPortOutput logging:entries.tail")]
    public void Each_catalogue_reads_trails_and_nothing_that_programs_wrote(string folder, string name, string trails, string written)
    {
        var operations = Catalogue(folder, name);

        Assert.Equal(trails.Split(' '), operations.Where(o => o.Reads == Reason("read", "trail")).Select(o => o.Name));
        Assert.Equal(written.Split(' '), operations.Where(o => o.Refused == Reason("not_read", "written")).Select(o => o.Name));
    }

    /// <summary>Fails for an operation that sounds like the contents of a log and stands in a catalogue without a reason of the rule.</summary>
    [Theory]
    [InlineData("Aws/Catalogue/Services", "service")]
    [InlineData("Gcp/Catalogue", "api")]
    public void No_operation_that_may_return_a_log_is_in_a_catalogue_without_a_reason_of_the_rule(string folder, string name)
    {
        var sounds = new Regex(Rule.GetProperty("names").GetString()!, RegexOptions.CultureInvariant);
        var reasons = Rule.GetProperty("read").EnumerateObject().Select(r => r.Value.GetString()).ToHashSet();
        var about = Catalogue(folder, name).Where(o => sounds.IsMatch(o.Name.Split(':')[1])).ToImmutableArray();

        Assert.Contains(about, o => o.Refused is null);
        Assert.Contains(about, o => o.Refused is not null);
        Assert.All(about.Where(o => o.Refused is null), o => Assert.True(reasons.Contains(o.Reads), o.Name));
    }

    private static string Reason(string kind, string which) => Rule.GetProperty(kind).GetProperty(which).GetString()!;
}
