using System.CommandLine;
using System.CommandLine.Parsing;
using AuditCli.Controls.Yaml;

namespace AuditCli.Commands;

/// <summary>
/// Makes options whose default comes from the environment: <c>--out</c> from <c>AUDITCLI_OUT</c>; lists are separated by commas.
/// </summary>
internal static class CommandOptions
{
    public static Option<string?> Text(AuditHost host, string name, string argument, string description, string? fallback = null) => new(name)
    {
        Description = description,
        HelpName = argument,
        DefaultValueFactory = _ => host.Environment(Variable(name)) ?? fallback,
    };

    public static Option<string[]> List(AuditHost host, string name, string argument, string description) => new(name)
    {
        Description = description,
        HelpName = argument,
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => host.Environment(Variable(name))?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
    };

    public static Option<bool> Flag(AuditHost host, string name, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => host.Environment(Variable(name)) is "1" or "true",
    };

    /// <summary>Makes the option <c>--output</c>, the format of the result on stdout.</summary>
    public static Option<string?> Output(AuditHost host)
    {
        var option = Text(host, "--output", "text|json", "How the result is printed on stdout.", "text");
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    /// <summary>
    /// Makes every argument reject a token that looks like an option but is not one of the command, and suggest a similar option. Without
    /// this, the argument would accept the token, and the command would complain about a file of that name.
    /// </summary>
    public static RootCommand RefuseUnknown(RootCommand root)
    {
        foreach (var command in All(root))
        {
            foreach (var argument in command.Arguments)
                argument.Validators.Add(result => Refuse(result, command));
        }
        return root;
    }

    private static void Refuse(ArgumentResult result, Command command)
    {
        foreach (var token in result.Tokens.Where(t => LooksLikeOption(t.Value)))
            result.AddError(
                $"'{token.Value}' is not an option of {command.Name}{NearMiss.Hint(token.Value, command.Options.Select(o => o.Name))}; "
                + $"its options: auditcli {Path(command)} --help");
    }

    private static bool LooksLikeOption(string text) =>
        text.Length > 2 && text.StartsWith("--", StringComparison.Ordinal) && char.IsAsciiLetterLower(text[2])
        && text[3..].All(c => c == '-' || char.IsAsciiLetterLower(c));

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);

    private static string Path(Command command) =>
        string.Join(' ', command.Parents.OfType<Command>().Where(p => p is not RootCommand).Select(p => p.Name).Append(command.Name));

    private static string Variable(string name) => "AUDITCLI_" + name.TrimStart('-').Replace('-', '_').ToUpperInvariant();
}
