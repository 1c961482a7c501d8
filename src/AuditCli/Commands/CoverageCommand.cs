using System.Collections.Immutable;
using System.CommandLine;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Coverage;
using AuditCli.Evidence.Text;
using AuditCli.Libraries;

namespace AuditCli.Commands;

/// <summary><c>auditcli coverage [BUNDLE...]</c>: which control helps to meet which clause, and how it concluded.</summary>
internal static class CoverageCommand
{
    public static Command Build(AuditHost host)
    {
        var bundles = new Argument<string[]>("BUNDLE")
        {
            Description = "The bundles whose conclusions are shown. Without one: which control helps with which clause.",
            Arity = new(0, 1000),
        };
        var framework = LibraryOptions.Framework(host, "Only this framework, or these of its clauses, exact or as a glob; repeatable.");
        var pack = LibraryOptions.Pack(host, "What this pack stands for, and its controls alone.");
        var folder = LibraryOptions.Controls(host);
        var form = CommandOptions.Output(host);
        form.Aliases.Add("-o");
        var command = new DetailedCommand(
            "coverage", "Show which control helps to meet which clause of a framework, how it concluded in bundles, and which clause has none.", """
            A clause without a control says 'no control', and a control that a bundle did not test says so, with the reason. A
            control of a bundle refers to what its own sealed file says. Files of a bundle are compared with its manifest as they
            are read; 'auditcli verify' says who sealed it.

            Exit codes: 0 shown, gaps or not, 1 usage or no such framework or pack, 2 a file is not the one that was sealed.

            Examples:
              auditcli coverage --framework soc2-tsc
              auditcli coverage --pack sox-itgc bundles/example-20260930t...
              auditcli coverage Q1 Q2 --framework "iso-27001-2022:A.8.*" --output json
            """)
        {
            bundles, framework, pack, folder, form,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            return BundleCommands.GuardAsync(
                error,
                async () =>
                {
                    var paths = (parsed.GetValue(bundles) ?? []).Select(b => Path.TrimEndingDirectorySeparator(host.FullPath(b))).ToImmutableArray();
                    if (paths.GroupBy(p => p, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
                        return await BundleCommands.UsageAsync(error, $"{PrintableText.Of(twice.Key, 500)} is given twice");
                    var (question, faults) = Question(
                        host, parsed.GetValue(folder), [.. parsed.GetValue(framework) ?? []], parsed.GetValue(pack));
                    if (question is null)
                        return await BundleCommands.UsageAsync(error, string.Join(Environment.NewLine, faults));
                    var (found, wrong) = BundlePlace.All(paths, cancellationToken);
                    if (found is null)
                        return await BundleCommands.UsageAsync(error, wrong!);
                    using var places = found;
                    var report = await Task.Run(
                        () => (question with { Bundles = [.. places.Folders.Select(p => OpenedBundle.Open(p))] }).Answer(), cancellationToken);
                    if (parsed.GetValue(form) == "json")
                        await output.WriteLineAsync(CoverageJson.Of(report));
                    else
                        new CoverageText(output, report).Write();
                    return ExitCode.Ok;
                },
                cancellationToken);
        });
        return command;
    }

    /// <summary>Returns the question over no bundle yet; null, and the faults, if library, framework or pack cannot be used.</summary>
    private static (CoverageQuestion? Question, ImmutableArray<string> Faults) Question(
        AuditHost host, string? folder, ImmutableArray<string> frameworks, string? packName)
    {
        var library = ChosenLibrary.Load(folder, host);
        var list = ChosenLibrary.Frameworks(folder, host);
        ImmutableArray<Diagnostic> faults = [.. library.Faults, .. list.Faults];
        if (!faults.IsEmpty)
            return (null, [.. faults.Select(f => f.ToString())]);
        ImmutableArray<FrameworkFilter> filters = [.. frameworks.Select(FrameworkFilter.Parse)];
        ImmutableArray<string> nothing = [.. filters.Select(f => f.WhyNothing(list)).OfType<string>()];
        ControlPack? pack = null;
        if (packName is not null)
        {
            (pack, var wrong) = ChosenLibrary.FindPack(packName, folder, library, list, host);
            nothing = [.. nothing, .. wrong.Select(f => f.ToString())];
        }
        return nothing.IsEmpty
            ? (new([.. library.Controls.Select(c => c.Control).Where(c => c.Status == "active")], list, filters, pack, [], host.Sources), [])
            : (null, nothing);
    }
}
