using AuditCli.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Hosting;

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
            await error.WriteLineAsync($"the bundle cannot be relied on: {PrintableText.Of(e.Message, 2000)}; see: auditcli verify");
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"auditcli: {PrintableText.Of(e.Message, 2000)}");
            return ExitCode.Usage;
        }
    }

    /// <summary>Refuses a file or folder inside the bundle, also through a link: a file added to a sealed bundle breaks its seal.</summary>
    /// <param name="option">The option that named it.</param>
    /// <exception cref="IOException">It is inside.</exception>
    public static void RefuseInside(string option, string target, string bundle)
    {
        var root = RealPath.Of(bundle);
        if (RealPath.AndAbove(target).Any(at => RealPath.Same(at, root)))
            throw new IOException($"{option} {target} is inside the bundle, which would break its seal; choose another place");
    }

    /// <summary>
    /// Answers from what is here of a bundle. If an archive of a shard lies elsewhere, says so, and the exit code is that of something
    /// undecided instead of success.
    /// </summary>
    public static async Task<int> FromWhatIsHereAsync(OpenedBundle opened, TextWriter error, Func<Task<int>> answer)
    {
        var exit = await answer();
        var missing = opened.Files.Missing.ToArray();
        if (missing.Length == 0)
            return exit;
        await error.WriteLineAsync(
            $"{opened.Files.Shards.Length - missing.Length} of {opened.Files.Shards.Length} shards are here; "
            + $"the answer lacks what the others hold: {PrintableText.Of(string.Join(", ", missing.Take(3).Select(m => m.Archive)), 500)}");
        return exit == ExitCode.Ok ? ExitCode.Undecided : exit;
    }

    /// <summary>Writes a message about the command line and returns the exit code for usage errors.</summary>
    public static async Task<int> UsageAsync(TextWriter error, string message)
    {
        await error.WriteLineAsync(message);
        return ExitCode.Usage;
    }
}
