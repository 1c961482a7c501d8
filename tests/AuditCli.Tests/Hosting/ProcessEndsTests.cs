namespace AuditCli.Tests.Hosting;

/// <summary>
/// Runs the program in unusual environments: streams that are closed, full or no longer read, few open files, unusual locales, and a
/// deleted working folder.
/// </summary>
public sealed class ProcessEndsTests(UsualEnds usual) : IClassFixture<UsualEnds>, IDisposable
{
    private const string Program = UsualEnds.Program;

    private readonly TemporaryFolder _folder = new();

    /// <summary>
    /// All commands in <c>.ci/long</c>; otherwise one that seals, one that reads without a child process, and one that does both.
    /// </summary>
    private static string[] Commands =>
    [
        .. UsualEnds.Commands.Where(c => LongRun.IsWhole
            || c.StartsWith("run", StringComparison.Ordinal)
            || c.StartsWith("verify", StringComparison.Ordinal)
            || c.StartsWith("reperform", StringComparison.Ordinal)),
    ];

    public void Dispose() => _folder.Dispose();

    private static readonly string[] Surroundings =
    [
        "{0} <&-", "{0} 2>&-", "env -u HOME {0}", "env -u TMPDIR {0}", "mkdir gone && cd gone && rmdir ../gone && {0}",
    ];

    /// <summary>Every command in each environment in <c>.ci/long</c>; otherwise each environment once, with the commands in turn.</summary>
    public static TheoryData<string, string> Odd
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var (n, surroundings) in Surroundings.Index())
            {
                foreach (var command in LongRun.IsWhole ? Commands : [Commands[n % Commands.Length]])
                    cases.Add(surroundings, command);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task Every_command_does_its_work_in_odd_surroundings(string surroundings, string command)
    {
        var odd = await SayAsync(surroundings.Replace("{0}", $"{Program} {command}", StringComparison.Ordinal), asItIs: true);
        Assert.True(odd.ExitCode == 0, $"{surroundings}: {command}\n{odd}");
        // The output of a run contains the name and the times of its bundle, which differ.
        if (!command.StartsWith("run", StringComparison.Ordinal))
            Assert.Equal(usual.Output[command], odd.Output);
        Assert.DoesNotContain("Unhandled", odd.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_any_command_without_words_of_a_bug()
    {
        using var process = AuditCommand.Start(_folder.Path, new Dictionary<string, string>(), [], "controls", "test");
        var error = process.StandardError.ReadToEndAsync();
        Assert.StartsWith("pass", await process.StandardOutput.ReadLineAsync(), StringComparison.Ordinal);
        var output = process.StandardOutput.ReadToEndAsync();
        Signal.Send(process, Signal.Interrupt);
        await AuditCommand.EndAsync(process);
        Assert.True((process.ExitCode, await error) == (130, "auditcli: interrupted\n"), $"{process.ExitCode} {await output} {await error}");
    }

    [Theory]
    [InlineData(">&-", "it is closed")]
    [InlineData(">/dev/full", "No space left on device")]
    public async Task Who_is_told_nothing_is_not_told_that_all_is_well(string end, string why)
    {
        foreach (var command in Commands)
        {
            var result = await SayAsync($"{command} {end}");
            Assert.True(result.ExitCode == 1, $"{command}\n{result}");
            Assert.Contains($"cannot write to stdout ({why}): the output is lost", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("nothing was collected", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
            Assert.Equal(command.StartsWith("run", StringComparison.Ordinal), result.Error.Contains("the bundle is sealed: ", StringComparison.Ordinal));
        }
        Assert.All(Directory.GetDirectories(Path.Combine(_folder.Path, "out")), d => Assert.False(d.EndsWith(".partial", StringComparison.Ordinal), d));
    }

    /// <summary>All in <c>.ci/long</c>; otherwise every other one.</summary>
    public static TheoryData<string> Closed => [.. LongRun.Sample(["<&- >&- 2>&-", ">&-", "2>&-", ">&- 2>&-", ">/dev/full 2>/dev/full", "2>/dev/full"], 2)];

    [Theory]
    [MemberData(nameof(Closed))]
    public async Task A_verdict_stands_whoever_hears_of_it(string end)
    {
        var result = await SayAsync($"run \"$SAMPLE\" --control APD-AWS-002 --out \"$OUT\" {end}");
        Assert.True(result.ExitCode == 2, result.ToString());
        var bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "out"));
        var verified = await AuditCommand.RunAsync(_folder.Path, "verify", bundle, "--allow-unsigned");
        Assert.True(verified.ExitCode == 0, verified.ToString());
    }

    [Fact]
    public async Task A_reader_that_has_seen_enough_is_no_failure()
    {
        foreach (var command in Commands)
        {
            var result = await SayAsync($"set -o pipefail; {Program} {command} | head -c 1", asItIs: true);
            Assert.True(result.ExitCode == 0, $"{command}\n{result}");
            Assert.Equal(1, result.Output.Length);
            Assert.DoesNotContain("auditcli:", result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("nothing was", result.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(40)]
    [InlineData(64)]
    [InlineData(100)]
    public async Task Where_too_few_files_may_be_open_every_command_says_so_at_once(int files)
    {
        foreach (var command in Commands)
        {
            var result = await SayAsync($"ulimit -n {files}; exec {Program} {command}", asItIs: true);
            Assert.True(result.ExitCode != 0 && result.Output.Length == 0, $"{command}\n{result}");
            // With even fewer files the .NET runtime does not start. Which file it fails on, and how it exits, is not up to this program.
            if (files < 40)
                continue;
            Assert.True(result.ExitCode == 1, $"{command}\n{result}");
            Assert.Contains(
                $"may have {files} files open at once, but auditcli needs at least 128; run 'ulimit -n 1024'",
                result.Error,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_folder_for_temporary_files_that_is_not_there_is_named_and_is_needed_by_one_command_alone()
    {
        foreach (var command in Commands)
        {
            var result = await SayAsync($"TMPDIR=/nowhere/at/all {Program} {command}", asItIs: true);
            var needs = command.StartsWith("reperform", StringComparison.Ordinal);
            Assert.True(result.ExitCode == (needs ? 1 : 0), $"{command}\n{result}");
            Assert.Equal(
                needs,
                result.Error.Contains("/nowhere/at/all", StringComparison.Ordinal) && result.Error.Contains("TMPDIR", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("verify bundle")]
    [InlineData("show bundle")]
    [InlineData("query bundle")]
    [InlineData("report bundle --format md")]
    [InlineData("reperform bundle")]
    [InlineData("run engagement.yaml")]
    [InlineData("run \"$SAMPLE\"")]
    public async Task A_path_from_a_folder_that_is_gone_is_named(string command)
    {
        var result = await SayAsync($"mkdir gone && cd gone && rmdir ../gone && {Program} {command}", asItIs: true);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("the current folder has been removed; change to an existing folder, or give the full path", result.Error, StringComparison.Ordinal);
    }

    /// <summary>
    /// Says everything that a locale could change: words of the help, an identifier in the other case, numbers, dates, upper and lower
    /// case, sorting, the encoding of a pipe, a report, and an exit code.
    /// </summary>
    internal const string Telling =
        """
        say() { dotnet "$AUDITCLI_DLL" "$@" 2>&1; echo "exit code $?"; }
        say run --help
        say controls show inf-aws-001
        say query "$BUNDLE" "SELECT 1234567.5 AS n, DATE '2026-01-31' AS d, upper('istanbul ı') AS u, lower('ISPARTA İ') AS l, t AS city \
            FROM (VALUES ('Zürich'), ('zebra'), ('Çorum'), ('Ispir'), ('ığdır')) v(t) ORDER BY t"
        say report "$BUNDLE" --format md --allow-unsigned
        """;

    /// <summary>
    /// The last two are those of a program without the setting of the build (<c>InvariantGlobalization</c>), which the variable overrides:
    /// unless the program itself sets its culture, they print Turkish and German help.
    /// </summary>
    [Theory]
    [InlineData("LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8")]
    [InlineData("LANG=de_DE")]
    [InlineData("LC_ALL=de_DE.ISO-8859-1")]
    [InlineData("LC_ALL=C")]
    [InlineData("LC_ALL=POSIX")]
    [InlineData("LC_ALL=xx_YY.nonsense")]
    [InlineData("LC_ALL=tr_TR.UTF-8 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=0")]
    [InlineData("LANG=de_DE DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=0")]
    public async Task A_locale_changes_no_byte_of_what_is_said(string locale)
    {
        var said = await SayAsync($"export {locale}\n{Telling}", asItIs: true);
        Assert.Equal(usual.Telling, said.Output);
    }

    private Task<CommandResult> SayAsync(string command, bool asItIs = false) =>
        AuditCommand.ShellAsync(_folder.Path, usual.Variables(Path.Combine(_folder.Path, "out")), asItIs ? command : $"{Program} {command}");
}

/// <summary>A bundle of one control of the sample, and what each command prints in a normal environment.</summary>
public sealed class UsualEnds : IAsyncLifetime, IDisposable
{
    internal const string Program = "dotnet \"$AUDITCLI_DLL\"";
    private readonly TemporaryFolder _folder = new();

    /// <summary>Command lines as a user types them; each exits with 0.</summary>
    internal static string[] Commands { get; } =
    [
        "run \"$SAMPLE\" --control LOG-AWS-001 --out \"$OUT\"",
        "verify \"$BUNDLE\" --allow-unsigned",
        "show \"$BUNDLE\" LOG-AWS-001",
        "query \"$BUNDLE\" 'SELECT * FROM results.items'",
        "report \"$BUNDLE\" --format md --allow-unsigned",
        "reperform \"$BUNDLE\" --allow-unsigned",
        "controls test INF-K8S-002",
    ];

    /// <summary>What <see cref="ProcessEndsTests.Telling"/> prints without any variable of a locale.</summary>
    internal string Telling { get; private set; } = "";

    internal Dictionary<string, string> Output { get; } = new(StringComparer.Ordinal);

    private string Bundle { get; set; } = "";

    public async Task InitializeAsync()
    {
        var run = await AuditCommand.RunAsync(
            _folder.Path, "run", Repository.Path("samples", "engagement.yaml"), "--control", "LOG-AWS-001", "--out", "bundles");
        Assert.True(run.ExitCode == 0, run.ToString());
        Bundle = AuditCommand.TheBundle(Path.Combine(_folder.Path, "bundles"));
        foreach (var command in Commands)
        {
            var result = await AuditCommand.ShellAsync(_folder.Path, Variables(Path.Combine(_folder.Path, "out")), $"{Program} {command}");
            Assert.True(result.ExitCode == 0, $"{command}\n{result}");
            Output[command] = result.Output;
        }
        Telling = (await AuditCommand.ShellAsync(_folder.Path, Variables(Path.Combine(_folder.Path, "out")), ProcessEndsTests.Telling)).Output;
        Assert.Equal(4, Telling.Split("exit code 0\n").Length - 1);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _folder.Dispose();

    internal Dictionary<string, string> Variables(string @out) => new()
    {
        ["AUDITCLI_DLL"] = Path.Combine(AppContext.BaseDirectory, "auditcli.dll"),
        ["SAMPLE"] = Repository.Path("samples", "engagement.yaml"),
        ["BUNDLE"] = Bundle,
        ["OUT"] = @out,
    };
}
