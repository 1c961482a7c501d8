using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.People;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;
using AuditCli.People;
using AuditCli.Reports;
using AuditCli.Text;

namespace AuditCli.Commands;

/// <summary><c>auditcli verify BUNDLE</c>: checks a bundle and prints one result per question.</summary>
internal static class VerifyCommand
{
    public static Command Build(AuditHost host)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "The bundle's folder, or a .zip or .tar with it." };
        var verify = new VerifyChoices(host);
        var folder = PeopleOptions.FolderOption();
        var known = CommandOptions.List(
            host, VerifyChoices.PeopleTrust, "FILE-or-FINGERPRINT", "The key of a person whose statement is beside the bundle; repeatable.");
        var head = new Option<string?>("--expect-people-head")
        {
            HelpName = "SHA256",
            Description = "The head of people's statements that you recorded; the newest must be exactly this one.",
        };
        var form = CommandOptions.Output(host);
        var command = new DetailedCommand(
            "verify", "Check a bundle, offline: files, manifests, signature, key, time stamp, place in its chain, totals.", """
            A .zip or .tar is read without unpacking it. One that two programs could unpack differently, or that
            writes outside its own folder, fails (CONTAINER_UNSAFE). The bundle is the archive's one top folder, or its root.

            A key or root that is inside a bundle, even through a link, is refused: whoever made the bundle put it there.
            A key given to --revoked fails whatever --trust says and whenever it signed. Under an authority given to --trust,
            a signer's certificate must be for signing: not an authority, key usage (if stated) with digitalSignature, extended key
            usage (if stated) code or document signing.

            What people stated about the bundle is in BUNDLE-ID.people beside it ('auditcli signoff', 'auditcli custody'), and is
            listed. A key that neither the engagement's team nor --trust-people names is undecided.

            Each check has its own result; one that was not requested prints "not checked". Exit codes: 0 every requested check
            holds, 2 a check failed, 3 undecided (signed and no --trust given, unsigned without --allow-unsigned, a file that
            cannot be read), 1 usage.

            Examples:
              auditcli verify bundles/example-20261123t101500z-0123abcd --allow-unsigned
              auditcli verify bundle.zip --trust auditor.pem.pub
              auditcli verify BUNDLE --trust auditor.pem.pub --tsa-root tsa-root.pem --expect-head 5f2c...
              auditcli verify BUNDLE --trust company-root.pem --locker /srv/evidence
            """)
        {
            bundle,
        };
        verify.AddTo(command);
        foreach (var option in new Option[] { folder, known, head, form })
            command.Options.Add(option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = host.FullPath(parsed.GetValue(bundle)!);
            if (BundleArgument.WhyNot(path) is { } wrong)
                return await BundleCommands.UsageAsync(parsed.InvocationConfiguration.Error, wrong);
            VerifyReport report;
            BundlePeople? people;
            try
            {
                var options = verify.Of(parsed, path);
                report = await BundleVerifier.VerifyAsync(path, options, cancellationToken);
                var expected = Head(parsed.GetValue(head));
                people = PeopleFolder(host, path, report, parsed.GetValue(folder), isAsked: expected is not null) is { } beside
                    ? BundlePeople.Read(beside, path, report, verify.People(parsed.GetValue(known) ?? [], path), options.Revoked, expected, host)
                    : null;
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"auditcli: {e.Message}");
                return ExitCode.Usage;
            }
            report = people?.In(report) ?? report;
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteAsync(parsed.GetValue(form) == "json" ? Json(report, people) + Environment.NewLine : Text(report, people));
            return ExitCode.Of(report);
        });
        return command;
    }

    private static Digest? Head(string? text) => text is null ? null
        : Digest.TryParse(text.ToLowerInvariant(), out var head) ? head
        : throw new InvalidDataException($"--expect-people-head {text}: not a SHA-256 in hexadecimal");

    /// <summary>Returns the folder of what people state about a bundle; null if nobody asked and there is nothing beside it.</summary>
    /// <exception cref="IOException">The folder does not exist.</exception>
    private static string? PeopleFolder(AuditHost host, string path, VerifyReport report, string? given, bool isAsked)
    {
        isAsked |= given is not null;
        if (report.BundleId is not { } id || report.TagManifestSha256 is null || !isAsked && report.Answer == VerifyAnswer.Fails)
            return null;
        var folder = given is null ? PeopleChain.FolderOf(path, id) : host.FullPath(given);
        return Directory.Exists(folder) ? folder
            : isAsked ? throw new DirectoryNotFoundException($"there is no folder {folder} with people's statements")
            : null;
    }

    private static string Text(VerifyReport report, BundlePeople? people)
    {
        using var text = new StringWriter();
        var mode = report.Mode == "replay" ? "a REPLAY of recorded exchanges" : report.Mode is { } word ? $"collected {word}" : "collected in an unknown way";
        text.WriteLine($"bundle {report.BundleId ?? "with unknown id"}, {mode}");
        foreach (var line in report.Lines)
            text.WriteLine($"{line.Question,-11}{Wording.Name(line.Answer),-12}{line.Detail}".TrimEnd());
        foreach (var problem in report.Problems)
            text.WriteLine($"{problem.Code} {problem.Path}: {problem.Message}");
        if (report.ProblemCount > report.Problems.Length)
            text.WriteLine($"and {report.ProblemCount - report.Problems.Length} more");
        foreach (var line in people?.Lines() ?? [])
            text.WriteLine(line);
        if (report.TagManifestSha256 is { } digest)
            text.WriteLine($"tagmanifest sha256 {digest}");
        return text.ToString();
    }

    private static string Json(VerifyReport report, BundlePeople? people)
    {
        var json = Json(report);
        if (people is not null)
        {
            json["people_head"] = people.Chain.Head?.Hex;
            json["people"] = new JsonArray([.. people.Chain.Entries.Select(s => (JsonNode)new JsonObject
            {
                ["sequence"] = s.Sequence,
                ["kind"] = s.Kind,
                ["at"] = Rfc3339.Format(s.At),
                ["by"] = s.By,
                ["key"] = s.Fingerprint.Hex,
                ["role"] = s.Role,
                ["about"] = s.About,
                ["reply_to"] = s.ReplyTo,
                ["to"] = s.To,
                ["complete_on"] = s.DueBy?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                ["why"] = s.Why,
                ["note"] = s.Note,
            })]);
        }
        return json.ToJsonString(PrintedJson.Options);
    }

    private static JsonObject Json(VerifyReport report) => new()
    {
        ["bundle_id"] = report.BundleId,
        ["mode"] = report.Mode,
        ["tagmanifest_sha256"] = report.TagManifestSha256?.Hex,
        ["exit_code"] = ExitCode.Of(report),
        ["questions"] = new JsonArray(
        [
            .. report.Lines.Select(l => (JsonNode)new JsonObject
            {
                ["question"] = l.Question,
                ["answer"] = Wording.Name(l.Answer),
                ["detail"] = l.Detail,
            }),
        ]),
        ["problems"] = new JsonArray(
        [
            .. report.Problems.Select(p => (JsonNode)new JsonObject
            {
                ["question"] = p.Question,
                ["code"] = p.Code,
                ["path"] = p.Path,
                ["message"] = p.Message,
                ["answer"] = Wording.Name(p.Answer),
            }),
        ]),
        ["problem_count"] = report.ProblemCount,
    };
}
