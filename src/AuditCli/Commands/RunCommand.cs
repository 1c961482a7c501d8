using System.Collections.Immutable;
using System.CommandLine;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Hosting;
using AuditCli.Reperformance;
using AuditCli.Running;
using Spectre.Console;

namespace AuditCli.Commands;

/// <summary><c>auditcli run ENGAGEMENT</c>: collects evidence, concludes on controls and seals a bundle.</summary>
internal static class RunCommand
{
    private const string DefaultOut = "bundles";

    public static Command Build(AuditHost host)
    {
        var subject = new SubjectOptions(host);
        var output = CommandOptions.Text(host, "--out", "DIR", "The folder in which the bundle is created.", DefaultOut);
        var form = CommandOptions.Output(host);
        var verbose = CommandOptions.Flag(host, "--verbose", "Also print the run log on stderr.");
        verbose.Aliases.Add("-v");
        var secrets = CommandOptions.Flag(host, "--allow-secrets", "Seal even if a file contains what looks like a credential; the bundle records it.");
        var archive = ArchiveOption.Of(host);
        var resume = new Option<string?>("--resume")
        {
            Description = "Go on with a run that was interrupted, or could not be sealed, from its .partial folder.",
            HelpName = "PARTIAL",
        };
        var command = new DetailedCommand("run", "Collect the evidence of an engagement, conclude on its controls, and seal a bundle.", """
            Only reads. Credentials come from each cloud's own chain and are never written. Without an ENGAGEMENT, the option of
            a source (such as --aws) reads what these credentials reach, for a first look: there is no reviewer and no register,
            and the bundle says so.

            A run of more than 25 accounts is sealed in shards of 25, each as soon as it is read, and the bundle is made of them;
            every command reads it like any other.

            --resume goes on with a run that ended before its bundle was sealed. What was read completely is kept, and only the
            rest is asked; the credentials, and AUDITCLI_REDACTION_KEY if it was set, must be there again. What goes on needs the
            folder '<id>.begun' beside the '<id>.partial'. A run that collected everything but could not be sealed (a file
            contained what looks like a credential, a key or a disk failed) is evaluated again as reperform does, and sends no
            request. A folder that was changed since, or another version of auditcli, is refused.

            With --archive the sealed bundle becomes one reproducible .tar, to be stored or handed over as one file; every command
            but seal reads it. It is written beside the folder, read back and compared, and only then the folder is deleted.

            Exit codes: 0 nothing to report, 2 a control failed, 3 a control could not be concluded, 1 usage or internal error,
            130 interrupted.

            Examples:
              auditcli run samples/engagement.yaml
              auditcli run engagement.yaml --control 'APD-AWS-*' --target prod --out bundles
              auditcli run --aws --pack quick
              auditcli run engagement.yaml --output json | jq .conclusions
              auditcli run engagement.yaml --sign auditor.pem --tsa https://tsa.example/tsr --locker /srv/evidence
              auditcli run engagement.yaml --archive --output json | jq -r .bundle
              auditcli run --resume bundles/example-20261123t101500z-0123abcd.partial --allow-secrets
            """)
        {
            output, form, secrets, verbose, resume, archive,
        };
        subject.AddTo(command);
        var signing = new SigningCommandOptions(host);
        signing.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var stopped = parsed.GetValue(resume) is { } folder ? Path.TrimEndingDirectorySeparator(host.FullPath(folder)) : null;
            var (asked, unclear) = stopped is null ? subject.Read(parsed)
                : subject.Given(parsed) is { } given ? (null, $"--resume takes everything from the folder, so leave out {given}")
                : (null, null);
            var (signed, wrong) = signing.Read(parsed);
            if (unclear is not null || wrong is not null)
            {
                parsed.InvocationConfiguration.Error.WriteLine(unclear ?? wrong);
                return Task.FromResult(ExitCode.Usage);
            }
            if (parsed.GetValue(archive) && signed?.Locker is not null)
            {
                parsed.InvocationConfiguration.Error.WriteLine(ArchiveOption.NotInALocker);
                return Task.FromResult(ExitCode.Usage);
            }
            var place = parsed.GetValue(output)!;
            if (signed?.Locker is { } locker && place != DefaultOut && host.FullPath(place) != locker)
            {
                parsed.InvocationConfiguration.Error.WriteLine($"--out {place} and --locker {locker} both say where the bundle goes; give one of them");
                return Task.FromResult(ExitCode.Usage);
            }
            var target = stopped is not null && place == DefaultOut ? Path.GetDirectoryName(stopped)! : host.FullPath(place);
            var options = new RunOptions(signed?.Locker ?? target)
            {
                Verbose = parsed.GetValue(verbose),
                AllowSecrets = parsed.GetValue(secrets),
                Signing = signed,
                Archive = parsed.GetValue(archive),
            };
            return RunAsync(
                host,
                asked,
                stopped,
                options,
                parsed.GetValue(form) == "json",
                parsed.InvocationConfiguration.Output,
                parsed.InvocationConfiguration.Error,
                cancellationToken);
        });
        return command;
    }

    /// <param name="subject">What is audited; null to finish a stopped run.</param>
    /// <param name="stopped">The folder of the stopped run to finish; null if there is a subject.</param>
    private static async Task<int> RunAsync(
        AuditHost host, RunSubject? subject, string? stopped, RunOptions options, bool json, TextWriter output, TextWriter error,
        CancellationToken cancellationToken)
    {
        await using var evaluation = host.StartEvaluation();
        AuditRun? run = null;
        try
        {
            using var work = stopped is null ? null : new WorkFolder();
            var (prepared, faults) = stopped is { } folder
                ? await ResumeAsync(folder, options, work!, host, evaluation, cancellationToken)
                : await LoadAsync(subject!, options.AllowSecrets, host, evaluation, error, cancellationToken);
            if (prepared is null)
                return CommandErrors.Report(error, faults);
            run = new AuditRun(prepared, options, host, evaluation, error);
            var finished = await run.RunAsync(cancellationToken);
            if (options.Archive)
                finished = finished with { Archive = await Task.Run(() => BundleArchiver.Write(finished.Bundle.Path, cancellationToken), cancellationToken) };
            if (json)
                await output.WriteLineAsync(RunSummary.Json(finished));
            else
                RunSummary.Write(host.Console(output), finished);
            if (host.WhyNotPrinted() is not null)
                await error.WriteLineAsync($"the bundle is sealed: {finished.Path}");
            // The summary reads the folder, so it goes last.
            if (finished.Archive is not null)
                BundleArchiver.RemoveFolder(finished.Bundle.Path);
            return ExitCode.Of(finished.Results.Controls.Select(c => c.Conclusion));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await error.WriteLineAsync($"interrupted: {Left(run)}");
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            await error.WriteLineAsync($"auditcli: {e.Message}");
            await error.WriteLineAsync(Left(run));
            return ExitCode.Usage;
        }
    }

    private static async Task<(PreparedRun? Run, ImmutableArray<string> Faults)> LoadAsync(
        RunSubject subject, bool allowSecrets, AuditHost host, EvaluationProcess evaluation, TextWriter error, CancellationToken cancellationToken)
    {
        var (prepared, faults) = await PreparedRun.LoadAsync(subject, host, evaluation, cancellationToken);
        if (prepared is null)
            return (null, [.. faults.Select(f => f.ToString())]);
        foreach (var (role, name) in new[] { ("preparer", prepared.Engagement.Preparer), ("reviewer", prepared.Engagement.Reviewer) })
        {
            if (Engagement.IsNobody(name))
                await error.WriteLineAsync($"warning: the {role} is '{PrintableText.Of(name)}', which is sealed as it is; name a person in {subject.ShownAs}");
        }
        var wrong = (await prepared.CheckInputsAsync(subject, allowSecrets, error, cancellationToken)).Faults;
        return wrong.IsEmpty ? (prepared, []) : (null, wrong);
    }

    private static async Task<(PreparedRun? Run, ImmutableArray<string> Faults)> ResumeAsync(
        string folder, RunOptions options, WorkFolder work, AuditHost host, EvaluationProcess evaluation, CancellationToken cancellationToken)
    {
        // A run that only lacked its seal has left nothing to go on with, and is finished offline.
        var goesOn = InterruptedRun.Is(folder);
        if (goesOn && options.Out != Path.GetDirectoryName(folder))
        {
            var instead = options.Signing?.Locker is null ? "leave out --out" : "give that folder as the locker";
            return (null, [$"{folder} goes on where it was begun, and not in {options.Out}: {instead}"]);
        }
        var (prepared, whyNot) = goesOn
            ? await InterruptedRun.LoadAsync(folder, work.Path, host, cancellationToken)
            : await StoppedRunLoader.LoadAsync(folder, work.Path, host, evaluation, cancellationToken);
        return (prepared, whyNot is null ? [] : [$"{folder} cannot be resumed: {whyNot}"]);
    }

    /// <summary>Returns a message about the files that an unsuccessful run left.</summary>
    private static string Left(AuditRun? run) =>
        run?.SealedFolder is { } bundle ? $"the bundle is sealed anyway: {bundle}"
        : run?.PartialFolder is { } kept
            ? $"nothing was sealed; what was collected is kept in {kept}"
                + (run.OnlyLacksSeal ? $", and 'auditcli run --resume {kept}' finishes it without sending any request"
                    : run.CanGoOn ? $", and 'auditcli run --resume {kept}' goes on from there" : "")
        : "nothing was collected";
}
