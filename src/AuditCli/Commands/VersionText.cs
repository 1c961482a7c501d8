using System.CommandLine;
using System.CommandLine.Invocation;

namespace AuditCli.Commands;

/// <summary>What <c>--version</c> prints: version, commit, SQL engine and runtime.</summary>
internal sealed class VersionText : SynchronousCommandLineAction
{
    /// <summary>Puts it in the place of the usual version.</summary>
    public static RootCommand In(RootCommand root)
    {
        root.Options.OfType<VersionOption>().Single().Action = new VersionText();
        return root;
    }

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        parseResult.InvocationConfiguration.Output.WriteLine(Tool.Describe());
        return ExitCode.Ok;
    }
}
