using System.CommandLine;
using System.Text;
using AuditCli.Evidence.Attestation;
using AuditCli.Signing;

namespace AuditCli.Commands;

/// <summary><c>auditcli keys ...</c>: makes and shows keys that sign bundles.</summary>
internal static class KeysCommand
{
    public static Command Build(AuditHost host) => new("keys", "Make and show keys for signing bundles.") { New(host), Show(host) };

    private static DetailedCommand New(AuditHost host)
    {
        var file = new Argument<string>("FILE") { Description = "The file for the private key; it must not exist yet. The public key is written to FILE.pub." };
        var plain = CommandOptions.Flag(host, "--no-passphrase", "Leave the private key unencrypted, for machines that keep it in a vault.");
        var command = new DetailedCommand("new", "Make a key: ECDSA on P-256, the private part as encrypted PKCS#8.", """
            The passphrase comes from AUDITCLI_KEY_PASSPHRASE or is asked for. Give FILE.pub, or the fingerprint that is
            printed, to the verifier through another channel than the bundles.

            Example:
              auditcli keys new auditor.pem
            """)
        {
            file, plain,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = host.FullPath(parsed.GetValue(file)!);
            var error = parsed.InvocationConfiguration.Error;
            var passphrase = parsed.GetValue(plain)
                ? null
                : host.Environment(SigningSession.PassphraseVariable) ?? host.AskSecret("Passphrase for the new key: ");
            if (string.IsNullOrEmpty(passphrase) && !parsed.GetValue(plain))
            {
                await error.WriteLineAsync($"a passphrase is needed: set {SigningSession.PassphraseVariable}, run in a terminal, or give --no-passphrase");
                return ExitCode.Usage;
            }
            // Check both paths first: a failure after the first write would leave a private key without its public key.
            if (new[] { path, path + ".pub" }.FirstOrDefault(System.IO.Path.Exists) is { } taken)
            {
                await error.WriteLineAsync($"auditcli: {taken} exists already; nothing was written");
                return ExitCode.Usage;
            }
            using var key = SigningKey.Create();
            try
            {
                await WriteAsync(path, key.PrivatePem(passphrase) + "\n", UnixFileMode.UserRead | UnixFileMode.UserWrite, cancellationToken);
                await WriteAsync(
                    path + ".pub",
                    key.PublicPem,
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
                    cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                await error.WriteLineAsync($"auditcli: {e.Message}");
                return ExitCode.Usage;
            }
            await parsed.InvocationConfiguration.Output.WriteLineAsync(key.Fingerprint.Hex);
            return ExitCode.Ok;
        });
        return command;
    }

    private static DetailedCommand Show(AuditHost host)
    {
        var file = new Argument<string>("FILE") { Description = "A private key, a public key or certificates, in PEM." };
        var command = new DetailedCommand("show", "Print the fingerprint of a key: SHA-256 of its SubjectPublicKeyInfo, as verify --trust takes it.", """
            The same by openssl:  openssl pkey -pubin -in FILE.pub -outform DER | sha256sum

            Example:
              auditcli keys show auditor.pem.pub
            """)
        {
            file,
        };
        command.SetAction(async parsed =>
        {
            var path = host.FullPath(parsed.GetValue(file)!);
            try
            {
                var output = parsed.InvocationConfiguration.Output;
                if (KeyFiles.Text(path).Contains("PRIVATE KEY-----", StringComparison.Ordinal))
                {
                    using var key = KeyFiles.Private(path, host);
                    await output.WriteLineAsync(key.Fingerprint.Hex);
                    return ExitCode.Ok;
                }
                var trust = SignerTrust.Nobody.With(KeyFiles.Text(path));
                foreach (var fingerprint in trust.Keys.Keys.Select(k => k.Hex).Order(StringComparer.Ordinal))
                    await output.WriteLineAsync(fingerprint);
                foreach (var authority in trust.Authorities)
                {
                    var digest = Evidence.Digest.Of(authority.PublicKey.ExportSubjectPublicKeyInfo());
                    await output.WriteLineAsync($"{digest} certificate authority {authority.Subject}");
                }
                return ExitCode.Ok;
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"auditcli: {e.Message}");
                return ExitCode.Usage;
            }
        });
        return command;
    }

    private static async Task WriteAsync(string path, string content, UnixFileMode mode, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        await using var file = new FileStream(path, options);
        // Set the mode explicitly: the process's umask is owner-only, and others must be able to read a public key.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file.SafeFileHandle, mode);
        await file.WriteAsync(Encoding.ASCII.GetBytes(content), cancellationToken);
    }
}
