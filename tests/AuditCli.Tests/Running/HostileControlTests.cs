using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Tests.Reperformance;

namespace AuditCli.Tests.Running;

/// <summary>
/// SQL that takes the engine minutes or gigabytes to read, in a bundle's control or in a library: each command ends soon, in little memory, and
/// says what it could not read.
/// </summary>
public sealed class HostileControlTests(OneAccount account) : IClassFixture<OneAccount>, IDisposable
{
    private const string Control = "data/controls/apd-aws-004.yaml";
    private const string Item = "user000001/AKIAUSER000001";

    /// <summary>Of the command's own process, in bytes.</summary>
    private const long MostMemory = 600L << 20;

    /// <summary>The library that parses SQL, as the system names the files that a process has mapped.</summary>
    private const string Engine = "libduckdb";

    /// <summary>The SQL of which a reader does not come to an end in the time that it has.</summary>
    private const string Endless = "comments";

    /// <summary>The SQL that a reader with little memory gives up at once.</summary>
    private const string Quick = "grouping sets";

    /// <summary>More processor time than a child needs before it reads any SQL.</summary>
    private static readonly TimeSpan StartingWork = TimeSpan.FromSeconds(2);

    /// <summary>For the machine's other work; SQL has ten seconds for each text.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(100);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>By name; of each about as much as a control may have.</summary>
    private static string Hostile(string name) => name switch
    {
        "comments" => "SELECT 1 AS item " + string.Concat(Enumerable.Repeat("/**/", 16_000)),
        "lines of comments" => "SELECT 1 AS item\n" + string.Concat(Enumerable.Repeat("--\n", 21_000)),
        "comments that do not end" => "SELECT 1 AS item " + string.Concat(Enumerable.Repeat("/*", 32_000)),
        "parentheses" => "SELECT " + new string('(', 30_000) + "1" + new string(')', 30_000) + " AS item",
        "operators" => "SELECT " + string.Concat(Enumerable.Repeat("- ", 30_000)) + "1 AS item",
        "subqueries" => string.Concat(Enumerable.Repeat("SELECT * FROM (", 4_000)) + "SELECT 1 AS item" + new string(')', 4_000),
        "grouping sets" => "SELECT 1 AS item FROM users GROUP BY "
            + string.Join(", ", Enumerable.Repeat("CUBE(UserName, UserId, Arn, Path, CreateDate, PasswordLastUsed)", 8)),
        "sets of grouping sets" => "SELECT 1 AS item FROM users GROUP BY GROUPING SETS ("
            + string.Join(", ", Enumerable.Repeat("CUBE(UserName, UserId, Arn, Path, CreateDate)", 1_300)) + ")",
        "common tables" => "WITH " + string.Join(", ", Enumerable.Range(0, 3_000).Select(n => $"c{n} AS (SELECT 1)")) + " SELECT 1 AS item",
        "common tables that double" => "WITH c0 AS (SELECT 1 AS n), "
            + string.Join(", ", Enumerable.Range(1, 60).Select(n => $"c{n} AS (SELECT a.n FROM c{n - 1} a, c{n - 1} b)"))
            + " SELECT n AS item FROM c60",
        "quotation marks" => "SELECT 1 AS item" + new string('\'', 64_000),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    /// <summary>All of them in <c>.ci/long</c>; here what takes time and what takes memory.</summary>
    public static TheoryData<string> Names => [.. Tried];

    private static string[] Tried => LongRun.IsWhole ? All : [Endless, Quick];

    private static string[] All =>
    [
        "comments", "lines of comments", "comments that do not end", "parentheses", "operators", "subqueries", "grouping sets", "sets of grouping sets",
        "common tables", "common tables that double", "quotation marks",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_bundle_with_such_a_control_is_shown_queried_reported_and_compared_soon(string name)
    {
        var bundle = Bundle(name, "hostile");
        string[] all =
        [
            $"show BUNDLE APD-AWS-004 T1 {Item}", "show BUNDLE APD-AWS-004 --output json", $"show BUNDLE APD-AWS-004 T1 {Item} --html card.html",
            "query BUNDLE FROM\u00a0results.items", "report BUNDLE --allow-unsigned --format all --out reports",
        ];
        foreach (var words in Share(name, all))
        {
            var result = await EndsSoonAsync(words, bundle);
            Assert.True(result.ExitCode == 0, $"{words}: {result}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_diff_with_such_a_control_says_what_it_could_not_read_and_calls_nothing_fixed_that_it_cannot_tell(string name)
    {
        // An exception of the earlier bundle that the later one has no more: the SQL of both says what was read.
        var (before, after) = Compared(name);
        var result = await EndsSoonAsync("diff BEFORE BUNDLE --allow-unsigned", after, before);
        Assert.True(result.ExitCode is 0 or 3, result.ToString());
        Assert.Contains(Item, result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_bundle_with_such_a_control_is_done_again_soon_and_its_test_is_no_pass(string name)
    {
        var result = await EndsSoonAsync("reperform BUNDLE --allow-unsigned", Bundle(name, "again"));
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.DoesNotContain("results  identical", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_library_with_such_a_control_is_refused_soon(string name)
    {
        var text = With(Hostile(name), File.ReadAllText(Repository.Path("controls", "access-to-programs-and-data", "APD-AWS-004.yaml")));
        _folder.Write("library/access-to-programs-and-data/APD-AWS-004.yaml", text);
        _folder.Write("engagement.yaml", AwsEnvironment.Engagement("APD-AWS-004"));
        string[] all =
        [
            "controls validate --controls library", "run engagement.yaml --controls library --out out",
            "permissions engagement.yaml --controls library", "reperform BUNDLE --allow-unsigned --controls library",
        ];
        foreach (var words in Share(name, all))
        {
            var result = await EndsSoonAsync(words, account.Bundle);
            Assert.True(result.ExitCode == 1, $"{words}: {result}");
            Assert.Contains("APD-AWS-004.yaml:", result.ToString(), StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// Checks that no command parses a bundle's SQL in its own process, where nothing limits it: the engine is not even loaded there. A query
    /// runs the user's own SQL in the process, and shows that a loaded engine is seen.
    /// </summary>
    [Theory]
    [InlineData($"show BUNDLE APD-AWS-004 T1 {Item}", false)]
    [InlineData("show BUNDLE APD-AWS-004 --output json", false)]
    [InlineData("show BUNDLE", false)]
    [InlineData("report BUNDLE --allow-unsigned --format all --out reports", false)]
    [InlineData("diff BEFORE BUNDLE --allow-unsigned", false)]
    [InlineData("reperform BUNDLE --allow-unsigned", false)]
    [InlineData("query BUNDLE FROM\u00a0results.items", true)]
    public async Task Only_a_child_parses_the_SQL_of_a_bundle(string words, bool loaded)
    {
        var (before, after) = Compared(Quick);
        using var process = Start(words, after, before);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var maps = "";
        while (!process.HasExited && !maps.Contains(Engine, StringComparison.Ordinal))
        {
            maps = MapsOf(process) is { Length: > 0 } mapped ? mapped : maps;
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(10));
        }
        await AuditCommand.EndAsync(process);

        var said = new CommandResult(process.ExitCode, await output, await error).ToString();
        Assert.Contains("auditcli.dll", maps, StringComparison.Ordinal);
        Assert.True(maps.Contains(Engine, StringComparison.Ordinal) == loaded, $"{words}: {said}");
    }

    /// <summary>
    /// With SQL that takes all the time it gets, so that the signal comes while the child is at it, whatever the machine: what dies of its
    /// memory is over at once.
    /// </summary>
    [Theory]
    [InlineData("diff BEFORE BUNDLE --allow-unsigned")]
    [InlineData("reperform BUNDLE --allow-unsigned")]
    public async Task Ctrl_C_ends_a_command_that_waits_for_such_SQL(string words)
    {
        var (before, after) = Compared(Endless);
        using var process = Start(words, after, before);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        // A child among much other work takes long to begin: the bound is only there so that the test ends.
        for (var waited = 0; !HasBusyChild(process) && waited < 30_000 && !process.HasExited; waited++)
            await Task.Delay(10);
        Assert.True(HasBusyChild(process), "no child was at the SQL");
        var watch = Stopwatch.StartNew();
        Signal.Send(process, Signal.Interrupt);
        await AuditCommand.EndAsync(process);
        Assert.True(process.ExitCode == 130, $"{process.ExitCode} {await output} {await error}");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(8), $"{watch.Elapsed}");
    }

    /// <summary>Two bundles with that SQL, and an exception in the earlier one that the later one does not have.</summary>
    private (string Before, string After) Compared(string sql)
    {
        var (before, after) = (Bundle(sql, "before"), Bundle(sql, "after"));
        var rows = Path.Combine(before, "data/results/apd-aws-004.t1.ndjson");
        var owner = JsonElement.Parse(File.ReadLines(rows).First()).GetProperty("account").GetString()!;
        BundleForgery.Replace(
            before,
            "data/results/apd-aws-004.t1.ndjson",
            $"\"item\":\"{Item}\",\"pass\":true,\"verdict\":\"pass\"",
            $"\"item\":\"{Item}\",\"pass\":false,\"verdict\":\"deviation\",\"exception_id\":\"{ExceptionIds.For("APD-AWS-004", "T1", owner, Item)}\"");
        var path = Path.Combine(before, "data/results/results.json");
        var results = JsonNode.Parse(File.ReadAllText(path))!;
        var control = results["controls"]![0]!;
        foreach (var concluded in new[] { control, control["tests"]![0]! })
            (concluded["conclusion"], concluded["deviations"]) = ("FAIL", 1);
        control["tests"]![0]!["conclusions"] = new JsonObject { ["FAIL"] = 1 };
        File.WriteAllText(path, results.ToJsonString());
        BundleForgery.EditPartitions(before, "APD-AWS-004", lines => lines.Select(l =>
        {
            var part = JsonNode.Parse(l)!;
            (part["conclusion"], part["deviations"], part["rows_sha256"]) = ("FAIL", 1, Digest.Of(File.ReadAllBytes(rows)).Hex);
            return part.ToJsonString();
        }));
        BundleForgery.Reseal(before);
        return (before, after);
    }

    /// <summary>All commands in <c>.ci/long</c>; here the next of the SQL that is tried gets the next command, so that each is given once.</summary>
    private static IEnumerable<string> Share(string name, string[] commands) =>
        commands.Where((_, n) => LongRun.IsWhole || n % Tried.Length == Array.IndexOf(Tried, name));

    /// <summary>The most memory that it had so far; 0 once it has ended.</summary>
    private static long PeakOf(Process process)
    {
        try
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
        catch (InvalidOperationException)
        {
            return 0;
        }
    }

    /// <summary>The files that a process has mapped into its memory; empty once it has ended.</summary>
    private static string MapsOf(Process process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Id}/maps");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Whether a child has worked for longer than it takes to start, which is what reading the SQL does.</summary>
    private static bool HasBusyChild(Process process)
    {
        try
        {
            var children = Directory.EnumerateDirectories($"/proc/{process.Id}/task")
                .SelectMany(t => File.ReadAllText(Path.Combine(t, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries));
            return children.Any(c => WorkOf(c) > StartingWork);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The processor time that a process has had, as Linux tells it: in hundredths of a second, behind the name in parentheses.</summary>
    private static TimeSpan WorkOf(string process)
    {
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    /// <summary>The bundle whose control has such SQL, as if it had concluded with it; nothing of verification notices.</summary>
    private string Bundle(string sql, string name)
    {
        var bundle = BundleForgery.Copy(account.Bundle, Path.Combine(_folder.Path, name));
        var path = Path.Combine(bundle, Control);
        var before = Digest.Of(File.ReadAllBytes(path)).Hex;
        File.WriteAllText(path, With(Hostile(sql), File.ReadAllText(path)));
        BundleForgery.Replace(bundle, "data/results/results.json", before, Digest.Of(File.ReadAllBytes(path)).Hex);
        BundleForgery.Reseal(bundle);
        return bundle;
    }

    /// <summary>The control whose first test has that SQL.</summary>
    private static string With(string sql, string control)
    {
        var at = control.IndexOf("    sql: |\n", control.IndexOf("\ntests:", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True(at > 0, control);
        var end = at + "    sql: |\n".Length;
        while (control[end..].StartsWith("      ", StringComparison.Ordinal) || control[end] == '\n')
            end = control.IndexOf('\n', end) + 1;
        return control[..at] + "    sql: |\n        " + sql.Replace("\n", "\n        ", StringComparison.Ordinal) + "\n" + control[end..];
    }

    private Process Start(string words, string bundle, string? before) => AuditCommand.Start(
        _folder.Path,
        new Dictionary<string, string>(),
        [],
        [.. words.Split(' ').Select(w => w switch { "BUNDLE" => bundle, "BEFORE" => before!, _ => w.Replace('\u00a0', ' ') })]);

    private async Task<CommandResult> EndsSoonAsync(string words, string bundle, string? before = null)
    {
        using var process = Start(words, bundle, before);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var watch = Stopwatch.StartNew();
        var peak = 0L;
        while (!process.HasExited && watch.Elapsed < MostTime)
        {
            peak = Math.Max(peak, PeakOf(process));
            await Task.Delay(50);
        }
        var ended = process.HasExited;
        if (!ended)
            process.Kill(entireProcessTree: true);
        Assert.True(ended, $"{words} did not end within {MostTime}");
        Assert.True(peak < MostMemory, $"{words} took {peak >> 20} MiB");
        return new(process.ExitCode, await output, await error);
    }
}
