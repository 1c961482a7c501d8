using System.CommandLine;
using System.Globalization;
using AuditCli;
using AuditCli.Collectors.Redaction;
using AuditCli.Controls.Evaluation.Isolation;
using AuditCli.Hosting;

// DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=0 overrides the setting of the build, and the user's locale would change words and numbers.
CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
if (OpenFileLimit.WhyTooFew() is { } few)
{
    StandardStreams.Warn(few);
    return ExitCode.Usage;
}
if (args is [EvaluationChild.Word, var bytes] && long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var memory))
{
    await EvaluationChild.ServeAsync(Console.OpenStandardInput(), Console.OpenStandardOutput(), memory, CredentialScan.Clean);
    return ExitCode.Ok;
}
using var streams = StandardStreams.Open();
OwnerOnly.Apply();
HomeFolder.Apply();
int exit;
try
{
    exit = await Composition.Root(Composition.Host(streams)).Parse(args).InvokeAsync(new InvocationConfiguration
    {
        // Ctrl+C cancels requests at once; this timeout leaves time to flush what was collected.
        ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
        EnableDefaultExceptionHandler = false,
        Error = streams.ErrorText,
        Output = streams.OutputText,
    });
}
catch (OperationCanceledException)
{
    // Commands that leave nothing behind need no words of their own.
    await streams.ErrorText.WriteLineAsync("auditcli: interrupted");
    return ExitCode.Interrupted;
}
catch (Exception e) when (e is not OutOfMemoryException)
{
    await streams.ErrorText.WriteLineAsync(e is IOException or UnauthorizedAccessException
        ? $"auditcli: {e.Message}"
        : $"internal error, which is a bug in auditcli: {e}");
    return ExitCode.Usage;
}
if (streams.OutputBytes.Lost is not { } why)
    return exit;
await streams.ErrorText.WriteLineAsync($"auditcli: cannot write to stdout ({why}): the output is lost");
// Keep the exit code of the command, except 0: that would report success although the output was lost.
return exit == ExitCode.Ok ? ExitCode.Usage : exit;
