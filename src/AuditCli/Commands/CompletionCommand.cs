using System.CommandLine;
using AuditCli.Text;

namespace AuditCli.Commands;

/// <summary>
/// <c>auditcli completion SHELL</c>: prints the script with which a shell completes commands, options, controls and targets.
/// </summary>
internal static class CompletionCommand
{
    public static Command Build()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, fish or powershell.", HelpName = "SHELL" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "powershell");
        var command = new DetailedCommand("completion", "Print the script that makes a shell complete commands, options, control ids, packs and targets.", """
            Examples:
              source <(auditcli completion bash)            # in ~/.bashrc
              source <(auditcli completion zsh)             # in ~/.zshrc, after compinit
              auditcli completion fish | source             # in ~/.config/fish/config.fish
              auditcli completion powershell | Out-String | Invoke-Expression
            """)
        {
            shell,
        };
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(Script(parsed.GetValue(shell)!)));
        return command;
    }

    private static string Script(string shell) => EmbeddedText.Of($"completion/auditcli.{(shell == "powershell" ? "ps1" : shell)}");
}
