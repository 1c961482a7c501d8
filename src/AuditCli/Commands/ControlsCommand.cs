using System.Collections.Immutable;
using System.CommandLine;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;
using AuditCli.Libraries;
using AuditCli.Reports;

namespace AuditCli.Commands;

/// <summary><c>auditcli controls ...</c>: commands for authors of controls.</summary>
internal static class ControlsCommand
{
    public static Command Build(AuditHost host)
    {
        var folder = LibraryOptions.Controls(host);
        return new Command("controls", "List, show, write, validate and test controls, and show what an operation's table holds.")
        {
            ControlsListCommand.Build(host, folder), Show(host, folder), NewControlCommand.Build(host),
            Validate(host, folder), Test(host, folder), Columns(host),
        };
    }

    private static DetailedCommand Show(AuditHost host, Option<string?> folder)
    {
        var id = new Argument<string>("ID") { Description = "The control." };
        var command = new DetailedCommand("show", "Show a control: what it is for, what it asks, and how it tests.", """
            Example:
              auditcli controls show APD-AWS-002
            """)
        { id, folder };
        command.SetAction(parsed => WithLibrary(host, folder, parsed, library =>
        {
            var wanted = parsed.GetValue(id)!;
            if (library.Controls.FirstOrDefault(c => c.Control.Id.Equals(wanted, StringComparison.OrdinalIgnoreCase)) is not { } found)
                return Unknown(parsed, host, folder, library, wanted);
            ControlText.Write(parsed.InvocationConfiguration.Output, found);
            return ExitCode.Ok;
        }));
        return command;
    }

    private static DetailedCommand Validate(AuditHost host, Option<string?> folder)
    {
        var command = new DetailedCommand(
            "validate", "Check every control of a library, its SQL, references and fixtures; every fault is listed with file:line:column.", """
            References are checked against the frameworks of the program, and over them those of DIR/frameworks. Frameworks and packs
            of the library are checked too. What controls new marked TODO and nobody replaced is a warning.

            Exit codes: 0 all are valid or only warnings, 1 there are faults.

            Example:
              auditcli controls validate --controls controls
            """)
        { folder };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"library: {ChosenLibrary.Name(parsed.GetValue(folder), host)}");
            var library = Load(host, folder, parsed);
            var frameworks = ChosenLibrary.Frameworks(parsed.GetValue(folder), host);
            ImmutableArray<Diagnostic> faults = [.. library.Faults, .. frameworks.Faults];
            // A control that cannot be read would be missing from every pack that names it.
            if (faults.IsEmpty)
                faults = [.. PackFaults(parsed.GetValue(folder), library, frameworks, host)];
            var warnings = 0;
            await using var evaluation = host.StartEvaluation();
            foreach (var loaded in library.Controls)
            {
                ImmutableArray<Diagnostic> found =
                [
                    .. frameworks.FaultsOf(loaded),
                    .. ChosenLibrary.ParameterDoubts(loaded),
                    .. ChosenLibrary.Unfinished(loaded),
                    .. await ChosenLibrary.CheckSqlAsync(loaded, evaluation, forAuthors: true, cancellationToken),
                ];
                warnings += found.Count(ChosenLibrary.IsWarning);
                faults = [.. faults, .. found, .. Fixtures(loaded).Faults];
            }
            foreach (var fault in faults)
                await parsed.InvocationConfiguration.Error.WriteLineAsync(fault.ToString());
            await parsed.InvocationConfiguration.Output.WriteLineAsync(
                $"{Wording.Count(library.Controls.Length, "control")} read, {Wording.Count(faults.Length - warnings, "fault")}, "
                + Wording.Count(warnings, "warning"));
            return faults.Length > warnings ? ExitCode.Usage : ExitCode.Ok;
        });
        return command;
    }

    private static DetailedCommand Test(AuditHost host, Option<string?> folder)
    {
        var ids = new Argument<string[]>("ID") { Description = "The controls; all of the library when none is named.", Arity = ArgumentArity.ZeroOrMore };
        var command = new DetailedCommand("test", "Run each control's fixtures and check that it concludes as they state.", """
            Exit codes: 0 every case concludes as stated, 2 one does not, 1 usage.

            Examples:
              auditcli controls test --controls controls
              auditcli controls test APD-AWS-911 --controls controls
              auditcli controls test APD-AWS-002
            """)
        { ids, folder };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var library = Load(host, folder, parsed);
            if (!library.Faults.IsEmpty)
                return CommandErrors.Report(error, library.Faults);
            var wanted = parsed.GetValue(ids) ?? [];
            var unknown = wanted.Where(w => library.Controls.All(c => c.Control.Id != w)).ToArray();
            if (unknown.Length > 0)
                return Unknown(parsed, host, folder, library, unknown);
            var (passed, failed) = (0, 0);
            await using var evaluation = host.StartEvaluation();
            foreach (var loaded in library.Controls.Where(c => wanted.Length == 0 || wanted.Contains(c.Control.Id)))
            {
                var (fixtures, faults) = Fixtures(loaded);
                if (fixtures is null || !faults.IsEmpty)
                    return CommandErrors.Report(error, faults);
                foreach (var outcome in await FixtureRunner.RunAsync(loaded.Control, fixtures, evaluation.Limits, evaluation, cancellationToken))
                {
                    _ = outcome.Passed ? passed++ : failed++;
                    await output.WriteLineAsync($"{(outcome.Passed ? "pass" : "FAIL")}  {loaded.Control.Id}  {PrintableText.Of(outcome.Case)}");
                    foreach (var difference in outcome.Differences)
                        await output.WriteLineAsync($"      {fixtures.File}:{outcome.Line}: {PrintableText.Of(difference)}");
                    if (!outcome.Passed)
                        await output.WriteLineAsync($"      {outcome.Moment}");
                }
            }
            await output.WriteLineAsync($"{Wording.Count(passed, "case")} {(passed == 1 ? "passes" : "pass")}, {failed} {(failed == 1 ? "fails" : "fail")}");
            return failed > 0 ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static DetailedCommand Columns(AuditHost host)
    {
        var source = new Argument<string>("SOURCE") { Description = string.Join(", ", host.Sources.Select(s => s.Name)) };
        var operation = new Argument<string>("OPERATION") { Description = "Such as iam:ListUsers." };
        var command = new DetailedCommand("columns", "Show what an operation takes, and the columns of its table with their types.", """
            Example:
              auditcli controls columns aws iam:ListUsers
            """)
        { source, operation };
        command.SetAction(parsed =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var (sourceName, operationName) = (parsed.GetValue(source)!, parsed.GetValue(operation)!);
            if (host.Sources.FirstOrDefault(s => s.Name == sourceName) is not { } found)
            {
                error.WriteLine($"there is no source {sourceName}; the sources are {string.Join(", ", host.Sources.Select(s => s.Name))}");
                return ExitCode.Usage;
            }
            if (found.FindOperation(operationName) is not { } known)
                return CallCommand.Unknown(error, found, operationName);
            output.WriteLine(
                $"{known.Name}: called {(known.Scope == OperationScope.Global ? "once per account" : "in every region")}"
                + $"{(known.SideEffect is { } effect ? $"; {effect}" : "")}");
            if (known.Row is { } row)
                output.WriteLine($"  rows: {row}");
            foreach (var code in known.NotConfigured)
                output.WriteLine($"  {code} means 'there is none'; allow_errors: {{ {code}: empty }} turns it into no rows");
            foreach (var parameter in known.Parameters)
                output.WriteLine($"  takes {parameter.Name,-32} {Word(parameter.Type)}{(parameter.Required ? ", required" : "")}");
            foreach (var column in EvidenceColumns.Added(perParent: false, []).Concat(known.Columns))
                output.WriteLine($"  {column.Name,-38} {Word(column.Type)}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static int Unknown(ParseResult parsed, AuditHost host, Option<string?> folder, ControlLibrary library, params string[] unknown)
    {
        var named = string.Join(", ", unknown.Select(u => u + NearMiss.Hint(u, library.Controls.Select(c => c.Control.Id))));
        parsed.InvocationConfiguration.Error.WriteLine(
            $"the library has no control {named}; see: auditcli controls list\nlibrary: {ChosenLibrary.Name(parsed.GetValue(folder), host)}");
        return ExitCode.Usage;
    }

    private static string Word(ColumnType type) => type.ToString().ToLowerInvariant();

    private static (FixtureFile? Fixtures, ImmutableArray<Diagnostic> Faults) Fixtures(LoadedControl loaded)
    {
        if (loaded.Fixtures is not { } file)
        {
            var missing = $"there is no {loaded.Control.Id}.fixtures.yaml in the control's folder; write one: a control without fixtures proves nothing";
            return (null, [new(loaded.Control.File, 1, 1, missing, DiagnosticKind.Meaning)]);
        }
        var (fixtures, faults) = FixtureLoader.Load(file, loaded.Control);
        return fixtures is null ? (null, faults) : (fixtures, [.. faults, .. FixtureCoverage.Check(fixtures, loaded.Control)]);
    }

    private static IEnumerable<Diagnostic> PackFaults(string? folder, ControlLibrary library, FrameworkList frameworks, AuditHost host)
    {
        var (files, faults) = ChosenLibrary.Packs(folder, host);
        return faults.Concat(files.SelectMany(f => ControlPack.Read(f, [.. library.Controls.Select(c => c.Control)], frameworks).Faults));
    }

    private static ControlLibrary Load(AuditHost host, Option<string?> folder, ParseResult parsed) =>
        ChosenLibrary.Load(parsed.GetValue(folder), host);

    private static int WithLibrary(AuditHost host, Option<string?> folder, ParseResult parsed, Func<ControlLibrary, int> use)
    {
        var library = Load(host, folder, parsed);
        return library.Faults.IsEmpty ? use(library) : CommandErrors.Report(parsed.InvocationConfiguration.Error, library.Faults);
    }
}
