using System.CommandLine;
using AuditCli.Diff;
using AuditCli.Evidence.Verification;

namespace AuditCli.Commands;

/// <summary><c>auditcli diff OLD NEW</c>: compares the exceptions of bundles.</summary>
internal static class DiffCommand
{
    public static Command Build(AuditHost host)
    {
        var bundles = new Argument<string[]>("BUNDLE")
        {
            Description = "Two or more bundles, oldest first. The last is compared with the one before it; "
                + "earlier ones show which exceptions had been seen before.",
            Arity = new(1, 1000),
        };
        var verify = new VerifyChoices(host);
        var form = CommandOptions.Text(host, "--format", "text|json|md", "How the result is printed on stdout.", "text");
        form.AcceptOnlyFromAmong("text", "json", "md");
        var command = new DetailedCommand("diff", "Compare bundles: which exceptions are fixed, still open, new or back, and what else changed.", """
            An exception is fixed only when the same control, with the same parameters, read everything that it read before, and the
            item passes or is gone. Where the later bundle saw less (an account, a region, a file or a control that is missing,
            evidence that is not complete), it is listed as seen less; if the control or a parameter changed, as no exception
            under another rule. Nothing counts as fixed if a bundle's control file is not the one that its results name. Every bundle
            is verified first, and the SQL of its controls is parsed in a separate process.

            Exit codes: 0 nothing new, 2 an exception is new or is back, or a bundle does not verify, 3 nothing new, but something
            was seen less or a bundle is undecided, 1 usage.

            Examples:
              auditcli diff bundles/example-20260930t... bundles/example-20261231t... --allow-unsigned
              auditcli diff Q1 Q2 Q3 --trust auditor.pem.pub --format md >> "$GITHUB_STEP_SUMMARY"
            """)
        {
            bundles,
        };
        verify.AddTrustTo(command);
        command.Options.Add(form);
        command.SetAction((parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            return BundleCommands.GuardAsync(error, async () =>
            {
                var paths = parsed.GetValue(bundles)!.Select(b => Path.TrimEndingDirectorySeparator(host.FullPath(b))).ToArray();
                if (paths.Length < 2)
                    return await BundleCommands.UsageAsync(error, "name two or more bundles, oldest first: one has nothing to be compared with");
                var (found, wrong) = BundlePlace.All(paths, cancellationToken);
                if (found is null)
                    return await BundleCommands.UsageAsync(error, wrong!);
                using var places = found;
                VerifyOptions options;
                try
                {
                    options = verify.Of(parsed, paths);
                }
                catch (InvalidDataException e)
                {
                    return await BundleCommands.UsageAsync(error, $"auditcli: {e.Message}");
                }
                var diff = await BundleDiff.OfAsync(places.Folders, options, host, cancellationToken);
                switch (parsed.GetValue(form))
                {
                    case "json":
                        await output.WriteLineAsync(DiffText.Json(diff));
                        break;
                    case "md":
                        DiffText.WriteMarkdown(output, diff);
                        break;
                    default:
                        DiffText.Write(output, diff);
                        break;
                }
                return diff.ExitCode;
            }, cancellationToken);
        });
        return command;
    }
}
