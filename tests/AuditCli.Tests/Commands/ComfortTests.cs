using AuditCli.Controls.Loading;
using AuditCli.Libraries;

namespace AuditCli.Tests.Commands;

/// <summary>Tests what helps a new user: <c>init</c>, completion, hints and packs.</summary>
public sealed class ComfortTests
{
    private static readonly Dictionary<string, string> Nothing = [];

    [Theory]
    [InlineData("runn engagement.yaml", "run")]
    [InlineData("run --contrl APD-AWS-002", "did you mean '--control'")]
    [InlineData("verify --alow-unsigned", "did you mean '--allow-unsigned'")]
    [InlineData("show --htm x", "did you mean '--html'")]
    [InlineData("controls show APD-AWS-02", "did you mean 'APD-AWS-002'")]
    [InlineData("controls test APD-AWS-02", "did you mean 'APD-AWS-002'")]
    [InlineData("run {sample} --control APD-AWS-02", "did you mean 'APD-AWS-002'")]
    [InlineData("run {sample} --target pord", "did you mean 'prod'")]
    [InlineData("run {sample} --pack quik", "did you mean 'quick'")]
    [InlineData("run", "auditcli init")]
    [InlineData("run --gcp", "GOOGLE_CLOUD_PROJECT")]
    [InlineData("run {sample} --aws", "is only for a run without an engagement, so leave it out")]
    public async Task Who_is_nearly_right_is_told_what_may_have_been_meant(string line, string hint)
    {
        using var folder = new TemporaryFolder();
        var words = line.Replace("{sample}", Repository.Path("samples", "engagement.yaml"), StringComparison.Ordinal).Split(' ');
        var result = await AuditCommand.RunAsync(folder.Path, words);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(hint, result.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task An_engagement_that_is_begun_loads_and_is_never_overwritten()
    {
        using var folder = new TemporaryFolder();
        string[] command =
            ["init", "audit", "--entity", "Quotes \"& <Sons>", "--reviewer", "R. Reviewer", "--aws", "--gcp", "--http", "--kubernetes"];
        var begun = await AuditCommand.RunAsync(folder.Path, command);
        Assert.True(begun.ExitCode == 0, begun.ToString());
        var file = Path.Combine(folder.Path, "audit", "engagement.yaml");
        var (engagement, faults) = EngagementLoader.Load(file, AuditCommand.Host(folder.Path).Sources);
        Assert.Empty(faults);
        Assert.Equal("Quotes \"& <Sons>", engagement!.Entity);
        Assert.Equal(["aws", "gcp", "http", "kubernetes"], engagement.Targets.Select(t => t.Source).Order());
        var content = await File.ReadAllTextAsync(file);
        Assert.Equal(1, (await AuditCommand.RunAsync(folder.Path, command)).ExitCode);
        Assert.Equal(content, await File.ReadAllTextAsync(file));

        // The inputs that it suggests suit the controls once the file states their origin.
        File.WriteAllText(file, content
            .Replace("# inputs:", "inputs:", StringComparison.Ordinal)
            .Replace("\n#   ", "\n  ", StringComparison.Ordinal)
            .Replace("  include:", "#", StringComparison.Ordinal)
            .Replace("  not_applicable:", "#", StringComparison.Ordinal));
        var permissions = await AuditCommand.RunAsync(folder.Path, "permissions", "audit/engagement.yaml", "--source", "aws");
        Assert.True(permissions.ExitCode == 0, permissions.ToString());
    }

    /// <summary>A new user gets the targets that the machine can read, and the run does not fail at those of other people.</summary>
    [Theory]
    [InlineData("", "", "", "no target: none of aws, gcp, kubernetes, http is set up here")]
    [InlineData("--aws", "", "aws", "targets: prod (aws); the other sources are commented examples")]
    [InlineData("--aws --kubernetes", "KUBECONFIG", "aws kubernetes", "targets: prod (aws), cluster (kubernetes)")]
    [InlineData("", "KUBECONFIG", "kubernetes", "targets: cluster (kubernetes)")]
    [InlineData("", "AWS_PROFILE GOOGLE_APPLICATION_CREDENTIALS", "aws gcp", "targets: prod (aws), cloud (gcp)")]
    [InlineData("", ".aws/config", "aws", "targets: prod (aws)")]
    [InlineData("--http", ".aws/config", "http", "targets: idp (http)")]
    public async Task A_target_is_begun_for_each_source_that_is_named_or_set_up_and_the_others_are_examples(
        string options, string there, string sources, string said)
    {
        using var folder = new TemporaryFolder();
        foreach (var file in there.Split(' ').Where(t => t.StartsWith('.')))
            folder.Write(file, "");
        var host = AuditCommand.Host(folder.Path) with
        {
            Environment = name => name == "HOME" ? folder.Path : there.Split(' ').Contains(name) ? "x" : null,
        };

        var begun = await AuditCommand.RunAsync(
            host, CancellationToken.None, ["init", "audit", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        Assert.True(begun.ExitCode == 0 && begun.Output.Contains(said, StringComparison.Ordinal), begun.ToString());
        var path = Path.Combine(folder.Path, "audit", "engagement.yaml");
        var (engagement, faults) = EngagementLoader.Load(path, host.Sources);
        Assert.Empty(faults);
        Assert.Equal(sources, string.Join(' ', engagement!.Targets.Select(t => t.Source).Order(StringComparer.Ordinal)));

        // Every example is a target, once it is uncommented.
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path)).Replace("\n  # ", "\n  ", StringComparison.Ordinal)
            .Replace("targets: {}", "targets:", StringComparison.Ordinal));
        (engagement, faults) = EngagementLoader.Load(path, host.Sources);
        Assert.Empty(faults);
        Assert.Equal(host.Collectors.Length, engagement!.Targets.Length);
    }

    [Theory]
    [InlineData("", "no control can run until the file names a target")]
    [InlineData("--http", "no control can run yet: the shipped ones read aws, gcp, kubernetes; name such a target too, or write a control of http")]
    [InlineData("--aws", "")]
    public async Task What_no_control_can_run_on_is_said_with_the_next_step(string options, string said)
    {
        using var folder = new TemporaryFolder();
        var begun = await AuditCommand.RunAsync(folder.Path, ["init", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.True(begun.ExitCode == 0, begun.ToString());
        Assert.Equal(said.Length > 0, begun.Output.Contains("no control can run", StringComparison.Ordinal));
        Assert.Contains(said, begun.Output, StringComparison.Ordinal);
        Assert.Empty(EngagementLoader.Load(Path.Combine(folder.Path, "engagement.yaml"), AuditCommand.Host(folder.Path).Sources).Faults);
    }

    [Fact]
    public async Task One_existing_file_is_enough_that_nothing_is_begun()
    {
        using var folder = new TemporaryFolder();
        folder.Write("inputs/hr-leavers.csv", "mine");
        var result = await AuditCommand.RunAsync(folder.Path, "init");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("hr-leavers.csv already exists; nothing was written", result.Error, StringComparison.Ordinal);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_gitignore_that_exists_is_kept_and_the_lines_to_add_are_printed()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write(".gitignore", "mine");
        var result = await AuditCommand.RunAsync(folder.Path, "init");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains(".gitignore exists already and was kept; add these lines to it:\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("\nbundles/\n", result.Output, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(file));
        Assert.True(File.Exists(Path.Combine(folder.Path, "engagement.yaml")));
    }

    [Fact]
    public void Every_shipped_pack_names_active_controls_once()
    {
        var host = AuditCommand.Host("/");
        var library = ChosenLibrary.Load(null, host);
        var packs = ChosenLibrary.Packs(null, host).Files;
        Assert.Contains(packs, p => p.Path == "packs/quick.yaml");
        foreach (var file in packs)
        {
            var (pack, faults) = ControlPack.Read(file, [.. library.Controls.Select(c => c.Control)], ChosenLibrary.Frameworks(null, host));
            Assert.Empty(faults);
            Assert.NotEmpty(pack!.Controls);
        }
    }

    [Fact]
    public async Task A_pack_of_a_library_runs_its_controls_and_says_which_it_left_out()
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(
            folder.Path, "run", Repository.Path("samples", "engagement.yaml"), "--pack", "quick", "--target", "dev", "--out", "out");
        Assert.True(result.ExitCode == 2, result.ToString());
        Assert.Contains("not tested: APD-AWS-006: not in the pack quick", result.Output, StringComparison.Ordinal);
        Assert.Contains("APD-AWS-002", result.Output, StringComparison.Ordinal);
        var again = await AuditCommand.RunAsync(folder.Path, "reperform", AuditCommand.TheBundle(Path.Combine(folder.Path, "out")), "--allow-unsigned");
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task A_pack_with_faults_is_refused_with_their_places()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(Repository.Path("controls"), "APD-AWS-00?.*", SearchOption.AllDirectories))
            folder.Write($"controls/access-to-programs-and-data/{Path.GetFileName(file)}", await File.ReadAllTextAsync(file));
        folder.Write("controls/packs/mine.yaml", "schema: 1\ntitle: Mine\ncontrols:\n  - APD-AWS-02\n  - APD-AWS-001\n  - APD-AWS-001\n");
        var result = await AuditCommand.RunAsync(folder.Path, "run", "--aws", "--controls", "controls", "--pack", "mine");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("mine.yaml:4:5", result.Error, StringComparison.Ordinal);
        Assert.Contains("did you mean 'APD-AWS-002'", result.Error, StringComparison.Ordinal);
        Assert.Contains("mine.yaml:6:5", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_names_commit_and_engine()
    {
        var result = await AuditCommand.RunAsync("/", "--version");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(
            "^auditcli [0-9]+\\.[0-9]+\\.[0-9]+\\S*\r?\ncommit ([0-9a-f]{40}|unknown: .*)\r?\n"
            + "engine duckdb v[0-9.]+\r?\nruntime \\.NET 10\\.",
            result.Output);
    }

    /// <summary>Completes a line as the Tab key does in an interactive shell with the program on the path.</summary>
    [NeedsTheory("bash")]
    [InlineData("auditcli ver", "verify")]
    [InlineData("auditcli run --cont", "--control --controls")]
    [InlineData("auditcli run --control APD-AWS-00", "APD-AWS-001 APD-AWS-002 APD-AWS-004 APD-AWS-006")]
    [InlineData("auditcli run --pack ", "iso-27001 quick soc2 sox-itgc")]
    [InlineData("auditcli coverage --pack so", "soc2 sox-itgc")]
    [InlineData("auditcli coverage --framework cis-d", "cis-docker")]
    [InlineData("auditcli controls list --domain a", "access-to-programs-and-data ai-platform")]
    [InlineData("auditcli controls list --source k", "kubernetes")]
    [InlineData("auditcli completion z", "zsh")]
    [InlineData("auditcli verify ", "")]
    public async Task Bash_completes(string line, string expected)
    {
        using var folder = new TemporaryFolder();
        var program = Program(folder);
        var script = $"""
            source <(auditcli completion bash)
            COMP_LINE='{line}' COMP_POINT={line.Length}
            COMP_WORDS=({line.TrimEnd()}{(line.EndsWith(' ') ? " ''" : "")})
            COMP_CWORD=$((${"{#COMP_WORDS[@]}"} - 1))
            _auditcli
            echo "${"{COMPREPLY[*]}"}"
            """;
        var result = await AuditCommand.OtherAsync(
            folder.Path, "env", $"PATH={program}:{Environment.GetEnvironmentVariable("PATH")}", "bash", "--norc", "-c", script);
        Assert.True(result.ExitCode == 0 && result.Error.Length == 0, result.ToString());
        Assert.Equal(expected, result.Output.Trim());
    }

    [NeedsFact("fish")]
    public async Task Fish_completes()
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.OtherAsync(
            folder.Path, "env", $"PATH={Program(folder)}:{Environment.GetEnvironmentVariable("PATH")}", $"HOME={folder.Path}",
            "fish", "--no-config", "-c",
            "auditcli completion fish | source; complete -C 'auditcli run --control APD-AWS-00'; complete -C 'auditcli ver'");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(
            "APD-AWS-001 APD-AWS-002 APD-AWS-004 APD-AWS-006 verify",
            string.Join(' ', result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [NeedsFact("zsh")]
    public async Task Zsh_takes_the_script()
    {
        using var folder = new TemporaryFolder();
        // Real completion needs a terminal. Without one, the function is called with the line, and compadd is replaced to print what it
        // would add.
        const string Script = """
            autoload -Uz compinit; compinit -u -D
            source <(auditcli completion zsh)
            compadd() { shift; print -r -- "$*" }
            BUFFER='auditcli run --control APD-AWS-00' CURSOR=33 words=(auditcli run --control APD-AWS-00) CURRENT=4
            _auditcli
            """;
        var result = await AuditCommand.OtherAsync(
            folder.Path, "env", $"PATH={Program(folder)}:{Environment.GetEnvironmentVariable("PATH")}", $"HOME={folder.Path}",
            "zsh", "-f", "-c", Script);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("APD-AWS-001 APD-AWS-002 APD-AWS-004 APD-AWS-006", result.Output.Trim());
    }

    [NeedsFact("pwsh")]
    public async Task PowerShell_completes()
    {
        using var folder = new TemporaryFolder();
        const string Script = """
            auditcli completion powershell | Out-String | Invoke-Expression
            foreach ($line in 'auditcli ver', 'auditcli run --control APD-AWS-00', 'auditcli run --allow', 'auditcli run --pack ') {
                (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches.CompletionText -join ' '
            }
            """;
        var result = await AuditCommand.OtherAsync(
            folder.Path, "env", $"PATH={Program(folder)}:{Environment.GetEnvironmentVariable("PATH")}", $"HOME={folder.Path}",
            "pwsh", "-NoProfile", "-NonInteractive", "-Command", Script);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(
            ["verify", "APD-AWS-001 APD-AWS-002 APD-AWS-004 APD-AWS-006", "--allow-secrets", "iso-27001 quick soc2 sox-itgc"],
            result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    /// <summary>Creates a folder with a program named auditcli.</summary>
    private static string Program(TemporaryFolder folder)
    {
        var program = folder.Write("bin/auditcli", $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "auditcli.dll")}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return Path.GetDirectoryName(program)!;
    }
}
