using System.CommandLine;
using System.Text;
using AuditCli.Bundles;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;
using AuditCli.Reperformance;
using AuditCli.Reports.Formats;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Commands;

/// <summary><c>auditcli report BUNDLE</c>: makes the reports of a sealed bundle, such as workbook, web page, summary or data.</summary>
internal static class ReportCommand
{
    private const string All = "all";

    public static Command Build(AuditHost host)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "The bundle's folder." };
        var format = CommandOptions.Text(host, "--format", string.Join('|', ReportFormats.All.Select(f => f.Name).Append(All)), "Which report.");
        var folder = CommandOptions.Text(host, "--out", "DIR", "The folder for the files; without it, one text format goes to stdout.");
        var verify = new VerifyChoices(host);
        var command = new DetailedCommand("report", "Make a sealed bundle's reports: workbook, web page, summary, and data for other tools.", $"""
            The bundle is verified first; no report is made if it fails. A run has already sealed the same reports under
            {BundleLayout.ReportsFolder}; these add what verification found: the digest that covers the bundle, signer, time, head.
            Nothing is written into the bundle, and no file is overwritten.

            Formats:
            {string.Join("\n", ReportFormats.All.Select(f => $"  {f.Name,-8}{f.FileName}"))}
              {All,-8}each of them

            Exit codes: 0 written, and every requested check of the bundle holds; 2 the bundle does not verify, and nothing is
            written; 3 written, and undecided (unsigned without --allow-unsigned); 1 usage or internal error.

            Examples:
              auditcli report bundles/example-20261123t101500z-0123abcd --format all --out handover --allow-unsigned
              auditcli report BUNDLE --format md --trust auditor.pem.pub >> "$GITHUB_STEP_SUMMARY"
            """)
        {
            bundle,
        };
        command.Options.Add(format);
        command.Options.Add(folder);
        verify.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var path = Path.TrimEndingDirectorySeparator(host.FullPath(parsed.GetValue(bundle)!));
            if (BundleArgument.WhyNoBundle(path) is { } noBundle)
                return await BundleCommands.UsageAsync(error, noBundle);
            var word = parsed.GetValue(format);
            var formats = ReportFormats.All.Where(f => word is All || word == f.Name).ToArray();
            if (formats.Length == 0)
            {
                await error.WriteLineAsync(
                    $"{(word is null ? "say --format" : $"--format {PrintableText.Of(word)} is not one of")} "
                    + $"{string.Join(", ", ReportFormats.All.Select(f => f.Name))} or {All}");
                return ExitCode.Usage;
            }
            var target = parsed.GetValue(folder) is { } given ? host.FullPath(given) : null;
            try
            {
                CheckTarget(target, path, formats);
                using var place = Unpacked(path, error, cancellationToken);
                if (place is null)
                    return ExitCode.Failed;
                var verification = await BundleVerifier.VerifyAsync(place.Folder, verify.Of(parsed, path), cancellationToken);
                if (verification.Answer == VerifyAnswer.Fails || Reperformed.WhyUnsafe(verification) is not null)
                    return Refuse(error, verification);
                var opened = OpenedBundle.Open(place.Folder, verification.TagManifestSha256);
                opened.RequireRows(opened.Results.Controls);
                var workpaper = WorkpaperReader.Read(opened, host.Sources) with
                {
                    Verification = verification,
                };
                if (target is null)
                    await parsed.InvocationConfiguration.Output.WriteAsync(Text(formats[0], workpaper, cancellationToken));
                else
                    WriteFiles(formats, workpaper, target, parsed.InvocationConfiguration.Output, cancellationToken);
                return ExitCode.Of(verification);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await error.WriteLineAsync("interrupted: the unfinished report was deleted");
                return ExitCode.Interrupted;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                await error.WriteLineAsync($"auditcli: {e.Message}");
                return ExitCode.Usage;
            }
        });
        return command;
    }

    /// <summary>Returns the place of a bundle; null, after a message, if it is an archive that cannot be unpacked safely.</summary>
    private static BundlePlace? Unpacked(string path, TextWriter error, CancellationToken cancellationToken)
    {
        try
        {
            return BundlePlace.Of(path, cancellationToken).Place;
        }
        catch (InvalidDataException e)
        {
            error.WriteLine($"no report is made of it: {e.Message}");
            return null;
        }
    }

    /// <summary>Checks that the reports can be written to the target; null means stdout.</summary>
    /// <exception cref="IOException">They cannot; the message says why and what to do.</exception>
    private static void CheckTarget(string? target, string bundle, IReportFormat[] formats)
    {
        if (target is null)
        {
            if (formats is [{ IsText: true }])
                return;
            throw new IOException($"{(formats.Length > 1 ? "several reports" : formats[0].FileName)} cannot go to stdout; say --out DIR");
        }
        BundleCommands.RefuseInside("--out", target, bundle);
        if (formats.Select(f => Path.Combine(target, f.FileName)).FirstOrDefault(Path.Exists) is { } taken)
            throw new IOException($"{taken} already exists and may have been edited; give another folder with --out");
    }

    private static int Refuse(TextWriter error, VerifyReport verification)
    {
        foreach (var problem in verification.Problems.Where(p => p.Answer == VerifyAnswer.Fails).Take(10))
            error.WriteLine($"{problem.Code} {problem.Path}: {problem.Message}");
        error.WriteLine("auditcli: the bundle does not verify, so no report was written; run 'auditcli verify' to see why");
        return ExitCode.Failed;
    }

    private static string Text(IReportFormat format, Workpaper workpaper, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        format.Write(workpaper, content, cancellationToken);
        return Encoding.UTF8.GetString(content.GetBuffer(), 0, (int)content.Length);
    }

    private static void WriteFiles(IReportFormat[] formats, Workpaper workpaper, string target, TextWriter output, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(target);
        foreach (var format in formats)
        {
            var file = Path.Combine(target, format.FileName);
            var unfinished = file + ".partial";
            try
            {
                using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
                    format.Write(workpaper, stream, cancellationToken);
                File.Move(unfinished, file);
            }
            catch
            {
                File.Delete(unfinished);
                throw;
            }
            output.WriteLine(PrintableText.Of(file));
        }
    }
}
