using System.CommandLine;
using System.CommandLine.Invocation;

namespace AuditCli.Commands;

/// <summary>Prints version, commit, SQL engine and runtime for <c>--version</c>.</summary>
internal sealed class VersionText : SynchronousCommandLineAction
{
    /// <summary>Replaces the usual action of <c>--version</c>.</summary>
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
