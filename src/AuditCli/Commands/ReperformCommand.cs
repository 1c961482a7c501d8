using System.CommandLine;
using AuditCli.Evidence.Verification;
using AuditCli.Reperformance;

namespace AuditCli.Commands;

/// <summary>
/// <c>auditcli reperform BUNDLE</c>: rebuilds a bundle's tables and results from its exchanges and controls, and compares them.
/// </summary>
internal static class ReperformCommand
{
    public static Command Build(AuditHost host)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "The bundle's folder." };
        var verify = new VerifyChoices(host);
        var controls = CommandOptions.Text(host, "--controls", "DIR", "Evaluate the bundle's evidence with these controls, and show what they change.");
        var form = CommandOptions.Output(host);
        var command = new DetailedCommand("reperform", "Rebuild a bundle's tables from its recorded exchanges, evaluate its controls again, and compare.", """
            Offline, from the bundle alone: no network, credentials or files of the original run. The bundle is a folder (unpack
            an archive first) and is verified first. Each difference is named, down to the item, with its cause. The sealed
            reports are made again too, and must be the same bytes. The record (run.json, log, files, the program that made it) must
            match what the exchanges and the repeated run give; what cannot be derived from them is listed. A bundle that was
            evaluated under earlier rules (run.json has their number) is compared too, and a difference that a later rule
            explains names that rule.
            Exit codes: 0 identical, 2 something else differs or the bundle does not verify, 3 undecided (differences by rule
            only, or unsigned without --allow-unsigned), 1 usage or internal error, 130 interrupted.
            With --controls, 0 nothing changes and 2 something does.

            Examples:
              auditcli reperform bundles/example-20261123t101500z-0123abcd --allow-unsigned
              auditcli reperform bundles/example-20261123t101500z-0123abcd --allow-unsigned --controls controls
            """)
        {
            bundle,
        };
        verify.AddTo(command);
        command.Options.Add(controls);
        command.Options.Add(form);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var path = Path.TrimEndingDirectorySeparator(host.FullPath(parsed.GetValue(bundle)!));
            var json = parsed.GetValue(form) == "json";
            VerifyOptions options;
            try
            {
                options = verify.Of(parsed, path);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                await error.WriteLineAsync($"auditcli: {e.Message}");
                return ExitCode.Usage;
            }
            try
            {
                var (found, noBundle) = BundlePlace.Of(path, cancellationToken);
                if (found is null)
                    return await BundleCommands.UsageAsync(error, noBundle!);
                using var place = found;
                if (parsed.GetValue(controls) is not { } folder)
                {
                    var done = await Reperformed.OfAsync(place.Folder, options, host, error, cancellationToken);
                    Print(output, json, () => ReperformText.Json(done), () => ReperformText.Write(output, done));
                    return done.ExitCode;
                }
                var (changes, faults) = await ControlChanges.OfAsync(place.Folder, folder, options, host, error, cancellationToken);
                if (changes is null)
                    return CommandErrors.Report(error, faults);
                Print(output, json, () => ReperformText.Json(changes), () => ReperformText.Write(output, changes));
                return changes.ExitCode;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await error.WriteLineAsync("interrupted: nothing was compared, and the temporary files were deleted");
                return ExitCode.Interrupted;
            }
            catch (InvalidDataException e)
            {
                await error.WriteLineAsync($"the bundle cannot be evaluated again: {e.Message}");
                return ExitCode.Failed;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await error.WriteLineAsync($"auditcli: {e.Message}");
                return ExitCode.Usage;
            }
        });
        return command;
    }

    private static void Print(TextWriter output, bool json, Func<string> asJson, Action write)
    {
        if (json)
            output.WriteLine(asJson());
        else
            write();
    }
}
