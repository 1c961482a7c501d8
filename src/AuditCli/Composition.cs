using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using AuditCli.Collectors;
using AuditCli.Commands;
using AuditCli.Evidence.Text;
using AuditCli.Hosting;
using AuditCli.Text;
using Spectre.Console;

namespace AuditCli;

/// <summary>Composes the parts of the program.</summary>
public static class Composition
{
    private const int WidthOfAFile = 132;

    /// <summary>Returns the host of a real process.</summary>
    internal static AuditHost Host(StandardStreams streams) => new(
        TimeProvider.System,
        Environment.GetEnvironmentVariable,
        RandomNumberGenerator.GetBytes,
        LiveError: !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not "dumb",
        OutputWidth: Console.IsOutputRedirected ? WidthOfAFile : Math.Max(80, Console.WindowWidth),
        OutputColours: !Console.IsOutputRedirected
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") is not "dumb",
        WorkingFolder(),
        Program(),
        CollectorCatalog.All)
    {
        OutputIsTerminal = !Console.IsOutputRedirected,
        AskSecret = question => Console.IsInputRedirected || Console.IsErrorRedirected
            ? null
            : AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(TerminalText.Drawing(streams.ErrorText)), Interactive = InteractionSupport.Yes })
                .Prompt(new TextPrompt<string>(Markup.Escape(PrintableText.Of(question))).Secret(null).AllowEmpty()),
        OpenOutput = () => streams.OutputBytes,
        WhyNotPrinted = () => streams.OutputBytes.Lost,
    };

    /// <summary>Returns the working folder; empty if it was removed while the process or its shell was in it.</summary>
    private static string WorkingFolder()
    {
        try
        {
            return Environment.CurrentDirectory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Returns the command line that started the program: an executable, or <c>dotnet</c> with the assembly.</summary>
    private static ImmutableArray<string> Program()
    {
        var process = Environment.ProcessPath ?? "dotnet";
        return Path.GetFileNameWithoutExtension(process) == "dotnet" ? [process, typeof(Composition).Assembly.Location] : [process];
    }

    /// <summary>Returns the command line.</summary>
    public static RootCommand Root(AuditHost host) => CommandOptions.RefuseUnknown(VersionText.In(DetailedHelp.In(new(
        """
        Collects IT-general-control evidence, reading only, and says per control whether it held.

        Every response and every denied call is kept in a bundle that anyone can check offline. A control never passes
        without its data.

        Exit codes of run: 0 nothing to report, 2 a control failed, 3 a control could not be concluded, 1 usage or
        internal error, 130 interrupted.

        Start with:  auditcli run samples/engagement.yaml
        Your own:    auditcli init, then auditcli doctor engagement.yaml, then auditcli run engagement.yaml
        The manual:  auditcli help
        """)
    {
        InitCommand.Build(host),
        DoctorCommand.Build(host),
        RunCommand.Build(host),
        SealCommand.Build(host),
        VerifyCommand.Build(host),
        ReperformCommand.Build(host),
        ConcludeCommand.Build(host),
        SignoffCommand.Build(host),
        CustodyCommand.Build(host),
        AssembleCommand.Build(host),
        ReportCommand.Build(host),
        ShowCommand.Build(host),
        QueryCommand.Build(host),
        DiffCommand.Build(host),
        CoverageCommand.Build(host),
        KeysCommand.Build(host),
        ControlsCommand.Build(host),
        PermissionsCommand.Build(host),
        CallCommand.Build(host),
        CompletionCommand.Build(),
        HelpCommand.Build(host),
    })));
}
