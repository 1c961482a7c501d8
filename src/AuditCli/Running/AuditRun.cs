using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;
using AuditCli.Collectors.Running;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
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

    /// <summary>Whether <see cref="PartialFolder"/> holds everything but the seal, so that <c>run --resume</c> finishes it offline.</summary>
    public bool OnlyLacksSeal { get; private set; }

    /// <summary>Whether <c>run --resume</c> can go on with <see cref="PartialFolder"/>.</summary>
    public bool CanGoOn { get; private set; }

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
        await using var bundle = prepared.Stopped is { Folder: { } begun }
            ? BundleWriter.Continue(begun)
            : BundleWriter.Create(options.Out, BundleIds.New(prepared.Engagement.Entity, started, host), goesOn: true);
        PartialFolder = bundle.PartialFolder;
        CollectedRun collected;
        EvaluationResults results;
        await using (var log = RunLog.Open(bundle.PathOf(BundleLayout.Log), error, options.Verbose))
        {
            if (prepared.Stopped is { Collected: not null } stopped)
                log.Information("Resumed from {BundleId}: nothing is asked again, and everything is evaluated again", stopped.BundleId);
            else if (prepared.Stopped is not null)
                log.Information("Resumed after an interruption: what was read completely is not asked again");
            await prepared.WriteQuestionsAsync(bundle, cancellationToken);
            collected = await RunProgress.ShowAsync(host, error, options.Repeats, show =>
            {
                void Tell(CollectionEvent happened)
                {
                    log.Tell(happened);
                    show(happened);
                }
                var collection = new RunCollection(prepared, options, host, bundle, signing, log, Tell) { Kept = () => CanGoOn = true };
                return collection.RunAsync(started, limits, cancellationToken);
            });
            results = await EvaluateAsync(bundle, log, collected, cancellationToken);
            log.Information("Concluded {Controls} controls", results.Controls.Length);
        }
        var written = ResultsJson.Write(results);
        if (Cleaned(written) is { } clean)
            (written, results) = (clean, ResultsJson.Read(clean));
        await bundle.WriteFileAsync(BundleLayout.Results, written, cancellationToken);
        await bundle.EndIndexAsync(cancellationToken);
        prepared.Stopped?.Collected?.Compare(bundle.PartialFolder, cancellationToken);
        try
        {
            return await SealAsync(bundle, signing, collected.Facts, results, cancellationToken);
        }
        catch when (bundle.SealedFolder is { } there)
        {
            (PartialFolder, SealedFolder) = (null, there);
            throw;
        }
        catch
        {
            await LeaveAsync(bundle, collected.Facts with { Finished = host.Clock.GetUtcNow() });
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
        var leaks = await new SecretSearch(prepared, options).SearchAsync(bundle, cancellationToken);
        facts = facts with { Finished = host.Clock.GetUtcNow(), Leaks = [.. leaks, .. facts.Leaks] };
        var record = RunRecording.Of(bundle.BundleId, prepared, facts);
        // What was kept beside the bundle could have been changed. Nothing is sealed that this program would refuse to open.
        if (prepared.Stopped is { Folder: not null }
            && await ResultsCheck.WhyNotAsync(
                OpenedBundle.Of(BundleFolder.WithoutManifest(bundle.PartialFolder), record, results), host, shown: null, cancellationToken) is { } wrong)
        {
            throw new InvalidDataException($"what would be sealed contradicts itself: {wrong}");
        }
        if (options.SealReports)
        {
            // Make the reports after the search, of what was searched: a report format escapes values, and an escaped value can look like
            // another one.
            var workpaper = WorkpaperReader.Read(
                OpenedBundle.Of(BundleFolder.WithoutManifest(bundle.PartialFolder), record, results), host.Sources);
            await Task.Run(() => ReportFormats.Seal(workpaper, bundle, cancellationToken), cancellationToken);
        }
        await bundle.WriteFileAsync(BundleLayout.Run, record.Write(), cancellationToken);
        var (seal, signed) = await SigningSession.SealAsync(
            bundle, signing, facts.Finished, prepared.Engagement.RetainUntil, elsewhere: [], cancellationToken);
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
            await bundle.LeaveAsync(RunRecording.Of(bundle.BundleId, prepared, facts).Write(), goesOn: facts.UnitsEach is not null, CancellationToken.None);
            OnlyLacksSeal = facts.UnitsEach is null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            OnlyLacksSeal = false;
        }
    }

    private async Task<EvaluationResults> EvaluateAsync(
        BundleWriter bundle, ILogger log, CollectedRun collected, CancellationToken cancellationToken)
    {
        var (engagement, facts, read) = (prepared.Engagement, collected.Facts, collected.Read);
        var evidence = new CollectedEvidence(
            path => read.Tables.GetValueOrDefault(path) ?? new(Path.Combine(bundle.PartialFolder, path), null),
            [.. read.Items.Select(prepared.Unrecorded.AsSealed)]);
        var moment = new AuditMoment(facts.AsOf, engagement.Period.StartsAt, engagement.Period.EndsBefore, engagement.AsOfTolerance)
        {
            TimeZone = engagement.Period.TimeZone,
        };
        var (engine, limited) = await evaluation.DescribeAsync();
        log.Information(
            "Evaluating with {Engine} {Version} in a process that is limited in {Limits}",
            engine.Name, engine.Version, limited ? "memory, files, time and output" : "time and output");
        var concluded = new List<ControlResult>(await EvaluateAsync(
            bundle, evidence, read.Items.DistinctBy(i => (i.Target, i.Account)).Count(), moment, [.. facts.Excluded], cancellationToken));
        concluded.AddRange(prepared.Plan.NotApplicable.Select(c => ControlResult.LeftOut(new(c.Control, c.Origin, Defaults(c.Control)), c.Decision)));
        // A run that only lacked its seal has left the whole list; one that goes on has left what was known before its targets were entered.
        var notTested = prepared.Stopped?.NotTested ?? prepared.Plan.Plan.NotTested;
        return EvaluationResults.From(
            engine, moment, evidence.Clock, concluded, prepared.Stopped is { Collected: not null } ? notTested : [.. notTested, .. facts.NotRead]);
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
}
