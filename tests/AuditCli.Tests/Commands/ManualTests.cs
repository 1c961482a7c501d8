using AuditCli.Commands;

namespace AuditCli.Tests.Commands;

/// <summary>Tests the manual in the program: every topic is printed and every command is found, and nothing else is.</summary>
public sealed class ManualTests
{
    public static TheoryData<string> Topics => [.. HelpCommand.Topics];

    [Theory]
    [InlineData("signin", "there is no topic or command 'signin'; did you mean 'signing'?")]
    [InlineData("verfy", "there is no topic or command 'verfy'; did you mean 'verify'?")]
    [InlineData("quantum", "there is no topic or command 'quantum'; 'auditcli help' lists the topics")]
    public async Task A_word_that_is_neither_topic_nor_command_is_named_and_not_answered(string word, string said)
    {
        using var folder = new TemporaryFolder();
        var run = await AuditCommand.RunAsync(folder.Path, "help", word);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subcommand_that_a_command_does_not_have_is_named_and_not_answered()
    {
        using var folder = new TemporaryFolder();
        var run = await AuditCommand.RunAsync(folder.Path, "help", "controls", "invalidate");
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains("'controls invalidate'", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_readme_lists_every_topic()
    {
        var readme = await File.ReadAllTextAsync(Repository.Path("README.md"));
        Assert.All(HelpCommand.Topics, t => Assert.Contains($"| [{t}](src/AuditCli/Help/{t}.md) |", readme, StringComparison.Ordinal));
        Assert.True(readme.Length <= 8 * 1024);
    }

    [Fact]
    public async Task Without_a_topic_all_topics_are_listed_with_their_titles()
    {
        using var folder = new TemporaryFolder();
        var run = await AuditCommand.RunAsync(folder.Path, "help");
        Assert.Equal(0, run.ExitCode);
        Assert.True(HelpCommand.Topics.Length >= 10);
        Assert.All(HelpCommand.Topics, t => Assert.Matches($@"(?m)^  {t} +\S", run.Output));
    }

    [Theory]
    [MemberData(nameof(Topics))]
    public async Task A_topic_is_printed_whole_and_fits_a_terminal_of_a_hundred_columns(string topic)
    {
        using var folder = new TemporaryFolder();
        var run = await AuditCommand.RunAsync(AuditCommand.Host(folder.Path) with { OutputWidth = 200 }, CancellationToken.None, "help", topic);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var page = HelpCommand.Page(topic);
        Assert.StartsWith("# ", page, StringComparison.Ordinal);
        // The header row of a table is left out, because the output shows no headings.
        var lines = page.Split('\n');
        var words = lines.Where((_, n) => n + 1 == lines.Length || !lines[n + 1].StartsWith("|---", StringComparison.Ordinal)).SelectMany(l => l.Split(' '));
        Assert.All(words.Where(w => w.Length > 0 && w.All(char.IsAsciiLetterLower)), w => Assert.Contains(w, run.Output, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("|---", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n').Where(l => !l.StartsWith("    ", StringComparison.Ordinal)), l => Assert.True(l.Length <= 120, l));
    }

    [Theory]
    [InlineData("verify", "--expect-head")]
    [InlineData("controls validate", "every fault")]
    public async Task The_help_of_a_command_is_the_one_that_it_prints_itself(string command, string part)
    {
        using var folder = new TemporaryFolder();
        var run = await AuditCommand.RunAsync(folder.Path, ["help", .. command.Split(' ')]);
        var own = await AuditCommand.RunAsync(folder.Path, [.. command.Split(' '), "--help"]);
        Assert.Equal((0, own.Output), (run.ExitCode, run.Output));
        Assert.Contains(part, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_commands_that_the_manual_shows_exist_and_have_the_options_it_gives_them()
    {
        using var folder = new TemporaryFolder();
        var root = Composition.Root(AuditCommand.Host(folder.Path));
        var shown = HelpCommand.Topics
            .SelectMany(t => HelpCommand.Page(t).Split('\n').Where(l => l.StartsWith("    auditcli ", StringComparison.Ordinal))
                .Select(l => (Topic: t, Line: l.Trim())));
        Assert.All(shown, s =>
        {
            var words = s.Line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var command = root.Subcommands.SingleOrDefault(c => c.Name == words[1]);
            Assert.True(command is not null, $"{s.Topic}: {s.Line}");
            command = command.Subcommands.SingleOrDefault(c => c.Name == words[2]) ?? command;
            var options = command.Options.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
            Assert.All(
                words.Where(w => w.StartsWith("--", StringComparison.Ordinal)),
                w => Assert.True(options.Contains(w.Trim(',')), $"{s.Topic}: {w} in {s.Line}"));
        });
        Assert.True(shown.Count() > 20);
    }
}
