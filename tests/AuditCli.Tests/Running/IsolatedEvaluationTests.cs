using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Tests.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Tests.Running;

/// <summary>One child process that evaluates all hostile SQL texts of the class, one after the other.</summary>
public sealed class SharedChild : IAsyncLifetime
{
    public EvaluationProcess Process { get; } = IsolatedEvaluationTests.Child(EvaluationLimits.Default with { TestTime = TimeSpan.FromSeconds(30) });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await Process.DisposeAsync();
}

/// <summary>
/// Checks that a hostile control never passes, reads or writes nothing outside the evidence, and does not end the program.
/// </summary>
public sealed class IsolatedEvaluationTests(SharedChild shared) : IClassFixture<SharedChild>
{
    private const string Alice = """{"name":"alice","mfa":false,"tags":{"a":[1]},"_account":"prod"}""";
    private const string Bob = """{"name":"bob","mfa":true,"_account":"prod"}""";
    private static readonly ImmutableArray<string> Program = AuditCommand.Host("/").Program;
    private static readonly EvaluationLimits Small = new(TimeSpan.FromSeconds(1), "256MB")
    {
        ProcessMemory = 1L << 30,
        Output = 1 << 20,
        Grace = TimeSpan.FromMilliseconds(200),
    };

    public static EvaluationProcess Child(EvaluationLimits limits) => new(Program, limits);

    /// <summary>SQL that the gate accepts but that is harmful, with the seconds it may take and the expected message.</summary>
    public static TheoryData<string, int, string> Bombs { get; } = new()
    {
        // Grows tenfold with every level, from constants, so before any row is read.
        { $"SELECT {Long("'y'", 12)} AS item, true AS pass, '' AS reason", 3, "" },
        {
            $"SELECT a.name AS item, length({Nested("a.name", i => $"regexp_replace({i}, '[ab]', 'bbbbbbbbbb', 'g')", 10)}) > 0 AS pass, "
                + "'' AS reason FROM users a",
            90,
            "emory"
        },
        // A single call during which the engine does not check the time limit.
        { $"SELECT a.name AS item, levenshtein({Long("a.name", 5)}, {Long("a.name", 5)} || 'y') >= 0 AS pass, '' AS reason FROM users a", 4, "the time limit" },
        {
            "SELECT count(*)::VARCHAR AS item, true AS pass, '' AS reason FROM "
                + string.Join(", ", Enumerable.Range(0, 48).Select(i => $"users u{i}")),
            4,
            "the time limit"
        },
        {
            $"SELECT a.name || b.n AS item, true AS pass, '' AS reason, {Long("a.name", 3)} AS long FROM users a, "
                + $"(SELECT row_number() OVER (ORDER BY e) AS n FROM (SELECT unnest(split({Long("'y'", 4)}, 'x')) AS e)) b",
            30,
            "bytes of rows, the limit"
        },
        // Lambdas as deep as they may be, over constants: tens of billions of steps before any row is read.
        {
            $"SELECT 'x' AS item, {HasOne("a", HasOne("b", HasOne("c", "c > a + b")))} AS pass, '' AS reason FROM users",
            4,
            ""
        },
    };

    [Theory]
    [MemberData(nameof(HostileSql.Refused), MemberType = typeof(HostileSql))]
    public async Task Hostile_sql_is_an_error_reads_no_file_and_leaves_the_program_alive(string sql, string because)
    {
        using var folder = new TemporaryFolder();
        var canary = folder.Write("canary", "canary-4711");
        var own = sql
            .Replace("/etc/passwd", canary, StringComparison.Ordinal)
            .Replace("'/tmp/x'", $"'{folder.Path}/x'", StringComparison.Ordinal);
        await HarmlessAsync(own, because);
        Assert.Equal([canary], Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [MemberData(nameof(HostileSql.TooDeep), MemberType = typeof(HostileSql))]
    public async Task Sql_nested_deep_enough_to_hurt_is_an_error(string frame, string part, int times) =>
        await HarmlessAsync(string.Format(CultureInfo.InvariantCulture, frame, string.Concat(Enumerable.Repeat(part, times))), "");

    private async Task HarmlessAsync(string sql, string because)
    {
        var control = Some.Control(Some.Test(sql)) with { Evidence = [Some.Users, Some.Devices] };
        var partition = Some.Partition("prod", ("users", Some.Table(Some.Users, Alice)), ("devices", Some.Table(Some.Devices)));
        var outcome = await EvaluateAsync(shared.Process, control, partition);
        outcome.IsError("");
        Assert.Contains(because, outcome.Test.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(outcome.Rows());
        Assert.DoesNotContain("canary-4711", Encoding.UTF8.GetString(Results(outcome)), StringComparison.Ordinal);
        Assert.Equal(Conclusion.Fail, (await EvaluateAsync(shared.Process, Some.Control(), Some.With(Alice))).Conclusion);
    }

    [Theory]
    [MemberData(nameof(Bombs))]
    public async Task A_test_that_takes_more_than_its_share_is_an_error_and_the_others_stand(string sql, int seconds, string because)
    {
        await using var child = Child(Small with { TestTime = TimeSpan.FromSeconds(seconds) });
        var control = Some.Control(Some.Test(Some.MfaSql, "T1"), Some.Test(sql, "T2"), Some.Test(Some.MfaSql, "T3"));
        var clock = Stopwatch.StartNew();
        var second = Some.Partition(
            "second", ("users", Some.Table(Some.Users, Bob, Bob.Replace("bob", "eve", StringComparison.Ordinal))));
        var outcome = await EvaluateAsync(child, control, Some.With(Alice, Bob), second);
        Assert.True(clock.Elapsed < TimeSpan.FromMinutes(3), $"it took {clock.Elapsed}");
        Assert.Equal(
            [
                ("T1", "prod", Conclusion.Fail), ("T2", "prod", Conclusion.Error), ("T3", "prod", Conclusion.Fail),
                ("T1", "second", Conclusion.Pass), ("T2", "second", Conclusion.Error), ("T3", "second", Conclusion.Pass),
            ],
            outcome.Partitions.Select(t => (t.Id, t.Partition.Account, t.Conclusion)));
        Assert.All(outcome.Partitions.Where(t => t.Id == "T2"), t => Assert.Contains(because, t.Error, StringComparison.Ordinal));
        Assert.Empty(outcome.Rows("t2"));
        Assert.Equal(4, outcome.Rows("t1").Length);
        Assert.Equal(outcome.Rows("t1").Select(r => r.Replace("T1", "T3", StringComparison.Ordinal)).Select(WithoutId), outcome.Rows("t3").Select(WithoutId));
        Assert.Equal(Conclusion.Pass, (await EvaluateAsync(child, Some.Control(), Some.With(Bob))).Conclusion);
    }

    [Fact]
    public async Task Sql_that_hurts_when_it_is_only_bound_is_a_fault_of_the_control()
    {
        await using var child = Child(Small);
        var bomb = $"SELECT levenshtein({Long("'x'", 5)}, {Long("'y'", 5)})::VARCHAR AS item, true AS pass, '' AS reason FROM users";
        var control = Some.Control(Some.Test(Some.MfaSql, "T1"), Some.Test(bomb, "T2"), Some.Test("SELECT nonsense FROM users", "T3"));
        var messages = await ControlSql.CheckAsync(control, child, CancellationToken.None);
        Assert.Contains(messages, m => m.Key == "tests[T3].sql" && m.Message.Contains("nonsense", StringComparison.Ordinal));
        Assert.DoesNotContain(messages, m => m.Key == "tests[T1].sql");
        Assert.Equal(Conclusion.Error, (await EvaluateAsync(child, control, Some.With(Bob))).Conclusion);
    }

    /// <summary>The time for reading is a small part of what the engine takes for such a text, and ample for one that a person wrote.</summary>
    [Theory]
    [InlineData("/**/", 15_900)]
    [InlineData("/*-*/", 12_700)]
    public async Task Sql_that_takes_longer_to_read_than_it_may_is_given_up(string part, int times)
    {
        var limits = EvaluationLimits.Reading with { SqlTime = TimeSpan.FromSeconds(1) };
        await using var child = Child(limits);
        var control = Some.Control(Some.Test($"SELECT 1 AS item {string.Concat(Enumerable.Repeat(part, times))} FROM users"));
        Assert.Empty(await child.EvidenceOfAsync(control, CancellationToken.None));
        await using var other = Child(EvaluationLimits.Reading);
        Assert.Equal("users", Assert.Single(Assert.Single(await other.EvidenceOfAsync(Some.Control(), CancellationToken.None)).Evidence));
    }

    [Fact]
    public async Task A_cancelled_evaluation_ends_its_child_at_once()
    {
        var limits = EvaluationLimits.Default with { ProcessMemory = (4L << 30) + 1 };
        await using var child = Child(limits);
        await child.DescribeAsync();
        var own = Assert.Single(Children(limits));
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var clock = Stopwatch.StartNew();
        var bomb = Some.Control(Some.Test(
            $"SELECT a.name AS item, levenshtein({Long("a.name", 5)}, {Long("a.name", 5)} || 'y') >= 0 AS pass, '' AS reason FROM users a"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => EvaluateAsync(child, bomb, limits, soon.Token, Some.With(Alice)));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"it took {clock.Elapsed}");
        Assert.Empty(Children(limits));
    }

    [Fact]
    public async Task The_child_has_no_credential_and_may_write_nothing()
    {
        Environment.SetEnvironmentVariable("AUDITCLI_MARKER_OF_A_SECRET", "marker-4711");
        try
        {
            var small = Small with { ProcessMemory = Small.ProcessMemory + 2 };
            await using var child = Child(small);
            Assert.True((await child.DescribeAsync()).MemoryIsLimited);
            var own = Assert.Single(Children(small));
            Assert.DoesNotContain("marker-4711", await File.ReadAllTextAsync($"/proc/{own}/environ"), StringComparison.Ordinal);
            var limits = await File.ReadAllTextAsync($"/proc/{own}/limits");
            Assert.Matches("Max file size +0 +0 ", limits);
            Assert.Matches("Max core file size +0 +0 ", limits);
            Assert.Matches($"Max data size +{small.ProcessMemory} +{small.ProcessMemory} ", limits);
        }
        finally
        {
            Environment.SetEnvironmentVariable("AUDITCLI_MARKER_OF_A_SECRET", null);
        }
    }

    [Fact]
    public async Task A_child_whose_parent_is_gone_ends()
    {
        var start = new ProcessStartInfo(Program[0], [.. Program.Skip(1), "evaluation-child", "4294967296"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var child = Process.Start(start)!;
        Assert.NotEqual(-1, child.StandardOutput.BaseStream.ReadByte());
        child.StandardInput.Close();
        await AuditCommand.EndAsync(child);
    }

    [NeedsTheory("sh")]
    [InlineData("no-such-program", "no-such-program")]
    [InlineData("sh -c echo\u00a0gone>&2;kill\u00a0-9\u00a0$$", "exit code 137: gone")]
    public async Task A_child_that_does_not_start_is_told_with_its_reason(string command, string reason)
    {
        await using var child = new EvaluationProcess([.. command.Split(' ').Select(w => w.Replace('\u00a0', ' '))], Small);
        var fault = await Assert.ThrowsAsync<IOException>(() => EvaluateAsync(child, Some.Control(), Some.With(Bob)));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_says_what_this_process_says()
    {
        var joined = Some.Test(
            "SELECT d.serial AS item, c.outcome = 'complete' AS pass, 'x' AS reason, d._parent, $as_of AS at, $days AS days, u.tags "
            + "FROM devices d JOIN devices__calls c ON c._with_UserName = d._with_UserName JOIN users u ON u.name = d._with_UserName",
            "T2");
        var sound = Some.Control(Some.Test(Some.MfaSql), joined) with
        {
            Evidence =
            [
                Some.Users,
                Some.Devices,
                Some.Approvals with { Unmatched = "SELECT a.arn AS row, 'nobody' AS why FROM approvals a WHERE a.arn = 'gone'" },
            ],
            Completeness = [new("users", "SELECT count(*) FROM users", "SELECT 3")],
            Waivers = Some.Waivers,
            Parameters = [new("days", ColumnType.Integer, System.Text.Json.JsonDocument.Parse("90").RootElement, "because")],
        };
        var devices = Some.Table(Some.Devices, """{"_with_UserName":"alice","serial":"1"}""", """{"_with_UserName":"bob","serial":"2"}""") with
        {
            TakenAsNone = [new("NoSuchEntity", 2), new("NoSuchUser", 1)],
        };
        var calls = Some.Devices.CallColumns;
        var partitions = new[]
        {
            Some.Partition(
                "prod",
                ("users", Some.Table(Some.Users, Alice, Bob)),
                ("approvals", Some.Table(
                    Some.Approvals, Some.Approval("alice"), Some.Approval("gone"), Some.Approval("late", expires: "2026-01-01"))),
                ("devices", devices with
                {
                    Calls = new(calls, TableRows.Of(
                    [
                        """{"_with_UserName":"alice","outcome":"complete"}""",
                        """{"_with_UserName":"bob","outcome":"failed","code":"AccessDenied"}""",
                    ])),
                })),
            Some.Partition("dev", ("users", Some.Denied(Some.Users, Alice))),
        };
        Control[] controls =
        [
            sound,
            sound with { AcrossEngagement = true },
            sound with { Tests = [Some.Test("SELECT broken")] },
            sound with { HumanAttributes = [new("Q", "Looked at?")] },
        ];
        foreach (var control in controls)
        {
            var here = await EvaluateAsync(null, control, partitions);
            var there = await EvaluateAsync(shared.Process, control, partitions);
            Assert.Equal(Encoding.UTF8.GetString(Results(here)), Encoding.UTF8.GetString(Results(there)));
            Assert.Contains("devices: NoSuchEntity was accepted as 'there is none' (2 calls)", there.Result.Notes);
            Assert.Contains("devices: NoSuchUser was accepted as 'there is none' (1 call)", there.Result.Notes);
            Assert.Single(there.Result.Registers ?? []);
            Assert.Equal(here.Files, there.Files);
        }
    }

    private static Task<Some.Outcome> EvaluateAsync(EvaluationProcess? process, Control control, params Partition[] partitions) =>
        EvaluateAsync(process, control, process?.Limits ?? EvaluationLimits.Default, CancellationToken.None, partitions);

    private static async Task<Some.Outcome> EvaluateAsync(
        EvaluationProcess? process, Control control, EvaluationLimits limits, CancellationToken cancellationToken, params Partition[] partitions)
    {
        var files = new Dictionary<string, MemoryStream>();
        var parameters = control.Parameters.Select(EffectiveParameter.Of);
        var scope = new ControlInScope(control, ControlOrigin.Shipped, [.. parameters]);
        var result = await Evaluator.EvaluateAsync(
            scope, [.. partitions], Some.Moment, limits, process, n => files[n] = new MemoryStream(), clean: null, cancellationToken);
        return new(result, files.ToImmutableSortedDictionary(f => f.Key, f => Encoding.UTF8.GetString(f.Value.ToArray())));
    }

    private static byte[] Results(Some.Outcome outcome) =>
        ResultsJson.Write(EvaluationResults.From(
            new("duckdb", "1", ImmutableSortedDictionary<string, string>.Empty), Some.Moment, new(null, null, null), [outcome.Result], []));

    private static string WithoutId(string row) => System.Text.RegularExpressions.Regex.Replace(row, "\"exception_id\":\"[^\"]*\",", "");

    private static string Nested(string inner, Func<string, string> level, int levels) =>
        Enumerable.Range(0, levels).Aggregate(inner, (text, _) => level(text));

    /// <summary>Returns an expression whose text starts with one letter and grows tenfold with every level.</summary>
    private static string Long(string text, int levels) =>
        Nested($"replace({text}, {text}, 'xxxxxxxxxx')", i => $"replace({i}, 'x', 'xxxxxxxxxx')", levels - 1);

    /// <summary>Returns an expression that tries a condition on each of some thousand constants.</summary>
    private static string HasOne(string name, string condition) =>
        $"len(list_filter([{string.Join(", ", Enumerable.Repeat("1", 3000))}], lambda {name}: {condition})) > 0";

    /// <summary>Returns the ids of the child processes that this process started with exactly these limits.</summary>
    private static int[] Children(EvaluationLimits limits) =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName)
            .Where(n => int.TryParse(n, out _)).Select(n => int.Parse(n!, CultureInfo.InvariantCulture))
            .Where(id => Read($"/proc/{id}/cmdline").Contains($"evaluation-child\0{limits.ProcessMemory}\0", StringComparison.Ordinal)
                && Read($"/proc/{id}/status").Contains($"PPid:\t{Environment.ProcessId}\n", StringComparison.Ordinal)),
    ];

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            // The process exited meanwhile.
            return "";
        }
    }
}
