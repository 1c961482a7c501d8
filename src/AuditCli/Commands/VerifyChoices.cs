using System.CommandLine;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Commands;

/// <summary>The options that say how a bundle is verified, the same for every command that verifies one.</summary>
internal sealed class VerifyChoices(AuditHost host)
{
    private readonly Option<bool> _allowUnsigned = CommandOptions.Flag(host, "--allow-unsigned", "A bundle without a signature is what I expect.");

    public void AddTo(Command command) => command.Options.Add(_allowUnsigned);

    public VerifyOptions Of(ParseResult parsed) => new(parsed.GetValue(_allowUnsigned));
}
