using System.Collections.Immutable;
using System.Security.Cryptography;
using AuditCli.Bundles;
using AuditCli.Collectors;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Hosting;
using AuditCli.Reports.Formats;
using AuditCli.Reports.Workpapers;
using AuditCli.Signing;
using Serilog;

namespace AuditCli.Running;

/// <summary>The result of a run that was sealed.</summary>
/// <param name="Record">The record of the run (<c>data/run.json</c>).</param>
/// <param name="Signed">The signature; null if the run was not signed.</param>
internal sealed record FinishedRun(
    PreparedRun Prepared,
    SealedBundle Bundle,
    EvaluationResults Results,
    RunFacts Facts,
    RunRecord Record,
    SignedBundle? Signed)
{
    /// <summary>The archive into which the bundle was put; null if it is a folder.</summary>
    public string? Archive { get; init; }

    /// <summary>The bundle's path as it is handed over: its archive, or its folder.</summary>
    public string Path => Archive ?? Bundle.Path;

    /// <summary>Returns a control's results by partition, from their file.</summary>
    public IEnumerable<TestResult> Partitions(ControlResult control)
    {
        var path = BundleLayout.Partitions(control.Id);
        return control.Partitions is null ? [] : PartitionResults.Read(() => BundleFile.Open(Bundle.Path, path), path);
    }
}

/// <summary>
/// Performs a run in one pass: collect, evaluate, report, seal. Its inputs were loaded and checked before (<see cref="PreparedRun"/>).
/// </summary>
/// <param name="evaluation">The process that executes the controls' SQL.</param>
internal sealed class AuditRun(PreparedRun prepared, RunOptions options, AuditHost host, EvaluationProcess evaluation, TextWriter error)
{
    /// <summary>Controls times accounts from which a second evaluation process saves more time than its start costs.</summary>
    private const int WorthTwoProcesses = 40;

    /// <summary>The folder with what an unfinished run collected; null before the bundle is created and after it is sealed.</summary>
    public string? PartialFolder { get; private set; }

    /// <summary>Whether <see cref="PartialFolder"/> holds everything but the seal, so that <c>run --resume</c> can finish it.</summary>
    public bool CanBeResumed { get; private set; }

    /// <summary>The sealed bundle; null before it is sealed.</summary>
    public string? SealedFolder { get; private set; }

    /// <summary>
    /// Runs to the end. Throws on cancellation, or if the bundle cannot be written; failures to read evidence are part of the results.
    /// </summary>
    public async Task<FinishedRun> RunAsync(CancellationToken cancellationToken)
    {
        var started = host.Clock.GetUtcNow();
        // Check the open-file limit before the first request: running out of files later would lose what was collected.
        var limits = RequestLimits.Default.Within(OpenFileLimit.OfThisProcess());
        using var signing = options.Signing is null ? null : SigningSession.Open(options.Signing, host);
        await using var bundle = BundleWriter.Create(options.Out, BundleIds.New(prepared.Engagement.Entity, started, host));
        PartialFolder = bundle.PartialFolder;
        RunFacts facts;
        EvaluationResults results;
        await using (var log = RunLog.Open(bundle.PathOf(BundleLayout.Log), error, options.Verbose))
        {
            if (prepared.Stopped is { } stopped)
                log.Information("Resumed from {BundleId}: nothing is asked again, and everything is evaluated again", stopped.BundleId);
            await WriteQuestionsAsync(bundle, cancellationToken);
            (facts, var items) = await RunProgress.ShowAsync(host, error, show =>
            {
                void Tell(CollectionEvent happened)
                {
                    log.Tell(happened);
                    show(happened);
                }
                return CollectAsync(bundle, log, Tell, started, limits, cancellationToken);
            });
            results = await EvaluateAsync(bundle, log, facts, items, cancellationToken);
            log.Information("Concluded {Controls} controls", results.Controls.Length);
        }
        var written = ResultsJson.Write(results);
        if (Cleaned(written) is { } clean)
            (written, results) = (clean, ResultsJson.Read(clean));
        await bundle.WriteFileAsync(BundleLayout.Results, written, cancellationToken);
        await bundle.EndIndexAsync(cancellationToken);
        prepared.Stopped?.Compare(bundle.PartialFolder, cancellationToken);
        try
        {
            return await SealAsync(bundle, signing, facts, results, cancellationToken);
        }
        catch when (bundle.SealedFolder is { } there)
        {
            (PartialFolder, SealedFolder) = (null, there);
            throw;
        }
        catch
        {
            await LeaveAsync(bundle, facts with { Finished = host.Clock.GetUtcNow() });
            throw;
        }
    }

    /// <summary>
    /// Returns results without what looks like a credential; null if there is nothing of that kind. If it cannot be removed, the results stay
    /// as they are, and the search before the seal names the file and stops.
    /// </summary>
    private static byte[]? Cleaned(ReadOnlyMemory<byte> written)
    {
        try
        {
            return CredentialScan.Clean(written);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Searches the bundle for credentials, makes the reports and seals.</summary>
    private async Task<FinishedRun> SealAsync(
        BundleWriter bundle, SigningSession? signing, RunFacts facts, EvaluationResults results, CancellationToken cancellationToken)
    {
        facts = facts with { Finished = host.Clock.GetUtcNow(), Leaks = await SearchForCredentialsAsync(bundle, cancellationToken) };
        var record = RunRecording.Of(bundle.BundleId, prepared, facts);
        if (options.SealReports)
        {
            // Make the reports after the search, of what was searched: a report format escapes values, and an escaped value can look like
            // another one.
            var workpaper = WorkpaperReader.Read(
                OpenedBundle.Of(BundleFolder.WithoutManifest(bundle.PartialFolder), record, results), host.Sources);
            await Task.Run(() => ReportFormats.Seal(workpaper, bundle, cancellationToken), cancellationToken);
        }
        await bundle.WriteFileAsync(BundleLayout.Run, record.Write(), cancellationToken);
        var (seal, signed) = await SigningSession.SealAsync(bundle, signing, facts.Finished, elsewhere: [], cancellationToken);
        (PartialFolder, SealedFolder) = (null, seal.Path);
        return new(prepared, seal, results, facts, record, signed);
    }

    /// <summary>
    /// Leaves the folder resumable. A failure here is swallowed, so that the caller reports the exception that stopped the seal.
    /// </summary>
    private async Task LeaveAsync(BundleWriter bundle, RunFacts facts)
    {
        try
        {
            await bundle.LeaveAsync(RunRecording.Of(bundle.BundleId, prepared, facts).Write(), CancellationToken.None);
            CanBeResumed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            CanBeResumed = false;
        }
    }

    /// <summary>
    /// Searches the files of the bundle for credentials, the last time before reports are made of them. Returns the findings if
    /// --allow-secrets was given.
    /// </summary>
    /// <exception cref="InvalidDataException">A file holds what looks like a credential, and --allow-secrets was not given.</exception>
    private async Task<ImmutableArray<CredentialFound>> SearchForCredentialsAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        var leaks = await Task.Run(() => CredentialScan.Find(bundle.PartialFolder, cancellationToken), cancellationToken);
        if (leaks is [var first, ..] && !options.AllowSecrets)
        {
            var others = leaks.Length switch { 1 => "", 2 => ", and so does another file", var all => $", and so do {all - 1} other files" };
            throw new InvalidDataException(
                $"{first.File}, near character {first.Offset}, holds what looks like a credential{others}; {Advice(first.File)}");
        }
        return leaks;
    }

    /// <summary>
    /// Returns what to do about a credential that was found, by the origin of its file. Files of people are searched before the first request,
    /// so they are found here only if the stopped run that is resumed had allowed them. What SQL assembles is replaced in its rows.
    /// </summary>
    private string Advice(string file) => file switch
    {
        _ when file.StartsWith(BundleLayout.InputsFolder, StringComparison.Ordinal) || file == BundleLayout.Engagement =>
            $"remove it from the file that you supplied and run again; if it is not one, {Allowed}",
        _ when file.StartsWith(BundleLayout.ControlsFolder, StringComparison.Ordinal) =>
            $"remove it from the control and run again; if it is not one, {Allowed}",
        _ when prepared is { Engagement.Replay: not null, Stopped: null } && file.StartsWith(BundleLayout.ExchangesFolder, StringComparison.Ordinal) =>
            $"it is in the recorded exchanges, which a replay copies unchanged: record them again with this version; if it is not one, {Allowed}",
        _ => $"it came from the provider, not from your files: inspect the file; if it is not one, {Allowed}",
    };

    private const string Allowed = "seal it unchanged with --allow-secrets, which the bundle will record";

    /// <summary>Writes the engagement and the controls first, so that an interrupted run records what it asked.</summary>
    private async Task WriteQuestionsAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        await bundle.WriteFileAsync(BundleLayout.Engagement, prepared.Engagement.Source, cancellationToken);
        foreach (var control in prepared.Plan.Controls.Select(c => c.Control).Concat(prepared.Plan.NotApplicable.Select(c => c.Control)))
            await bundle.WriteFileAsync(BundleLayout.Control(control.Id), control.Source, cancellationToken);
    }

    private async Task<(RunFacts Facts, ImmutableArray<EvidenceItem> Items)> CollectAsync(
        BundleWriter bundle, ILogger log, Action<CollectionEvent> tell, DateTimeOffset started, RequestLimits limits, CancellationToken cancellationToken)
    {
        var engagement = prepared.Engagement;
        var key = prepared.RedactionKey ?? RandomNumberGenerator.GetBytes(PreparedRun.LeastKeyBytes);
        await using ExchangeTransport transport = engagement.Replay is { } recorded
            ? new ReplayTransport(recorded, bundle.PartialFolder, bundle.BundleId)
            : new LiveTransport(bundle.PartialFolder, bundle.BundleId, host.Clock, redactionKey: key, connections: limits.Connections)
            {
                Waiting = wait => tell(new CollectionEvent.Waiting(wait)),
            };
        var dates = (transport as ReplayTransport)?.RecordedDates;
        // A replay uses the time of its recording: otherwise its evidence would depend on when it is repeated.
        var clock = dates is { } d ? new FixedClock(d.Last) : host.Clock;
        var asOf = engagement.AsOf ?? dates?.Last ?? started;
        var plan = prepared.Plan.Plan.At(asOf);
        var targets = plan.TargetsOf(engagement.Targets);
        await using var collectors = OpenedCollectors.For(targets, host.Collectors, new(transport, clock, log.Tell));
        var limit = new ConcurrencyLimit(limits);
        var collected = await new CollectionRun(plan, collectors.BySource, transport, bundle, clock, limit, tell).RunAsync(
            targets, [.. engagement.Inputs.Select(i => PreparedRun.Supplied(i, i.Written) with { RedactionKey = key })], cancellationToken);
        var facts = new RunFacts
        {
            Started = prepared.Stopped?.Started ?? started,
            Finished = started,
            AsOf = asOf,
            Recorded = prepared.Stopped is { } stopped ? stopped.Recorded : dates,
            Resumed = prepared.Stopped is { } from ? new(from.BundleId, started, Environment.UserName, Environment.MachineName) : null,
            Unused = (transport as ReplayTransport)?.Unused ?? [],
            Reached = collected.Targets,
            Inputs =
            [
                .. collected.Inputs.Select(i => prepared.Stopped is { Originals: var known } && known.TryGetValue(i.Name, out var original)
                    ? i with { Original = original }
                    : i),
            ],
            UnusualEndpoints = collectors.UnusualEndpoints,
            ClockOffsets = transport.ClockOffsets,
            Limits = limits,
            User = prepared.Stopped?.User ?? Environment.UserName,
            Machine = prepared.Stopped?.Machine ?? Environment.MachineName,
        };
        foreach (var unused in facts.Unused)
            log.Information("Recorded responses of {File} that were not used: {Count}", unused.File, unused.Count);
        return (facts, collected.Items);
    }

    private async Task<EvaluationResults> EvaluateAsync(
        BundleWriter bundle, ILogger log, RunFacts facts, ImmutableArray<EvidenceItem> items, CancellationToken cancellationToken)
    {
        var engagement = prepared.Engagement;
        var evidence = new CollectedEvidence(bundle.PartialFolder, [.. items.Select(prepared.Unrecorded.AsSealed)]);
        var moment = new AuditMoment(facts.AsOf, engagement.Period.StartsAt, engagement.Period.EndsBefore, engagement.AsOfTolerance)
        {
            TimeZone = engagement.Period.TimeZone,
        };
        var (engine, limited) = await evaluation.DescribeAsync();
        log.Information(
            "Evaluating with {Engine} {Version} in a process that is limited in {Limits}",
            engine.Name, engine.Version, limited ? "memory, files, time and output" : "time and output");
        var concluded = new List<ControlResult>(await EvaluateAsync(
            bundle, evidence, items.DistinctBy(i => (i.Target, i.Account)).Count(), moment, [.. facts.Excluded], cancellationToken));
        concluded.AddRange(prepared.Plan.NotApplicable.Select(c => ControlResult.LeftOut(new(c.Control, c.Origin, Defaults(c.Control)), c.Decision)));
        return EvaluationResults.From(
            engine, moment, evidence.Clock, concluded, prepared.Stopped?.NotTested ?? [.. prepared.Plan.Plan.NotTested, .. facts.NotRead]);
    }

    /// <summary>
    /// Evaluates every control in scope. Two processes share the work if there are many controls and accounts; results keep the order of
    /// the plan.
    /// </summary>
    /// <param name="places">The number of accounts that were read.</param>
    private async Task<ControlResult[]> EvaluateAsync(
        BundleWriter bundle, CollectedEvidence evidence, int places, AuditMoment moment, ImmutableArray<LeftOutPlace> leftOut,
        CancellationToken cancellationToken)
    {
        var controls = prepared.Plan.Controls;
        var results = new ControlResult[controls.Length];
        var next = -1;
        async Task WorkAsync(EvaluationProcess process)
        {
            try
            {
                for (int n; (n = Interlocked.Increment(ref next)) < controls.Length;)
                {
                    var scope = controls[n] with { LeftOut = [.. controls[n].LeftOut, .. leftOut] };
                    // List the partitions only now: they grow with the accounts, and those of all controls need not be in memory at once.
                    results[n] = await Evaluator.EvaluateAsync(
                        scope, evidence.PartitionsOf(scope.Control), moment, process.Limits, process,
                        name => bundle.OpenFile(BundleLayout.ResultsFolder + name), Cleaned, cancellationToken);
                }
            }
            catch
            {
                // There is no bundle without all results: stop the other process from starting more controls.
                Interlocked.Exchange(ref next, controls.Length);
                throw;
            }
        }
        if (controls.Length * places < WorthTwoProcesses || !options.EvaluatesInTwo)
            await WorkAsync(evaluation);
        else
        {
            await using var second = host.StartEvaluation();
            await Task.WhenAll(WorkAsync(evaluation), WorkAsync(second));
        }
        return results;
    }

    private static ImmutableArray<EffectiveParameter> Defaults(Control control) =>
        [.. control.Parameters.Select(EffectiveParameter.Of)];

    /// <summary>A clock that always returns the same time, for replays.</summary>
    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
