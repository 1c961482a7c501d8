using System.CommandLine;
using System.Text;
using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Evidence.Text;
using AuditCli.Libraries;

namespace AuditCli.Commands;

/// <summary><c>auditcli controls new ID</c>: writes the files with which a control begins.</summary>
internal static class NewControlCommand
{
    public static Command Build(AuditHost host)
    {
        var id = new Argument<string>("ID") { Description = "<DOMAIN>-<SOURCE>-<NNN>, such as APD-AWS-911; a number that was never used." };
        var domain = CommandOptions.Text(host, "--domain", "WORD", "The domain, where the ID does not begin with the code of one.");
        domain.CompletionSources.Add(_ => ControlWords.Domains.Select(d => d.Word));
        var folder = CommandOptions.Text(host, "--controls", "DIR", "The library that gets the control; made if it does not exist.", ChosenLibrary.OwnFolder);
        var command = new DetailedCommand("new", "Write the files of a new control: one that loads, validates and passes its own cases, to be changed.", $$"""
            The control looks for items of the ID's source on a register. What only its author can know is marked TODO. Nothing that
            exists is overwritten, and an ID that the library or the program has is refused.

            Codes of domains: {{string.Join(", ", ControlWords.DomainCodes.Select(d => d.Code))}}.
            Codes of sources: {{Codes(host)}}. With any other one, such as XSR, the items come from a file.

            Exit codes: 0 written, 1 usage, or something exists already.

            Examples:
              auditcli controls new APD-AWS-911
              auditcli controls new OPS-XSR-901 --controls audits/controls
            """)
        {
            id, domain, folder,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var wanted = parsed.GetValue(id)!.ToUpperInvariant();
            var shown = parsed.GetValue(folder)!;
            if (!IdGlob.IsId(wanted))
                return await BundleCommands.UsageAsync(error, $"{PrintableText.Of(wanted, 100)} is not an id such as APD-AWS-911 (<DOMAIN>-<SOURCE>-<NNN>)");
            if (DomainOf(wanted, parsed.GetValue(domain)) is not { } found)
                return await BundleCommands.UsageAsync(error, WhyNoDomain(wanted, parsed.GetValue(domain)));
            if (Taken(wanted, host.FullPath(shown)) is { } taken)
                return await BundleCommands.UsageAsync(error, $"{wanted} is taken by {taken}; ids are never reused, and nothing was written");
            var source = host.Collectors.FirstOrDefault(c => c.NewControl.Code == wanted.Split('-')[1]);
            var skeleton = ControlSkeleton.Of(wanted, found, source, PrintableText.Of(shown));
            var file = Path.Combine(shown, ControlFilter.WordOf(found), $"{wanted}.yaml");
            var fixtures = Path.ChangeExtension(file, ".fixtures.yaml");
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(host.FullPath(file))!);
                await WriteAsync(host.FullPath(fixtures), skeleton.Fixtures, cancellationToken);
                await WriteAsync(host.FullPath(file), skeleton.Control, cancellationToken);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return await BundleCommands.UsageAsync(error, $"auditcli: {e.Message}");
            }
            var ofFile = source is null ? $"; no source has the code {wanted.Split('-')[1]}, so its items come from a file" : "";
            await output.WriteLineAsync($"{file} and its fixtures{ofFile}");
            await output.WriteLineAsync(
                $"next: replace what is marked TODO, then run auditcli controls validate --controls {shown}, "
                + $"then auditcli controls test {wanted} --controls {shown}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Codes(AuditHost host) => string.Join(", ", host.Collectors.Select(c => $"{c.NewControl.Code} ({c.Title})"));

    private static ItgcDomain? DomainOf(string id, string? word) => word is null
        ? ControlWords.DomainCodes.Where(d => d.Code == id.Split('-')[0]).Select(d => (ItgcDomain?)d.Value).FirstOrDefault()
        : ControlWords.Domains.Where(d => d.Word == word).Select(d => (ItgcDomain?)d.Value).FirstOrDefault();

    private static string WhyNoDomain(string id, string? word)
    {
        var domains = string.Join(", ", ControlWords.Domains.Select(d => d.Word));
        return word is null
            ? $"no domain has the code {id.Split('-')[0]}; name one with --domain: {domains}"
            : $"--domain {PrintableText.Of(word, 100)}: there is no such domain; the domains are {domains}";
    }

    /// <summary>Returns what has the ID already: a file of the folder, or a shipped control; null if nothing has it.</summary>
    private static string? Taken(string id, string folder)
    {
        var names = new[] { $"{id}.yaml", $"{id}.fixtures.yaml" };
        var files = Directory.Exists(folder) ? LibraryFile.ReadFolder(folder).Files : [];
        return files.FirstOrDefault(f => names.Contains(f.Path.Split('/')[^1])) is { } own ? own.ShownAs
            : ShippedLibrary.Ids.Contains(id) ? "the shipped library"
            : null;
    }

    private static async Task WriteAsync(string path, string content, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        await file.WriteAsync(Encoding.UTF8.GetBytes(content), cancellationToken);
    }
}
