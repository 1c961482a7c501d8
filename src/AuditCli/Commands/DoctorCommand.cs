using System.Collections.Immutable;
using System.CommandLine;
using AuditCli.Collectors;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Files;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Hosting;
using AuditCli.Running;

namespace AuditCli.Commands;

/// <summary><c>auditcli doctor</c>: checks before a run whether it could read what it needs.</summary>
internal static class DoctorCommand
{
    private const int MostAccounts = 20;

    public static Command Build(AuditHost host)
    {
        var named = new SubjectOptions(host);
        var place = CommandOptions.Text(host, "--out", "DIR", "The folder for bundles, to show its free disk space.", "bundles");
        var form = CommandOptions.Output(host);
        var command = new DetailedCommand("doctor", "Show who you are, what you can reach, and which operations will be denied, before a run.", """
            Calls every operation that the selected controls need, in every account and region, for its first page only, as the
            run would. An operation that is called once per row of another is called for the first row; one with a side effect
            is not called. If a target has many accounts, the first 20 are tried. Inputs are opened: their columns, types and
            rows are checked. Nothing is written, and no input leaves this machine.

            Exit codes: 0 nothing was refused, 3 something cannot be read or relied on, 1 usage, or an input that a run would refuse.

            Examples:
              auditcli doctor engagement.yaml
              auditcli doctor engagement.yaml --target prod --control 'APD-*'
              auditcli doctor --aws --pack quick
              auditcli permissions engagement.yaml --source aws        # what to ask for where something is denied
            """)
        {
            place, form,
        };
        named.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var (subject, wrong) = named.Read(parsed);
            if (subject is null)
                return await BundleCommands.UsageAsync(error, wrong!);
            await using var evaluation = host.StartEvaluation();
            var (prepared, faults) = await PreparedRun.LoadAsync(subject, host, evaluation, cancellationToken);
            if (prepared is null)
                return CommandErrors.Report(error, faults);
            var inputs = await prepared.CheckInputsAsync(subject, allowSecrets: false, error, cancellationToken);
            if (!inputs.Faults.IsEmpty)
                return CommandErrors.Report(error, inputs.Faults);
            if (prepared.Engagement.Replay is not null)
            {
                return await BundleCommands.UsageAsync(
                    error, $"{subject.ShownAs} replays recorded exchanges: its run sends no request, so nothing can be denied");
            }
            try
            {
                var found = await ExamineAsync(host, prepared, inputs.Checked, host.FullPath(parsed.GetValue(place)!), error, cancellationToken);
                if (parsed.GetValue(form) == "json")
                    await output.WriteLineAsync(DoctorText.Json(found));
                else
                    DoctorText.Write(output, found);
                return found.ExitCode;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
            catch (IOException e)
            {
                return await BundleCommands.UsageAsync(error, e.Message);
            }
        });
        return command;
    }

    private static async Task<Examination> ExamineAsync(
        AuditHost host, PreparedRun prepared, ImmutableArray<CheckedInput> inputs, string place, TextWriter error, CancellationToken cancellationToken)
    {
        var plan = prepared.Plan.Plan.At(prepared.Engagement.AsOf ?? host.Clock.GetUtcNow());
        var targets = plan.TargetsOf(prepared.Engagement.Targets);
        var limits = RequestLimits.Default.Within(OpenFileLimit.OfThisProcess());
        await using var transport = new LiveTransport(bundleFolder: null, seed: "doctor", host.Clock, connections: limits.Connections)
        {
            Waiting = TextWriter.Synchronized(error).WriteLine,
        };
        await using var collectors = OpenedCollectors.For(targets, host.Collectors, new(transport, host.Clock, _ => { }));
        var probe = new AccessProbe(plan, collectors.BySource, transport, new ConcurrencyLimit(limits), MostAccounts);
        return new(
            await probe.RunAsync(targets, cancellationToken),
            plan.NotTested,
            inputs,
            NotSupplied(prepared),
            collectors.UnusualEndpoints,
            transport.ClockOffsets,
            place,
            FreeBytes(place));
    }

    /// <summary>Returns the inputs that a control could use but the engagement does not supply, each with its controls.</summary>
    private static ImmutableArray<(string Input, string Controls)> NotSupplied(PreparedRun prepared) =>
    [
        .. prepared.Plan.Controls.SelectMany(c => c.Control.Evidence.Where(e => e.IsFile && prepared.Engagement.Inputs.All(i => i.Name != e.Operation))
                .Select(e => (Input: e.Operation, c.Control.Id)))
            .GroupBy(e => e.Input, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (g.Key, string.Join(", ", g.Select(e => e.Id).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)))),
    ];

    /// <summary>Returns the free bytes on the volume of the nearest existing folder; null if the system does not report them.</summary>
    private static long? FreeBytes(string place)
    {
        var folder = new DirectoryInfo(place);
        while (!folder.Exists && folder.Parent is { } parent)
            folder = parent;
        try
        {
            return new DriveInfo(folder.FullName).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}

/// <summary>The result of <c>doctor</c>.</summary>
/// <param name="NotTested">Controls and targets for which no request would be made.</param>
/// <param name="Inputs">The inputs that were opened.</param>
/// <param name="NotSupplied">Inputs without a file, whose tables would be empty, and the controls that use them.</param>
/// <param name="ClockOffsets">Clock offset by host; positive if the host's clock is ahead.</param>
/// <param name="Place">The folder in which bundles would be written.</param>
internal sealed record Examination(
    ImmutableArray<ProbedTarget> Targets,
    ImmutableArray<NotTested> NotTested,
    ImmutableArray<CheckedInput> Inputs,
    ImmutableArray<(string Input, string Controls)> NotSupplied,
    ImmutableArray<string> UnusualEndpoints,
    ImmutableSortedDictionary<string, TimeSpan> ClockOffsets,
    string Place,
    long? FreeBytes)
{
    /// <summary>Every operation that a run would need, in the accounts that were probed.</summary>
    public IEnumerable<ProbedOperation> Readings => Targets.SelectMany(t => t.Operations);

    /// <summary>
    /// The number of operations that were not tried, because there was nothing to ask for or because they have a side effect.
    /// </summary>
    public int NotTried => Readings.Count(o => o.Outcome == ProbeOutcome.NotAsked);

    /// <summary>
    /// Whether a provider itself refused something, which a permission may change. A missing login or a server that is not there has one of
    /// this program's codes.
    /// </summary>
    public bool IsDenied => Targets.SelectMany(t => t.NotEntered.Select(n => n.Failure.Code))
        .Concat(Readings.Where(o => o.Outcome == ProbeOutcome.Refused).Select(o => o.Code ?? ""))
        .Any(code => !Codes.All.Any(c => c.Code == code));

    /// <summary>The number of readable accounts that were not probed.</summary>
    public int AccountsNotAsked => Targets.Sum(t => t.Readable.Count() - t.AccountsAsked);

    /// <summary>
    /// 3 if a target or account cannot be entered, if no account would be read, if an operation is refused, or if the content of an input
    /// would make a test inconclusive; otherwise 0.
    /// </summary>
    public int ExitCode => Targets.Any(t => t.NotEntered.Any() || !t.IsRead)
        || Readings.Any(o => o.Outcome == ProbeOutcome.Refused)
        || Inputs.Any(i => i.IsLimited)
        ? AuditCli.ExitCode.Undecided
        : AuditCli.ExitCode.Ok;
}
