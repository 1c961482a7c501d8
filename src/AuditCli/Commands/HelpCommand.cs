using System.Collections.Immutable;
using System.CommandLine;
using System.Reflection;
using AuditCli.Controls.Yaml;
using AuditCli.Text;

namespace AuditCli.Commands;

/// <summary>
/// <c>auditcli help [TOPIC | COMMAND]</c>: prints a page of the manual, which is embedded in the program, or the help of a command. A page is a
/// Markdown file whose first line is its title; adding a file to <c>Help/</c> adds a topic.
/// </summary>
internal static class HelpCommand
{
    private const string Prefix = "help/";
    private const string Suffix = ".md";
    private const int MostWidth = 100;

    /// <summary>The topics in their order of reading, those without a place in it at the end.</summary>
    public static ImmutableArray<string> Topics { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..^Suffix.Length])
            .OrderBy(n => Order.IndexOf(n) is var at && at < 0 ? int.MaxValue : at)
            .ThenBy(n => n, StringComparer.Ordinal),
    ];

    private static ImmutableArray<string> Order =>
    [
        "engagement", "targets", "products", "access", "conclusions", "coverage", "codes", "bundle", "shards", "reports", "exceptions", "people", "signing",
        "secrets", "control-files",
    ];

    public static Command Build(AuditHost host)
    {
        var words = new Argument<string[]>("TOPIC")
        {
            Description = "A topic, or a command. Without one: the list of topics.",
            HelpName = "TOPIC",
            Arity = ArgumentArity.ZeroOrMore,
        };
        words.CompletionSources.Add([.. Topics]);
        var command = new DetailedCommand("help", "Print a page of the manual, or the help of a command.", """
            Exit codes: 0 printed, 1 there is no such topic or command.

            Examples:
              auditcli help
              auditcli help signing
              auditcli help controls validate
            """)
        {
            words,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var asked = parsed.GetValue(words) ?? [];
            var root = parsed.RootCommandResult.Command;
            if (asked.Length == 0)
            {
                await output.WriteAsync(Contents());
                return ExitCode.Ok;
            }
            if (asked is [var topic] && Topics.Contains(topic))
            {
                await output.WriteAsync(ManualText.Of(Page(topic), Math.Min(host.OutputWidth, MostWidth)));
                return ExitCode.Ok;
            }
            if (Names(root, asked))
                return await root.Parse([.. asked, "--help"]).InvokeAsync(parsed.InvocationConfiguration, cancellationToken);
            var hint = NearMiss.Hint(asked[0], Topics.Concat(root.Subcommands.Select(c => c.Name)));
            await error.WriteLineAsync($"auditcli: there is no topic or command '{string.Join(' ', asked)}'{hint}; 'auditcli help' lists the topics");
            return ExitCode.Usage;
        });
        return command;
    }

    /// <summary>The text of a topic's page.</summary>
    public static string Page(string topic) => EmbeddedText.Of($"{Prefix}{topic}{Suffix}");

    private static string Contents()
    {
        var width = Topics.Max(t => t.Length);
        var lines = Topics.Select(t => $"  {t.PadRight(width)}  {Title(t)}");
        return $"Topics:\n{string.Join('\n', lines)}\n\nauditcli help TOPIC prints one; auditcli help COMMAND prints the help of a command.\n";
    }

    private static string Title(string topic) => Page(topic).Split('\n', 2)[0].TrimStart('#', ' ');

    /// <summary>Whether the words name a command, or a subcommand of one.</summary>
    private static bool Names(Command command, ReadOnlySpan<string> words)
    {
        if (words.IsEmpty)
            return true;
        foreach (var sub in command.Subcommands)
        {
            if (sub.Name == words[0])
                return Names(sub, words[1..]);
        }
        return false;
    }
}
