using System.CommandLine;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Verification;
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
        var form = CommandOptions.Output(host);
        var command = new DetailedCommand(
            "verify", "Check a bundle, offline: files, manifests, signature, key, time stamp, place in its chain, totals.", """
            A .zip or .tar is read without unpacking it. One that two programs could unpack differently, or that
            writes outside its own folder, fails (CONTAINER_UNSAFE). The bundle is the archive's one top folder, or its root.

            A key or root that is inside a bundle, even through a link, is refused: whoever made the bundle put it there.
            A key given to --revoked fails whatever --trust says and whenever it signed. Under an authority given to --trust,
            a signer's certificate must be for signing: not an authority, key usage (if stated) with digitalSignature, extended key
            usage (if stated) code or document signing.

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
        command.Options.Add(form);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = host.FullPath(parsed.GetValue(bundle)!);
            if (BundleArgument.WhyNot(path) is { } wrong)
                return await BundleCommands.UsageAsync(parsed.InvocationConfiguration.Error, wrong);
            VerifyOptions options;
            try
            {
                options = verify.Of(parsed, path);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"auditcli: {e.Message}");
                return ExitCode.Usage;
            }
            var report = await BundleVerifier.VerifyAsync(path, options, cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteAsync(parsed.GetValue(form) == "json" ? Json(report) + Environment.NewLine : Text(report));
            return ExitCode.Of(report);
        });
        return command;
    }

    private static string Text(VerifyReport report)
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
        if (report.TagManifestSha256 is { } digest)
            text.WriteLine($"tagmanifest sha256 {digest}");
        return text.ToString();
    }

    private static string Json(VerifyReport report) => new JsonObject
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
    }.ToJsonString(PrintedJson.Options);
}
