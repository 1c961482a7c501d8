using System.CommandLine;
using System.Globalization;
using AuditCli;
using AuditCli.Controls.Evaluation.Isolation;

if (args is [EvaluationChild.Word, var bytes] && long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var memory))
{
    await EvaluationChild.ServeAsync(Console.OpenStandardInput(), Console.OpenStandardOutput(), memory);
    return ExitCode.Ok;
}
return await Composition.Root(Composition.Host()).Parse(args).InvokeAsync(new InvocationConfiguration
{
    // Ctrl+C stops the asking at once; this is the time to flush what was already collected.
    ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
    Error = new TerminalText(Console.Error),
    // A file or pipe gets every byte as it is.
    Output = Console.IsOutputRedirected ? Console.Out : new TerminalText(Console.Out),
});
