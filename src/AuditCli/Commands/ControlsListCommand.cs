using System.CommandLine;
using System.Text.Json.Nodes;
using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Libraries;
using AuditCli.Reports;
using AuditCli.Text;

namespace AuditCli.Commands;

/// <summary><c>auditcli controls list</c>: the controls of a library, or those that filters choose.</summary>
internal static class ControlsListCommand
{
    public static Command Build(AuditHost host, Option<string?> folder)
    {
        var frameworks = LibraryOptions.Framework(host, "Only controls that refer to this framework or clause; repeatable.");
        var domains = LibraryOptions.Domains(host, "Only controls of this domain; repeatable.");
        var packs = LibraryOptions.Packs(host, "Only controls of this pack; repeatable.");
        var sources = LibraryOptions.Sources(host, "Only controls that read this source, or 'file' for files of management; repeatable.");
        var form = CommandOptions.Output(host);
        form.Aliases.Add("-o");
        var command = new DetailedCommand("list", "List the controls of a library, or some of them.", """
            A control is listed if each kind of option that is given names it. Words are exact or globs such as "CC6.*".

            Exit codes: 0 listed, 1 usage, or no control matches.

            Examples:
              auditcli controls list
              auditcli controls list --framework soc2-tsc:CC6.1 --source aws
              auditcli controls list --domain "access-*" --pack sox-itgc --output json
            """)
        { frameworks, domains, packs, sources, folder, form };
        command.SetAction(parsed =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var given = parsed.GetValue(folder);
            var library = ChosenLibrary.Load(given, host);
            if (!library.Faults.IsEmpty)
                return CommandErrors.Report(error, library.Faults);
            var list = ChosenLibrary.Frameworks(given, host);
            var filter = new ControlFilter(
                [.. parsed.GetValue(frameworks) ?? []],
                [.. parsed.GetValue(domains) ?? []],
                [.. parsed.GetValue(packs) ?? []],
                [.. parsed.GetValue(sources) ?? []]);
            var (chosen, faults) = filter.Of(library, list, name => ChosenLibrary.FindPacks(name, given, library, list, host));
            foreach (var fault in faults)
                error.WriteLine(fault);
            if (!faults.IsEmpty)
                return ExitCode.Usage;
            if (parsed.GetValue(form) == "json")
                output.WriteLine(Json(chosen));
            else
                Write(output, chosen);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(TextWriter output, IReadOnlyCollection<LoadedControl> controls)
    {
        var width = controls.Select(c => c.Control.Id.Length).DefaultIfEmpty().Max();
        foreach (var domain in controls.GroupBy(c => c.Control.Domain).OrderBy(g => g.Key))
        {
            output.WriteLine(Wording.Name(domain.Key).ToUpperInvariant());
            foreach (var (control, origin, _, _) in domain)
            {
                output.WriteLine(
                    $"  {control.Id.PadRight(width)}  {control.Version,-7} {control.Title}{(control.Status == "retired" ? " (retired)" : "")}"
                    + $"{(origin == ControlOrigin.Shipped ? "" : $" ({origin.ToString().ToLowerInvariant()})")}");
            }
        }
    }

    private static string Json(IEnumerable<LoadedControl> controls) => new JsonObject
    {
        ["controls"] = new JsonArray([.. controls.Select(c => (JsonNode)new JsonObject
        {
            ["id"] = c.Control.Id,
            ["version"] = c.Control.Version,
            ["title"] = c.Control.Title,
            ["domain"] = ControlFilter.WordOf(c.Control.Domain),
            ["status"] = c.Control.Status,
            ["origin"] = c.Origin.ToString().ToLowerInvariant(),
            ["key_control"] = c.Control.KeyControl,
            ["sha256"] = c.Control.Sha256.Hex,
            ["sources"] = new JsonArray([.. ControlFilter.SourcesOf(c.Control).Select(s => (JsonNode)s)]),
            ["references"] = new JsonObject(c.Control.References.Select(r =>
                KeyValuePair.Create(r.Key, (JsonNode?)new JsonArray([.. r.Value.Select(clause => (JsonNode)clause)])))),
        })]),
    }.ToJsonString(PrintedJson.Options);
}
