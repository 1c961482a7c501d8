using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using AuditCli.Bundles;
using AuditCli.Collectors.Redaction;
using AuditCli.Concluding;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;
using AuditCli.Reports;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Commands;

/// <summary><c>auditcli conclude BUNDLE --sheet FILE</c>: seals a new bundle over a collected one, with what people answered.</summary>
internal static class ConcludeCommand
{
    private const int MostSheetBytes = 16 * 1024 * 1024;
    private const string DefaultOut = "bundles";

    public static Command Build(AuditHost host)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "The collected bundle's folder, or a .zip or .tar with it." };
        var sheets = CommandOptions.Text(host, "--sheets", "DIR", "Write the sheets that people fill in to this folder, and seal nothing.");
        var filled = CommandOptions.List(host, "--sheet", "FILE", "A sheet that a person filled in (CSV); repeatable.");
        var folder = CommandOptions.Text(host, "--out", "DIR", "The folder for the new bundle.", DefaultOut);
        var archives = CommandOptions.Text(
            host, "--archives-at", "URL", "Where the collected bundle's archive will be (https, s3, gs); it is written beside the new bundle and not into it.");
        var conclusions = CommandOptions.Flag(host, "--exit-conclusions", "Exit as 'run' does, by the conclusions.");
        var verify = new VerifyChoices(host);
        var signing = new SigningCommandOptions(host);
        var archive = ArchiveOption.Of(host);
        var form = CommandOptions.Output(host);
        var command = new DetailedCommand(
            "conclude", "Add people's answers and dispositions to a collected bundle, and seal a new one over it.", """
            First write the sheets with --sheets: answers.csv has a line for each question that a control asks a person,
            exceptions.csv one for each exception. People fill in the columns at the right and say who they are and when; a
            line that is left empty stays open. What a line is about must not change, and an answer by the reviewer, before
            the evidence was collected or in the future does not count: then nothing is sealed, and every fault is named.

            An answer resolves NEEDS_REVIEW, when every question of the control has one, or makes the control FAIL (no,
            not_found). Nothing that a person says turns a FAIL into a PASS: a disposition of an exception is printed beside
            its verdict and changes none. Registers and parameters are part of the collected bundle and stay as they are.

            The collected bundle is verified first and stays unchanged inside the new one, which is a bag over it:
            'auditcli verify' checks both, 'auditcli reperform' repeats both. Under 'verify --trust' both must be signed, so --sign
            over a bundle that is not signed is refused; sign that first ('auditcli seal'), or give --allow-unsigned.

            With --archive the new bundle becomes one .tar, as 'auditcli run --archive' writes it.

            Exit codes: 0 sealed (or sheets written), 2 the bundle does not verify or a sheet has a fault, 3 it cannot be
            decided whether the bundle verifies, 1 usage or a file that cannot be read, 130 interrupted.

            Examples:
              auditcli conclude BUNDLE --sheets sheets --allow-unsigned
              auditcli conclude BUNDLE --sheet sheets/answers.csv --sheet sheets/exceptions.csv --trust auditor.pem.pub
              auditcli conclude BUNDLE --sheet answers.csv --sign auditor.pem --archives-at s3://evidence/2026
            """)
        {
            bundle,
        };
        foreach (var option in new Option[] { sheets, filled, folder, archives, archive, conclusions, form })
            command.Options.Add(option);
        verify.AddTrustTo(command);
        signing.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var path = Path.TrimEndingDirectorySeparator(host.FullPath(parsed.GetValue(bundle)!));
            var (sign, wrong) = signing.Read(parsed);
            var (to, given) = (parsed.GetValue(sheets), parsed.GetValue(filled) ?? []);
            if (WhyNot(path, to, given, parsed.GetValue(archives)) is { } why)
                return await BundleCommands.UsageAsync(error, why);
            if (wrong is not null)
                return await BundleCommands.UsageAsync(error, wrong);
            if (parsed.GetValue(archive) && sign?.Locker is not null)
                return await BundleCommands.UsageAsync(error, ArchiveOption.NotInALocker);
            if (parsed.GetValue(archive) && to is not null)
                return await BundleCommands.UsageAsync(error, "--archive is of the new bundle, and --sheets writes none; give one of them");
            var place = parsed.GetValue(folder)!;
            if (sign?.Locker is { } locker && place != DefaultOut && host.FullPath(place) != locker)
                return await BundleCommands.UsageAsync(error, $"--out {place} and --locker {locker} both say where the bundle goes; give one of them");
            var target = sign?.Locker ?? host.FullPath(place);
            VerifyOptions asked;
            try
            {
                asked = verify.Of(parsed, path);
                BundleCommands.RefuseInside(to is null ? "--out" : "--sheets", to is null ? target : host.FullPath(to), path);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                return await BundleCommands.UsageAsync(error, $"auditcli: {e.Message}");
            }
            return await BundleCommands.GuardAsync(
                error,
                async () =>
                {
                    var verification = await BundleVerifier.VerifyAsync(path, asked, cancellationToken);
                    if (verification.Answer != VerifyAnswer.Holds)
                        return await RefuseAsync(error, verification, path, isSigning: sign is not null && to is null);
                    var opened = await OpenedBundle.OpenWholeAsync(path, host, verification.TagManifestSha256, cancellationToken);
                    var controls = opened.Results.Controls.Select(c => opened.ControlOf(c, host.Sources)).OfType<Control>().ToImmutableArray();
                    if (opened.Record.Concluded is { } earlier)
                    {
                        return await BundleCommands.UsageAsync(
                            error, $"{opened.Id} is concluded already; name the bundle that it was made over, {earlier.BundleId}, with all sheets");
                    }
                    if (opened.Results.Schema != EvaluationResults.CurrentSchema)
                    {
                        return await BundleCommands.UsageAsync(
                            error, $"{opened.Id} has results of schema {opened.Results.Schema}, made by an earlier version; run its engagement again");
                    }
                    if (to is not null)
                        return await WriteSheetsAsync(opened, controls, host.FullPath(to), parsed.InvocationConfiguration.Output);
                    if (sign is not null && !opened.Files.IsSigned)
                        await error.WriteLineAsync($"note: {opened.Id} is not signed, so 'auditcli verify --trust' will never hold for what is sealed over it");
                    var options = new ConcludeOptions(target, sign, parsed.GetValue(archives));
                    var work = new Work(host, opened, controls, path, [.. given.Select(host.FullPath)], options, parsed.GetValue(archive));
                    return await SealAsync(
                        work, parsed.GetValue(form) == "json", parsed.GetValue(conclusions), parsed.InvocationConfiguration.Output, error, cancellationToken);
                },
                cancellationToken);
        });
        return command;
    }

    private sealed record Work(
        AuditHost Host, OpenedBundle Opened, ImmutableArray<Control> Controls, string Path, ImmutableArray<string> Sheets, ConcludeOptions Options,
        bool Archive);

    private static string? WhyNot(string path, string? to, string[] given, string? archives) =>
        BundleArgument.WhyNotReadable(path) is { } noBundle ? noBundle
        : to is null && given.Length == 0 ? "say --sheets DIR to write the sheets, or --sheet FILE for one that was filled in"
        : to is not null && given.Length > 0 ? "--sheets writes empty sheets and --sheet reads filled ones; give one of them"
        : archives is not null && FetchEntry.WhyNotAt(archives) is { } notThere ? $"--archives-at: {notThere}"
        : archives is not null && CredentialScan.LineOf(archives) is not null ? "--archives-at holds what looks like a credential; it would be sealed"
        : null;

    private static async Task<int> RefuseAsync(TextWriter error, VerifyReport verification, string path, bool isSigning)
    {
        foreach (var problem in verification.Problems.Take(10))
            await error.WriteLineAsync($"{problem.Code} {problem.Path}: {problem.Message}");
        if (isSigning && verification.Problems.All(p => p.Code == VerifyCode.Unsigned))
        {
            var seal = $"auditcli seal {(Directory.Exists(path) ? path : "FOLDER")} --sign KEY{(Directory.Exists(path) ? "" : " (unpack the archive first)")}";
            await error.WriteLineAsync(
                "auditcli: the collected bundle is not signed, so nothing was concluded: it is sealed into the new bundle as it is, and "
                + "'auditcli verify --trust' needs a signature of both, so the new one could never be trusted");
            await error.WriteLineAsync($"next: {seal}, then conclude again; or --allow-unsigned, if nobody will verify it with --trust");
            return ExitCode.Of(verification);
        }
        await error.WriteLineAsync("auditcli: the bundle does not verify, so nothing was concluded; run 'auditcli verify' to see why");
        return ExitCode.Of(verification);
    }

    private static async Task<int> WriteSheetsAsync(OpenedBundle opened, ImmutableArray<Control> controls, string folder, TextWriter output)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, columns, lines) in new[]
        {
            ("answers.csv", PeopleSheets.AnswerColumns, PeopleSheets.Questions(opened, controls)),
            ("exceptions.csv", PeopleSheets.DispositionColumns, PeopleSheets.Exceptions(opened)),
        })
        {
            var file = Path.Combine(folder, name);
            if (Path.Exists(file))
                throw new IOException($"{file} already exists and may be filled in; give another folder with --sheets");
            var all = lines.ToArray();
            await File.WriteAllTextAsync(file, PeopleSheets.Write(columns, all));
            await output.WriteLineAsync($"{PrintableText.Of(file)}: {Wording.Count(all.Length, "line")}");
        }
        return ExitCode.Ok;
    }

    private static async Task<int> SealAsync(
        Work work, bool json, bool byConclusions, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var reader = new SheetReader(work.Opened, work.Opened.Scope(work.Host.Sources).Engagement, work.Controls, work.Host.Clock.GetUtcNow());
        var (sheets, faults) = (ImmutableArray.CreateBuilder<PeopleSheet>(), new List<string>());
        foreach (var file in work.Sheets)
        {
            var name = Path.GetFileName(file);
            if (new FileInfo(file) is { Exists: true, Length: > MostSheetBytes })
                throw new IOException($"{name} is larger than {MostSheetBytes} bytes, which no sheet is");
            var content = RegularFile.ReadAllBytes(file);
            // The name is in the record of the new bundle.
            if (CredentialScan.LineOf(name) is not null)
                throw new InvalidDataException("the name of a sheet holds what looks like a credential; rename the file");
            faults.AddRange(Credentials(Encoding.UTF8.GetString(content)).Select(l => $"{name}:{l}: holds what looks like a credential; remove it"));
            reader.Read(new MemoryStream(content), name);
            sheets.Add(new(name, content));
        }
        faults.AddRange(reader.Faults);
        if (faults.Count == 0 && reader.Said.Count == 0)
            faults.Add("no line of the sheets is filled in");
        if (faults.Count > 0)
        {
            foreach (var fault in faults)
                await error.WriteLineAsync(PrintableText.Of(fault, 2000));
            await error.WriteLineAsync($"{Wording.Count(faults.Count, "fault")}; nothing was sealed");
            return ExitCode.Failed;
        }
        var results = PeopleCheck.Conclude(work.Opened.Results, work.Controls, reader.Said);
        var concluding = new ConcludedBundle(work.Opened, work.Path, work.Host);
        Concluded? done = null;
        try
        {
            done = await concluding.SealAsync(results, sheets.ToImmutable(), work.Options, cancellationToken);
            var written = done;
            if (work.Archive)
                written = done with { Archive = await Task.Run(() => BundleArchiver.Write(done.Bundle.Path, cancellationToken), cancellationToken) };
            await output.WriteLineAsync(json ? Json(written) : Text(written, work.Controls));
            if (written.Archive is not null)
                BundleArchiver.RemoveFolder(done.Bundle.Path);
            return byConclusions ? ExitCode.Of(results.Controls.Select(c => c.Conclusion)) : ExitCode.Ok;
        }
        catch when (concluding.PartialFolder is { } partial)
        {
            await error.WriteLineAsync($"nothing was sealed; delete {PrintableText.Of(partial)}");
            throw;
        }
        catch when (done is not null)
        {
            await error.WriteLineAsync($"the bundle is sealed anyway: {PrintableText.Of(done.Bundle.Path)}");
            throw;
        }
    }

    /// <summary>Returns the lines with what looks like a credential; the first of them, if it only shows over several lines.</summary>
    private static ImmutableArray<int> Credentials(string text)
    {
        var lines = text.Split('\n').Index().Where(l => CredentialScan.LineOf(l.Item) is not null).Select(l => l.Index + 1).ToImmutableArray();
        return !lines.IsEmpty ? lines : CredentialScan.LineOf(text) is { } line ? [line] : [];
    }

    private static string Text(Concluded done, ImmutableArray<Control> controls)
    {
        var open = done.Results.Controls.Where(c => c.Conclusion == Conclusion.NeedsReview).ToArray();
        var lines = PeopleNotes.Of(done.Record.Concluded, done.Results)
            .Append(string.Join(", ", done.Results.Controls.GroupBy(c => c.Conclusion).OrderBy(g => g.Key).Select(g => $"{g.Count()} {Wording.Name(g.Key)}")))
            .Concat(open.SelectMany(c => PeopleNotes.Unanswered(c, controls.FirstOrDefault(d => d.Id == c.Id)).Select(q => $"{c.Id}: {PeopleNotes.Open(q)}")))
            .Concat(done.Collected is { } archive ? [$"archive {archive}"] : Enumerable.Empty<string>())
            .Append($"bundle {done.Path}").Append($"tagmanifest sha256 {done.Bundle.TagManifestSha256}")
            .Concat(done.Signed is { } signed ? SealCommand.Describe(signed) : ["not signed"])
            .Concat(open.Length > 0 ? [$"next: {PeopleNotes.Next("BUNDLE", done.Record.Concluded)}"] : Enumerable.Empty<string>());
        return string.Join(Environment.NewLine, lines.Select(l => PrintableText.Of(l, 2000)));
    }

    private static string Json(Concluded done) => new JsonObject
    {
        ["bundle"] = done.Path,
        ["tagmanifest_sha256"] = done.Bundle.TagManifestSha256.Hex,
        ["archive"] = done.Collected,
        ["controls"] = new JsonArray([.. done.Results.Controls.Select(c => (JsonNode)new JsonObject
        {
            ["id"] = c.Id,
            ["conclusion"] = Wording.Name(c.Conclusion),
            ["collected"] = Wording.Name(c.Collected ?? c.Conclusion),
            ["answers"] = c.Answers?.Length ?? 0,
            ["dispositions"] = c.Dispositions?.Length ?? 0,
        })]),
    }.ToJsonString(PrintedJson.Options);
}
