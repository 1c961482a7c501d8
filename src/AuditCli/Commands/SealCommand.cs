using System.CommandLine;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;
using AuditCli.Signing;

namespace AuditCli.Commands;

/// <summary><c>auditcli seal BUNDLE --sign KEY</c>: signs a bundle that is not signed.</summary>
internal static class SealCommand
{
    public static Command Build(AuditHost host)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "The bundle's folder." };
        var signing = new SigningCommandOptions(host);
        var archive = ArchiveOption.Of(host);
        var command = new DetailedCommand("seal", "Sign a bundle: state who vouches for exactly these bytes, and since when.", """
            The bundle is checked first, and exactly what was checked is signed; nothing in it changes, only 'attestation/' is
            added, so it must be a folder and not an archive. A passphrase comes from AUDITCLI_KEY_PASSPHRASE or a prompt.
            Exit codes: 0 signed, 2 the bundle does not verify, 1 usage or a file that cannot be read. If no authority gives a
            time stamp, the command says so and signs it as missing. With --archive the signed bundle becomes one .tar.

            Examples:
              auditcli seal bundles/example-20261123t101500z-0123abcd --sign auditor.pem
              auditcli seal BUNDLE --sign auditor.pem --tsa https://tsa.example/tsr --challenge "engagement 2026-17, 9 Nov"
            """)
        {
            bundle, archive,
        };
        signing.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (options, wrong) = signing.Read(parsed);
            var error = parsed.InvocationConfiguration.Error;
            if (options is null)
            {
                await error.WriteLineAsync(wrong ?? "seal needs --sign KEY");
                return ExitCode.Usage;
            }
            if (parsed.GetValue(archive) && options.Locker is not null)
                return await BundleCommands.UsageAsync(error, ArchiveOption.NotInALocker);
            var folder = Path.TrimEndingDirectorySeparator(host.FullPath(parsed.GetValue(bundle)!));
            int done;
            try
            {
                done = await SealAsync(host, folder, options, parsed.InvocationConfiguration.Output, error, cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or InvalidOperationException)
            {
                await error.WriteLineAsync($"auditcli: {e.Message}; nothing was signed");
                return ExitCode.Usage;
            }
            if (done != ExitCode.Ok || !parsed.GetValue(archive))
                return done;
            return await BundleCommands.GuardAsync(
                error,
                async () =>
                {
                    var written = await Task.Run(() => BundleArchiver.Write(folder, cancellationToken), cancellationToken);
                    BundleArchiver.RemoveFolder(folder);
                    await parsed.InvocationConfiguration.Output.WriteLineAsync($"bundle {written}");
                    return ExitCode.Ok;
                },
                cancellationToken);
        });
        return command;
    }

    /// <summary>Returns lines of text that describe a signature, for stdout.</summary>
    public static IEnumerable<string> Describe(SignedBundle signed)
    {
        yield return $"signed, number {signed.Sequence} of its chain, head {signed.Head}";
        yield return signed.Stamped is { } at ? $"time stamp {Rfc3339.Format(at)}" : "no time stamp";
        foreach (var failure in signed.TimeStampFailures)
            yield return $"  {failure}";
    }

    private static async Task<int> SealAsync(
        AuditHost host, string folder, SigningOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        if (BundleArgument.WhyNoFolder("seal", folder) is { } noBundle)
            return await BundleCommands.UsageAsync(error, noBundle);
        if (options.Locker is { } locker && Path.GetDirectoryName(folder) != Path.TrimEndingDirectorySeparator(locker))
        {
            await error.WriteLineAsync($"{folder} is not in the locker {locker}");
            return ExitCode.Usage;
        }
        using var signing = SigningSession.Open(options, host);
        var report = await BundleVerifier.VerifyAsync(folder, new(AllowUnsigned: true), cancellationToken);
        if (report.Answer != VerifyAnswer.Holds)
        {
            await error.WriteLineAsync(Path.Exists(Path.Combine(folder, BundleLayout.Attestation))
                ? $"{folder} is signed already"
                : $"{folder} does not verify, so it was not signed:");
            foreach (var problem in report.Problems)
                await error.WriteLineAsync($"{problem.Code} {problem.Path}: {problem.Message}");
            return ExitCode.Failed;
        }
        var signed = await signing.SignAsync(folder, report.TagManifestSha256, cancellationToken);
        signing.Keep(Path.GetFileName(folder), signed.Head);
        foreach (var line in Describe(signed))
            await output.WriteLineAsync(line);
        return ExitCode.Ok;
    }
}
