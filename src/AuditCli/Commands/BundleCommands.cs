namespace AuditCli.Commands;

/// <summary>Handles errors for the commands that read a sealed bundle.</summary>
internal static class BundleCommands
{
    /// <summary>Runs the command and turns the exceptions of an unusable bundle into a message and an exit code.</summary>
    public static async Task<int> GuardAsync(TextWriter error, Func<Task<int>> command, CancellationToken cancellationToken)
    {
        try
        {
            return await command();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (InvalidDataException e)
        {
            await error.WriteLineAsync($"the bundle cannot be relied on: {Evidence.PrintableText.Of(e.Message, 2000)}; see: auditcli verify");
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"auditcli: {Evidence.PrintableText.Of(e.Message, 2000)}");
            return ExitCode.Usage;
        }
    }

    /// <summary>Writes a message about the command line and returns the exit code for usage errors.</summary>
    public static async Task<int> UsageAsync(TextWriter error, string message)
    {
        await error.WriteLineAsync(message);
        return ExitCode.Usage;
    }
}
