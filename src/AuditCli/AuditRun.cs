using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Collectors;
using AuditCli.Collectors.Http;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Attestation;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Formats;
using AuditCli.Reports.Workpapers;
using Serilog;

namespace AuditCli;

/// <summary>What a run left behind.</summary>
/// <param name="Document">The record of the run, as the bundle has it.</param>
/// <param name="Signed">Null when it was not to be signed.</param>
internal sealed record FinishedRun(PreparedRun Prepared, SealedBundle Bundle, EvaluationResults Results, RunFacts Facts, RunDocument Document, SignedBundle? Signed);

/// <summary>The whole job, one direction: collect, evaluate, report, seal. What it needs was loaded and checked before.</summary>
/// <param name="evaluation">Where the controls' SQL runs.</param>
internal sealed class AuditRun(PreparedRun prepared, RunOptions options, AuditHost host, EvaluationProcess evaluation, TextWriter error)
{
    /// <summary>Controls times accounts, from which on a second process is done before the first alone would be.</summary>
    private const int WorthTwoProcesses = 40;

    /// <summary>Where a run that did not finish left what it had collected; null before there was anything.</summary>
    public string? PartialFolder { get; private set; }

    /// <summary>Whether that folder holds everything but the seal, so that <c>run --resume</c> finishes it.</summary>
    public bool CanBeResumed { get; private set; }

    /// <summary>The bundle, once it is sealed; null before.</summary>
    public string? SealedFolder { get; private set; }

    /// <summary>Runs to the end, or throws: cancellation, or that the bundle cannot be written. Failures to read are in the results.</summary>
    public async Task<FinishedRun> RunAsync(CancellationToken cancellationToken)
    {
        var started = host.Clock.GetUtcNow();
        // Too few files are said before anything is asked: what was collected until then would be lost.
        var limits = RequestLimits.Default.Within(OpenFileLimit.OfThisProcess());
        using var signing = options.Signing is null ? null : Signing.Open(options.Signing, host);
        await using var bundle = BundleWriter.Create(options.Out, NewBundleId(started));
        PartialFolder = bundle.PartialFolder;
        RunFacts facts;
        EvaluationResults results;
        await using (var log = RunLog.Open(bundle.PathOf("data/log.clef"), error, options.Verbose))
        {
            if (prepared.Stopped is { } stopped)
                log.Information("Resumed from {BundleId}: nothing is asked again, and everything is evaluated again", stopped.BundleId);
            await WriteQuestionsAsync(bundle, cancellationToken);
            (facts, var items) = await CollectAsync(bundle, log, started, limits, cancellationToken);
            results = await EvaluateAsync(bundle, log, facts, items, cancellationToken);
            log.Information("Concluded {Controls} controls", results.Controls.Length);
        }
        (var written, results) = Cleaned(ResultsJson.Write(results), results);
        await bundle.WriteFileAsync(OpenedBundle.ResultsPath, written, cancellationToken);
        await bundle.EndIndexAsync(cancellationToken);
        prepared.Stopped?.Compare(bundle.PartialFolder, prepared.Unrecorded, cancellationToken);
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
    /// Takes out what looks like a credential. What cannot be taken out is left for the last search, which names the file and stops the seal.
    /// </summary>
    private static (byte[] Written, EvaluationResults Results) Cleaned(byte[] written, EvaluationResults results)
    {
        try
        {
            return CredentialScan.Clean(written) is { } clean ? (clean, ResultsJson.Read(clean)) : (written, results);
        }
        catch (InvalidDataException)
        {
            return (written, results);
        }
    }

    /// <summary>Searches everything once more, makes the reports and seals.</summary>
    private async Task<FinishedRun> SealAsync(BundleWriter bundle, Signing? signing, RunFacts facts, EvaluationResults results, CancellationToken cancellationToken)
    {
        facts = facts with { Finished = host.Clock.GetUtcNow(), Leaks = await SearchForCredentialsAsync(bundle, cancellationToken) };
        if (options.SealReports)
        {
            // Reports are made of what was searched; in their own form a value is escaped, and may look like another one.
            var workpaper = WorkpaperReader.Read(OpenedBundle.Open(BundleFolder.WithoutManifest(bundle.PartialFolder), RunRecord.Write(bundle.BundleId, prepared, facts)), host.Sources);
            await Task.Run(() => ReportFormats.Seal(workpaper, bundle, cancellationToken), cancellationToken);
        }
        var record = RunRecord.Write(bundle.BundleId, prepared, facts);
        await bundle.WriteFileAsync(BundlePaths.Run, record, cancellationToken);
        var day = DateOnly.FromDateTime(facts.Finished.UtcDateTime);
        SignedBundle? signed = null;
        var seal = await bundle.SealAsync(
            new(Tool.NameAndVersion, day, day.AddYears(7)),
            signing is null ? null : async folder => signed = await signing.SignAsync(folder, verified: null, cancellationToken),
            cancellationToken);
        (PartialFolder, SealedFolder) = (null, seal.Path);
        if (signed is not null)
            signing!.Keep(bundle.BundleId, signed.Head);
        return new(prepared, seal, results, facts, RunDocument.Read(record), signed);
    }

    /// <summary>Leaves the folder so that it can be resumed; where that fails too, what stopped the seal is what is said.</summary>
    private async Task LeaveAsync(BundleWriter bundle, RunFacts facts)
    {
        try
        {
            await bundle.LeaveAsync(RunRecord.Write(bundle.BundleId, prepared, facts), CancellationToken.None);
            CanBeResumed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            CanBeResumed = false;
        }
    }

    /// <summary>The last look at what is in the bundle, and at its record, before reports are made of them; only what somebody allowed is returned.</summary>
    private async Task<ImmutableArray<CredentialFound>> SearchForCredentialsAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        var leaks = await Task.Run(() => CredentialScan.Find(bundle.PartialFolder, cancellationToken), cancellationToken);
        if (leaks is [var first, ..] && !options.AllowSecrets)
        {
            throw new InvalidDataException(
                $"{first.File}, near character {first.Offset}, holds what looks like a credential{(leaks.Length > 1 ? $", and so do {leaks.Length - 1} other files" : "")}; {Advice(first.File)}");
        }
        return leaks;
    }

    /// <summary>What helps depends on where the text came from.</summary>
    private string Advice(string file) => file switch
    {
        _ when file.StartsWith("data/inputs/", StringComparison.Ordinal) || file == "data/engagement.yaml" =>
            $"take it out of the file that was handed in and run again; if it is none, {Allowed}",
        _ when file.StartsWith("data/controls/", StringComparison.Ordinal) => $"take it out of the control and run again; if it is none, {Allowed}",
        _ when prepared is { Engagement.Replay: not null, Stopped: null } && file.StartsWith(ExchangeScope.Folder, StringComparison.Ordinal) =>
            $"it is in the recorded exchanges, which a replay copies as they are: record them again with this version; if it is none, {Allowed}",
        _ when file.StartsWith("data/results/", StringComparison.Ordinal) =>
            $"a control's SQL put it together: let the control name the thing and not what it holds, and run again; if it is none, {Allowed}",
        _ => $"it came from the provider and not from what was handed in: look at the file; if it is none, {Allowed}",
    };

    private const string Allowed = "seal it as it is with --allow-secrets, which the bundle will record";

    /// <summary>What is asked goes into the bundle first: an interrupted run still says what it was.</summary>
    private async Task WriteQuestionsAsync(BundleWriter bundle, CancellationToken cancellationToken)
    {
        await bundle.WriteFileAsync("data/engagement.yaml", prepared.Engagement.Source, cancellationToken);
        foreach (var control in prepared.Plan.Controls.Select(c => c.Control).Concat(prepared.Plan.NotApplicable.Select(c => c.Control)))
            await bundle.WriteFileAsync($"data/controls/{BundlePaths.Segment(control.Id)}.yaml", control.Source, cancellationToken);
    }

    private async Task<(RunFacts Facts, ImmutableArray<EvidenceItem> Items)> CollectAsync(
        BundleWriter bundle, ILogger log, DateTimeOffset started, RequestLimits limits, CancellationToken cancellationToken)
    {
        var engagement = prepared.Engagement;
        await using ExchangeTransport transport = engagement.Replay is { } recorded
            ? new ReplayTransport(recorded, bundle.PartialFolder, bundle.BundleId)
            : new LiveTransport(bundle.PartialFolder, bundle.BundleId, host.Clock, redactionKey: prepared.RedactionKey, connections: limits.Connections);
        var dates = (transport as ReplayTransport)?.RecordedDates;
        // A replay happens at the time of its recording: nothing in its evidence may depend on when it is repeated.
        var clock = dates is { } d ? new FixedClock(d.Last) : host.Clock;
        var asOf = engagement.AsOf ?? dates?.Last ?? started;
        var plan = prepared.Plan.Plan.At(asOf);
        var asked = plan.Requests.Select(r => r.Target).ToImmutableHashSet(StringComparer.Ordinal);
        ImmutableArray<Target> targets = [.. engagement.Targets.Where(t => asked.Contains(t.Name))];

        var collectors = host.Collectors.Where(c => targets.Any(t => t.Source == c.Source.Name))
            .ToImmutableDictionary(c => c.Source.Name, c => c.Open(new(transport, clock, log.Tell)));
        Collected collected;
        ImmutableArray<string> endpoints;
        try
        {
            var limit = new ConcurrencyLimit(limits);
            collected = await RunProgress.ShowAsync(host, error, show =>
            {
                void Tell(CollectionEvent happened)
                {
                    log.Tell(happened);
                    show(happened);
                }
                return new CollectionRun(plan, collectors, transport, bundle, clock, limit, Tell).RunAsync(
                    targets, [.. engagement.Inputs.Select(i => new SuppliedInput(i.Name, i.File, i.StatedRows, i.Written))], cancellationToken);
            });
            endpoints = [.. collectors.Values.SelectMany(c => c.UnusualEndpoints).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        }
        finally
        {
            foreach (var collector in collectors.Values)
                await collector.DisposeAsync();
        }
        var facts = new RunFacts
        {
            Started = prepared.Stopped?.Started ?? started,
            Finished = started,
            AsOf = asOf,
            Recorded = prepared.Stopped is { } stopped ? stopped.Recorded : dates,
            Resumed = prepared.Stopped is { } from ? new(from.BundleId, started, Environment.UserName, Environment.MachineName) : null,
            Unused = (transport as ReplayTransport)?.Unused ?? [],
            Reached = collected.Targets,
            Inputs = collected.Inputs,
            UnusualEndpoints = endpoints,
            ClockOffsets = transport.ClockOffsets,
            Limits = limits,
            User = prepared.Stopped?.User ?? Environment.UserName,
            Machine = prepared.Stopped?.Machine ?? Environment.MachineName,
        };
        return (facts, collected.Items);
    }

    private async Task<EvaluationResults> EvaluateAsync(BundleWriter bundle, ILogger log, RunFacts facts, ImmutableArray<EvidenceItem> items, CancellationToken cancellationToken)
    {
        var engagement = prepared.Engagement;
        var evidence = new CollectedEvidence(bundle.PartialFolder, [.. items.Select(prepared.Unrecorded.AsSealed)]);
        var moment = new AuditMoment(facts.AsOf, engagement.Period.StartsAt, engagement.Period.EndsBefore, engagement.AsOfTolerance);
        var (engine, limited) = await evaluation.DescribeAsync();
        log.Information("Evaluating with {Engine} {Version} in a process that is limited in {Limits}", engine.Name, engine.Version, limited ? "memory, files, time and output" : "time and output");
        var concluded = new List<ControlResult>(await EvaluateAsync(
            bundle, evidence, items.DistinctBy(i => (i.Target, i.Account)).Count(), moment, [.. facts.Excluded], cancellationToken));
        concluded.AddRange(prepared.Plan.NotApplicable.Select(c => ControlResult.LeftOut(new(c.Control, c.Origin, Defaults(c.Control)), c.Decision)));
        return EvaluationResults.From(engine, moment, evidence.Clock, concluded, prepared.Stopped?.NotTested ?? [.. prepared.Plan.Plan.NotTested, .. facts.NotRead]);
    }

    /// <summary>Every control in scope, in order; those of many places are shared between two processes.</summary>
    /// <param name="places">How many accounts were read.</param>
    private async Task<ControlResult[]> EvaluateAsync(
        BundleWriter bundle, CollectedEvidence evidence, int places, AuditMoment moment, ImmutableArray<LeftOutPlace> leftOut, CancellationToken cancellationToken)
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
                    // Listed when its turn comes: the partitions of one control grow with the accounts, and those of all need not be kept.
                    results[n] = await Evaluator.EvaluateAsync(
                        scope, evidence.PartitionsOf(scope.Control), moment, process.Limits, process, name => bundle.OpenFile($"data/results/{name}"), cancellationToken);
                }
            }
            catch
            {
                // Without all of its results there is no bundle: the other process needs to begin nothing more.
                Interlocked.Exchange(ref next, controls.Length);
                throw;
            }
        }
        if (controls.Length * places < WorthTwoProcesses || Environment.ProcessorCount == 1)
            await WorkAsync(evaluation);
        else
        {
            await using var second = host.StartEvaluation();
            await Task.WhenAll(WorkAsync(evaluation), WorkAsync(second));
        }
        return results;
    }

    private static ImmutableArray<EffectiveParameter> Defaults(Control control) =>
        [.. control.Parameters.Select(p => new EffectiveParameter(p.Name, p.Type, p.Default, null, null))];

    /// <summary>The entity, the second in UTC, and eight unpredictable digits: readable, sortable, and never twice.</summary>
    private string NewBundleId(DateTimeOffset now)
    {
        var entity = string.Concat(prepared.Engagement.Entity.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return $"{(entity.Length == 0 ? "audit" : entity[..Math.Min(40, entity.Length)].Trim('-'))}-{now.UtcDateTime:yyyyMMdd't'HHmmss'z'}-{Convert.ToHexStringLower(host.Random(4))}";
    }

    /// <summary>A clock that stands still; what waits on it does not wait.</summary>
    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
