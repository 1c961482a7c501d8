using System.CommandLine;
using AuditCli.Collectors.Redaction;
using AuditCli.Signing;

namespace AuditCli.Commands;

/// <summary>The options of every command that signs.</summary>
internal sealed class SigningCommandOptions(AuditHost host)
{
    private readonly Option<string?> _key = CommandOptions.Text(
        host, "--sign", "KEY", "Sign with the private key in this file (PEM, ECDSA on P-256, with its certificates if it has any).");

    private readonly Option<string[]> _authorities = CommandOptions.List(
        host, "--tsa", "URL", "A time stamp authority (RFC 3161) for the signature; repeatable, tried in order until one responds.");

    private readonly Option<string?> _challenge = CommandOptions.Text(
        host, "--challenge", "TEXT", "A text chosen by the auditor, to be signed; it proves that the signature was made after the text was chosen.");

    private readonly Option<string?> _previous = CommandOptions.Text(host, "--previous", "BUNDLE", "The signed bundle that this one follows.");
    private readonly Option<string?> _locker = CommandOptions.Text(
        host, "--locker", "DIR", "The folder of a chain of bundles, whose file 'head' names the newest; the bundle is written there.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _key, _authorities, _challenge, _previous, _locker })
            command.Options.Add(option);
    }

    /// <summary>Returns the options that were given, null if nothing is to be signed, and a message if they are wrong.</summary>
    public (SigningOptions? Options, string? Wrong) Read(ParseResult parsed)
    {
        var (key, challenge, previous, locker) = (parsed.GetValue(_key), parsed.GetValue(_challenge), parsed.GetValue(_previous), parsed.GetValue(_locker));
        var authorities = parsed.GetValue(_authorities) ?? [];
        if (key is null)
        {
            var needsKey = authorities.Length > 0 || challenge is not null || previous is not null || locker is not null;
            return (null, needsKey ? "--tsa, --challenge, --previous and --locker need --sign KEY" : null);
        }
        if (previous is not null && locker is not null)
            return (null, "--previous and --locker both name the previous bundle; give one of them");
        var wrong = authorities.FirstOrDefault(a => !Uri.TryCreate(a, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"));
        return wrong is not null
            ? (null, $"--tsa {CredentialText.Clean(wrong.Split('?')[0])}: not an http or https address")
            : (new(
                host.FullPath(key),
                [.. authorities.Select(a => new Uri(a))],
                challenge,
                previous is null ? null : host.FullPath(previous),
                locker is null ? null : host.FullPath(locker)), null);
    }
}
