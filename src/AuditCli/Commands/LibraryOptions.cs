using System.CommandLine;
using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Libraries;

namespace AuditCli.Commands;

/// <summary>The options that choose controls, frameworks and packs of a library, with their completion.</summary>
internal static class LibraryOptions
{
    public static Option<string?> Controls(AuditHost host) =>
        CommandOptions.Text(host, "--controls", "DIR", "The library of controls. Default: the one embedded in the program.");

    public static Option<string[]> Framework(AuditHost host, string description)
    {
        var option = CommandOptions.List(host, "--framework", "KEY[:CLAUSE]", description);
        option.CompletionSources.Add(_ => ChosenLibrary.Frameworks(null, host).Frameworks.Select(f => f.Key));
        return option;
    }

    public static Option<string?> Pack(AuditHost host, string description)
    {
        var option = CommandOptions.Text(host, "--pack", "NAME", description);
        option.CompletionSources.Add(_ => PackNames(host));
        return option;
    }

    public static Option<string[]> Packs(AuditHost host, string description)
    {
        var option = CommandOptions.List(host, "--pack", "NAME", description);
        option.CompletionSources.Add(_ => PackNames(host));
        return option;
    }

    public static Option<string[]> Domains(AuditHost host, string description)
    {
        var option = CommandOptions.List(host, "--domain", "WORD", description);
        option.CompletionSources.Add(_ => ControlWords.Domains.Select(d => d.Word));
        return option;
    }

    public static Option<string[]> Sources(AuditHost host, string description)
    {
        var option = CommandOptions.List(host, "--source", "NAME", description);
        option.CompletionSources.Add(_ => host.Sources.Select(s => s.Name).Append(EvidenceNeed.FileSource));
        return option;
    }

    private static IEnumerable<string> PackNames(AuditHost host) => ChosenLibrary.Packs(null, host).Files.Select(ControlPack.NameOf);
}
