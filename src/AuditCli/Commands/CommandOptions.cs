using System.CommandLine;

namespace AuditCli.Commands;

/// <summary>Options that can also come from the environment: <c>--out</c> is <c>AUDITCLI_OUT</c>, lists are separated by commas.</summary>
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

    /// <summary>How the result is printed.</summary>
    public static Option<string?> Output(AuditHost host)
    {
        var option = Text(host, "--output", "text|json", "How the result is printed on stdout.", "text");
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    private static string Variable(string name) => "AUDITCLI_" + name.TrimStart('-').Replace('-', '_').ToUpperInvariant();
}
