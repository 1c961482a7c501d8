using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Hosting;
using AuditCli.Signing;

namespace AuditCli.Commands;

/// <summary>The options for verification, shared by every command that verifies a bundle.</summary>
internal sealed class VerifyChoices(AuditHost host)
{
    public const string PeopleTrust = "--trust-people";
    private readonly Option<string[]> _trust = CommandOptions.List(
        host,
        "--trust",
        "FILE-or-FINGERPRINT",
        "Who may have signed: a public key, a certificate or an authority's certificate in PEM, or a key's fingerprint; repeatable.");

    private readonly Option<string[]> _revoked = CommandOptions.List(
        host,
        "--revoked",
        "FILE-or-FINGERPRINT",
        "A revoked key, the signer's or an authority's, in the same forms as for --trust; repeatable.");

    private readonly Option<string[]> _roots = CommandOptions.List(
        host, "--tsa-root", "FILE", "The root certificate of a time stamp authority, in PEM; repeatable. Makes a time stamp required.");

    private readonly Option<string?> _head = CommandOptions.Text(
        host, "--expect-head", "SHA256", "The head that you recorded; the bundle must be exactly this one.");

    private readonly Option<string?> _challenge = CommandOptions.Text(host, "--challenge", "TEXT", "The text that the signer must have signed.");
    private readonly Option<string?> _previous = CommandOptions.Text(host, "--previous", "BUNDLE", "The signed bundle that this one must follow.");
    private readonly Option<string?> _locker = CommandOptions.Text(
        host, "--locker", "DIR", "Check the chain of bundles in DIR: no gaps, no forks, and the head is its newest bundle.");

    private readonly Option<bool> _allowUnsigned = CommandOptions.Flag(host, "--allow-unsigned", "Accept a bundle without a signature.");

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _trust, _revoked, _roots, _head, _challenge, _previous, _locker, _allowUnsigned })
            command.Options.Add(option);
    }

    /// <summary>
    /// Adds the options that can apply to several bundles at once: trusted and revoked keys, and whether a signature is expected.
    /// </summary>
    public void AddTrustTo(Command command)
    {
        foreach (var option in new Option[] { _trust, _revoked, _roots, _allowUnsigned })
            command.Options.Add(option);
    }

    /// <summary>Returns the keys of people that the verifier knows.</summary>
    /// <param name="given">The values of the option <c>--trust-people</c>.</param>
    /// <inheritdoc cref="Of"/>
    public SignerTrust People(string[] given, params ReadOnlySpan<string> bundles) =>
        FromOutside(PeopleTrust, given, bundles).Aggregate(SignerTrust.Nobody, (trust, one) => Keys(PeopleTrust, one, trust.With));

    /// <summary>Returns the options that were given.</summary>
    /// <param name="bundles">Full paths of the bundles to verify.</param>
    /// <exception cref="IOException">A file cannot be read, or a folder does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// A file or text is not valid for its option, or the key to trust is in a bundle; the message names the option.
    /// </exception>
    public VerifyOptions Of(ParseResult parsed, params ReadOnlySpan<string> bundles) => new(parsed.GetValue(_allowUnsigned))
    {
        Trust = FromOutside("--trust", parsed.GetValue(_trust) ?? [], bundles)
            .Aggregate(SignerTrust.Nobody, (trust, one) => Keys("--trust", one, trust.With)),
        Revoked = [.. (parsed.GetValue(_revoked) ?? []).SelectMany(one => Keys("--revoked", one, SignerTrust.Fingerprints))],
        TimeStampRoots = Roots(FromOutside("--tsa-root", parsed.GetValue(_roots) ?? [], bundles)),
        ExpectHead = parsed.GetValue(_head) is not { } text ? null
            : Digest.TryParse(text.ToLowerInvariant(), out var expected) ? expected
            : throw new InvalidDataException($"--expect-head {text}: not a SHA-256 in hexadecimal"),
        Challenge = parsed.GetValue(_challenge),
        Previous = parsed.GetValue(_previous) is { } before ? SealedAttestation.Head(host.FullPath(before)) : null,
        Locker = parsed.GetValue(_locker) is not { } row ? null
            : Directory.Exists(host.FullPath(row)) ? host.FullPath(row)
            : throw new DirectoryNotFoundException($"--locker {row}: there is no such folder"),
        Now = host.Clock.GetUtcNow(),
    };

    /// <summary>
    /// Returns the files and fingerprints after checking that none is in a bundle: whoever made the bundle could have put a key of their
    /// own there.
    /// </summary>
    private string[] FromOutside(string option, string[] given, ReadOnlySpan<string> bundles)
    {
        var roots = bundles.ToArray().Select(RealPath.Of).ToArray();
        foreach (var one in given.Where(g => File.Exists(host.FullPath(g))))
        {
            foreach (var folder in RealPath.AndAbove(host.FullPath(one)).Skip(1))
            {
                if (roots.Any(r => RealPath.Same(r, folder)) || BundleLayout.MayBeBundle(folder, sealedOnly: true))
                {
                    throw new InvalidDataException(
                        $"{option} {one} is inside the bundle {folder}, and proves nothing: "
                        + "whoever made the bundle put it there; obtain it from its owner through another channel");
                }
            }
        }
        return given;
    }

    private T Keys<T>(string option, string given, Func<string, T> read)
    {
        var file = host.FullPath(given);
        try
        {
            return read(File.Exists(file) ? KeyFiles.Text(file) : given);
        }
        catch (InvalidDataException e)
        {
            var why = File.Exists(file) ? e.Message : "there is no such file, and it is not a fingerprint (64 hexadecimal digits)";
            throw new InvalidDataException($"{option} {given}: {why}", e);
        }
    }

    private ImmutableArray<X509Certificate2>? Roots(string[] files)
    {
        if (files.Length == 0)
            return null;
        var roots = new X509Certificate2Collection();
        foreach (var file in files)
        {
            var before = roots.Count;
            try
            {
                roots.ImportFromPem(KeyFiles.Text(host.FullPath(file)));
            }
            catch (CryptographicException e)
            {
                throw new InvalidDataException($"--tsa-root {file}: {e.Message}", e);
            }
            if (roots.Count == before)
                throw new InvalidDataException($"--tsa-root {file}: there is no certificate in it");
        }
        return [.. roots];
    }
}
