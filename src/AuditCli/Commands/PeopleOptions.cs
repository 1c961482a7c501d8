using System.CommandLine;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.People;
using AuditCli.Evidence.Text;
using AuditCli.Evidence.Verification;
using AuditCli.People;
using AuditCli.Signing;

namespace AuditCli.Commands;

/// <summary>The options of the commands with which a person states something about a bundle, and how they add the statement.</summary>
internal sealed class PeopleOptions(AuditHost host)
{
    private readonly Argument<string> _bundle = new("BUNDLE") { Description = "The bundle's folder, or a .zip or .tar with it." };
    private readonly Option<string?> _key = CommandOptions.Text(host, "--key", "KEY", "The person's own private key (PEM, ECDSA on P-256).");
    private readonly Option<string?> _name = new("--name") { HelpName = "NAME", Description = "The person's name. Default: the team's name for the key." };
    private readonly Option<string?> _note = new("--note") { HelpName = "FILE", Description = "A file with the person's remark, UTF-8 text." };
    private readonly Option<string?> _about = new("--about") { HelpName = "WHAT", Description = "What it is about: a control, an exception id, a file." };
    private readonly Option<long?> _reply = new("--reply-to") { HelpName = "NUMBER", Description = "The number of the remark to which this one replies." };
    private readonly Option<string?> _why = new("--why") { HelpName = "TEXT", Description = "Why it is added after the day on which the file was assembled." };
    private readonly Option<string?> _folder = FolderOption();
    private readonly VerifyChoices _verify = new(host);

    public static Option<string?> FolderOption() => new("--people")
    {
        HelpName = "DIR",
        Description = "The folder of people's statements. Default: BUNDLE-ID.people beside the bundle.",
    };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_bundle);
        foreach (var option in new Option[] { _key, _name, _note, _about, _reply, _why, _folder })
            command.Options.Add(option);
        _verify.AddTrustTo(command);
    }

    /// <summary>Verifies the bundle, signs the statement that the function completes, and adds it to the chain beside the bundle.</summary>
    public async Task<int> AddAsync(ParseResult parsed, string kind, Func<PeopleStatement, PeopleStatement> complete, CancellationToken cancellationToken)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        try
        {
            return await SignAsync(parsed, kind, complete, output, error, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            await error.WriteLineAsync($"auditcli: {PrintableText.Of(e.Message, 2000)}; nothing was added");
            return ExitCode.Usage;
        }
    }

    private async Task<int> SignAsync(
        ParseResult parsed, string kind, Func<PeopleStatement, PeopleStatement> complete, TextWriter output, TextWriter error,
        CancellationToken cancellationToken)
    {
        var path = host.FullPath(parsed.GetValue(_bundle)!);
        if (BundleArgument.WhyNot(path) is { } noBundle)
            return await BundleCommands.UsageAsync(error, noBundle);
        if (parsed.GetValue(_key) is not { } keyFile)
            return await BundleCommands.UsageAsync(error, $"{parsed.CommandResult.Command.Name} needs --key KEY, the person's own private key");
        var options = _verify.Of(parsed, path);
        using var key = KeyFiles.Private(host.FullPath(keyFile), host);
        var report = await BundleVerifier.VerifyAsync(path, options, cancellationToken);
        if (report.Answer != VerifyAnswer.Holds)
        {
            await error.WriteLineAsync($"{path} does not verify, so nothing was added:");
            foreach (var problem in report.Problems)
                await error.WriteLineAsync($"{problem.Code} {problem.Path}: {problem.Message}");
            return ExitCode.Of(report);
        }
        var engagement = BundlePeople.EngagementOf(path, report.TagManifestSha256!.Value, host);
        var member = engagement?.Team.FirstOrDefault(m => m.Key == key.Fingerprint);
        if ((parsed.GetValue(_name) ?? member?.Name) is not { } name)
            return await BundleCommands.UsageAsync(error, "nobody of the engagement's team has this key; give --name NAME, the name of its owner");
        if (member is not null && !PersonName.IsSame(member.Name, name))
            return await BundleCommands.UsageAsync(error, $"the key is that of {member.Name} in the engagement's team, not of {name}");
        var folder = parsed.GetValue(_folder) is { } given ? host.FullPath(given) : PeopleChain.FolderOf(path, report.BundleId!);
        BundleCommands.RefuseInside("--people", folder, path);
        var note = parsed.GetValue(_note) is { } file ? Note(host.FullPath(file)) : null;
        var now = host.Clock.GetUtcNow();
        var trust = SignerTrust.Nobody.With(key.Fingerprint.Hex);
        PeopleStatement Stated(long number, Digest? before)
        {
            var stated = Checked(complete(new()
            {
                Kind = kind,
                Sequence = number,
                Previous = before,
                BundleId = report.BundleId!,
                TagManifest = report.TagManifestSha256.Value,
                At = now,
                By = name,
                Key = key.PublicKey,
                Note = note,
                About = parsed.GetValue(_about),
                ReplyTo = parsed.GetValue(_reply),
                Why = parsed.GetValue(_why),
            }));
            return BundlePeople.WhyNot(stated, engagement, trust, options.Revoked) is { } wrong ? throw new InvalidDataException(wrong.Message) : stated;
        }
        var (written, statement, head) = PeopleChain.Append(folder, report.BundleId!, report.TagManifestSha256.Value, key, now, Stated);
        await output.WriteLineAsync(BundlePeople.Line(statement, engagement, trust));
        await output.WriteLineAsync($"statement {written}");
        await output.WriteLineAsync($"head {head}; keep it elsewhere: 'auditcli verify --expect-people-head' then shows a removed statement");
        return ExitCode.Ok;
    }

    private static string Note(string file)
    {
        var text = KeyFiles.Text(file).ReplaceLineEndings("\n").Trim();
        return text.Length is > 0 and <= PeopleChain.LongestText
            ? text
            : throw new InvalidDataException($"{file}: a remark has 1 to {PeopleChain.LongestText} characters, and this has {text.Length}");
    }

    /// <summary>Refuses a statement with a credential in it: it would be copied with the bundle.</summary>
    private static PeopleStatement Checked(PeopleStatement statement) =>
        new[] { statement.By, statement.Note, statement.About, statement.To, statement.Why }.Any(t => t is not null && CredentialScan.Holds(t))
            ? throw new InvalidDataException("the statement holds what looks like a credential; remove it")
            : statement;
}
