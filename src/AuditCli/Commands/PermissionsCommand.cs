using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors;
using AuditCli.Controls.Planning;
using AuditCli.Running;

namespace AuditCli.Commands;

/// <summary><c>auditcli permissions</c>: prints the permissions that a run needs, in each provider's own form.</summary>
internal static class PermissionsCommand
{
    private static readonly JsonSerializerOptions Printed =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Build(AuditHost host)
    {
        var engagement = new Argument<string?>("ENGAGEMENT")
        {
            Description = "The engagement file: its controls, and what its targets say. Without one: every control of the library.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var control = CommandOptions.List(host, "--control", "ID-or-glob", "Only these controls; repeatable.");
        var target = CommandOptions.List(host, "--target", "NAME", "Only these targets of the engagement; repeatable.");
        var controls = CommandOptions.Text(
            host, "--controls", "DIR", "The library of controls. Default: the engagement's, else the one embedded in the program.");
        var source = CommandOptions.Text(
            host,
            "--source",
            string.Join('|', host.Sources.Select(s => s.Name)),
            "Print only this source's document. Default: those of every source that the controls read.");
        source.AcceptOnlyFromAmong([.. host.Sources.Select(s => s.Name)]);
        var form = CommandOptions.Output(host);
        var command = new DetailedCommand("permissions", "Print exactly what has to be granted so that the selected controls can be tested.", $"""
            {string.Join(" ", host.Collectors.Select(c => $"{c.Title}: {c.PermissionForm}."))}
            No provider is contacted. An operation whose permission is not known for certain is listed as unmapped and
            nothing is granted for it; side effects are named. Both are on stderr, and in the document where it has comments.

            Exit codes: 0 everything is mapped, or nothing has to be granted, 3 something is unmapped, 1 usage.

            Examples:
              auditcli permissions engagement.yaml
              auditcli permissions engagement.yaml --target prod --source aws > policy.json
              auditcli permissions --control 'APD-GCP-*' --source gcp > role.yaml
              auditcli permissions engagement.yaml --source kubernetes | kubectl apply -f -
            """)
        {
            engagement, control, target, controls, source, form,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var filter = new PlanFilter([.. parsed.GetValue(control) ?? []], [.. parsed.GetValue(target) ?? []]);
            var library = parsed.GetValue(controls);
            ReadingScope? scope;
            ImmutableArray<string> faults;
            if (parsed.GetValue(engagement) is { } file)
                (scope, faults) = await ReadingScope.OfEngagementAsync(host, file, library, filter, cancellationToken);
            else if (filter.Targets.IsEmpty)
                (scope, faults) = ReadingScope.OfLibrary(host, library, filter.Controls);
            else
                (scope, faults) = (null, ["--target needs an ENGAGEMENT"]);
            foreach (var fault in faults)
                await error.WriteLineAsync(fault);
            return scope is null ? ExitCode.Usage : Print(host, scope, parsed.GetValue(source), parsed.GetValue(form) == "json", output, error);
        });
        return command;
    }

    private static int Print(AuditHost host, ReadingScope scope, string? only, bool json, TextWriter output, TextWriter error)
    {
        var granted = host.Collectors.Where(c => only is null || c.Source.Name == only)
            .Select(c => (Collector: c, Asked: scope.Asked.GetValueOrDefault(c.Source.Name)))
            .Where(c => c.Asked is not null)
            .Select(c => new Grant(c.Collector.Source.Name, c.Asked!.Controls, c.Collector.Permissions(c.Asked.Operations, c.Asked.Targets)))
            .ToImmutableArray();
        foreach (var notTested in scope.NotTested)
            error.WriteLine($"nothing for {notTested.Id}: {notTested.Reason}");
        if (granted.IsEmpty)
        {
            error.WriteLine($"the selected controls read nothing from {only ?? "any source"}, so nothing has to be granted there");
            // A pipe that asked for the document of one source must not take an empty one for it.
            return only is null ? ExitCode.Ok : ExitCode.Usage;
        }
        foreach (var (source, _, document) in granted)
        {
            // A document format without comments cannot hold the remarks, so they go to stderr.
            var unsaid = only is not null && !json && !document.HoldsRemarks;
            foreach (var line in unsaid ? document.Remarks.Lines : document.Remarks.Warnings)
                error.WriteLine($"{source}: {line}");
        }
        if (json)
            output.WriteLine(Json(granted));
        else if (only is not null)
            output.Write(granted[0].Document.Text);
        else
            output.Write(string.Join("\n", granted.Select(Text)));
        return granted.Any(g => !g.Document.Remarks.Unmapped.IsEmpty) ? ExitCode.Undecided : ExitCode.Ok;
    }

    private static string Text(Grant grant)
    {
        var (source, controls, document) = grant;
        var remarks = document.HoldsRemarks ? "" : string.Concat(document.Remarks.Lines.Select(l => $"# {l}\n"));
        return $"{source}: {document.Form} for {string.Join(", ", controls)}\n\n{remarks}{document.Text}";
    }

    private static string Json(IEnumerable<Grant> granted) => new JsonArray([.. granted.Select(g => (JsonNode)new JsonObject
    {
        ["source"] = g.Source,
        ["form"] = g.Document.Form,
        ["controls"] = new JsonArray([.. g.Controls.Select(c => (JsonNode)c)]),
        ["document"] = g.Document.Text,
        ["notes"] = new JsonArray([.. g.Document.Remarks.Notes.Select(n => (JsonNode)n)]),
        ["side_effects"] = new JsonArray(
            [.. g.Document.Remarks.SideEffects.Select(e => (JsonNode)new JsonObject { ["operation"] = e.Operation, ["effect"] = e.Effect })]),
        ["unmapped"] = new JsonArray(
            [.. g.Document.Remarks.Unmapped.Select(u => (JsonNode)new JsonObject { ["operation"] = u.Operation, ["reason"] = u.Reason })]),
    })]).ToJsonString(Printed);

    private sealed record Grant(string Source, ImmutableArray<string> Controls, PermissionDocument Document);
}
