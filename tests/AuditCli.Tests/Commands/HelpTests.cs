namespace AuditCli.Tests.Commands;

/// <summary>Compares every help text with its approved file.</summary>
public sealed class HelpTests
{
    /// <summary>Every command line after the program's name.</summary>
    public static TheoryData<string> Written => [.. All];

    private static IEnumerable<string> All => Commands(Composition.Root(AuditCommand.Host("/")), "");

    [Theory]
    [MemberData(nameof(Written))]
    public async Task Help_is_as_approved(string command)
    {
        using var folder = new TemporaryFolder();
        var result = await AuditCommand.RunAsync(folder.Path, [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Equal(0, result.ExitCode);
        var page = command.Length == 0 ? "auditcli" : command.Replace(' ', '-');
        Golden.Matches(
            $"help/{page}.txt", result.Output.ReplaceLineEndings("\n").Replace("testhost", "auditcli", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_command_has_an_approved_help()
    {
        var commands = All.Select(c => c.Length == 0 ? "auditcli" : c.Replace(' ', '-')).Order(StringComparer.Ordinal);
        var approved = Directory.GetFiles(Repository.Path("tests", "AuditCli.Tests", "Golden", "help"))
            .Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);
        Assert.Equal(commands, approved);
    }

    private static IEnumerable<string> Commands(System.CommandLine.Command command, string path) =>
        command.Subcommands.SelectMany(c => Commands(c, $"{path} {c.Name}".Trim())).Prepend(path);
}
