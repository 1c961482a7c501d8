using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Hosting;
using AuditCli.Reports;
using AuditCli.Reports.Formats;
using AuditCli.Running;

namespace AuditCli.Reperformance;

/// <summary>The result of re-performing a bundle's run and comparing it with the bundle.</summary>
/// <param name="NotCompared">Why nothing could be compared; null if it was.</param>
/// <param name="Done">The comparison; null if <paramref name="NotCompared"/> is set.</param>
internal sealed record Reperformed(VerifyReport Verification, string? NotCompared, Comparison? Done)
{
    private const int MostDifferences = 100;

    /// <summary>
    /// 2 if something differs that no newer rule of evaluation explains, if nothing could be compared, or if the bundle does not verify. 3
    /// if undecided: newer rules explain every difference, a report could not be compared, a response looks redacted without saying so, or
    /// verification is undecided. Otherwise 0.
    /// </summary>
    public int ExitCode =>
        Verification.Answer == VerifyAnswer.Fails || (NotCompared is not null && !IsElsewhere) || Done is { Unexplained: > 0 } ? AuditCli.ExitCode.Failed
        : Done is { IsIdentical: false } or { AllReportsCompared: false } or { HasUnsaidRedactions: true } ? AuditCli.ExitCode.Undecided
        : AuditCli.ExitCode.Of(Verification);

    /// <summary>Whether nothing could be compared only because the collected bundle lies elsewhere.</summary>
    public bool IsElsewhere { get; init; }

    /// <summary>Verifies the bundle, repeats its run in a temporary folder, and compares.</summary>
    /// <exception cref="IOException">The repeated run cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<Reperformed> OfAsync(
        string bundle, VerifyOptions options, AuditHost host, TextWriter progress, CancellationToken cancellationToken)
    {
        var verification = await BundleVerifier.VerifyAsync(bundle, options, cancellationToken);
        if (WhyUnsafe(verification) is { } reason)
            return new(verification, reason, null);
        using var work = new WorkFolder();
        try
        {
            var outer = FilesOf(bundle, verification);
            if (outer.Missing.FirstOrDefault() is { } missing)
            {
                var why = $"{missing.Archive} is not here, so what it holds cannot be evaluated again";
                return new(verification, why, null) { IsElsewhere = true };
            }
            var record = RunRecord.Read(outer.Read(BundleLayout.Run));
            OpenedBundle.RequireResults(outer, record);
            if (record is { Concluded: null, Sharded: null } && outer.Shards.Length > 1)
                return new(verification, ShardsCheck.WhyNot(outer, record), null);
            // A run's own shards hold parts of its evidence; any other shard is the collected bundle.
            var files = record is { Concluded: null, Sharded: not null } || outer.Shards is not [var shard] ? outer : outer.OpenShard(shard);
            await using var evaluation = host.StartEvaluation();
            var (questions, faults) = await BundleQuestions.LoadAsync(files, otherControls: null, work.Path, host, evaluation, cancellationToken);
            if (questions is null)
                return new(verification, BundleQuestions.OfTheBundle(string.Join("; ", faults), work.Path), null);
            var again = await RunAsync(questions, work.Path, host, evaluation, progress, cancellationToken);
            return new(
                verification, null,
                await Task.Run(() => Compare(outer, files, questions, again, work.Path, host, cancellationToken), cancellationToken));
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
        {
            return new(verification, BundleQuestions.OfTheBundle(e.Message, work.Path), null);
        }
    }

    /// <summary>Returns why the bundle's files must not be read further; null if they may be.</summary>
    public static string? WhyUnsafe(VerifyReport verification)
    {
        if (verification.ProblemCount > verification.Problems.Length)
            return $"verification found {Wording.Count(verification.ProblemCount, "problem")}, too many to tell whether it is safe to read";
        var problem = verification.Problems.FirstOrDefault(
            p => p.Code is VerifyCode.SpecialFile or VerifyCode.LimitExceeded or VerifyCode.TypeUnsupported or VerifyCode.NotSealed);
        return problem is null ? null : $"{problem.Path} {problem.Message}";
    }

    /// <summary>
    /// Opens the files that were verified. A bundle whose files differ from its manifest is compared without the manifest, to report what
    /// differs; the exit code is still that of a failed verification.
    /// </summary>
    /// <exception cref="InvalidDataException">
    /// The bundle was replaced after verification, or it is an archive whose files differ from its manifest.
    /// </exception>
    /// <exception cref="IOException">A manifest cannot be read.</exception>
    public static BundleFolder FilesOf(string bundle, VerifyReport verification)
    {
        var changed = verification.Problems.FirstOrDefault(p => p.Question is VerifyQuestion.Files or VerifyQuestion.Manifest);
        return changed is null ? BundleFolder.Sealed(bundle, verification.TagManifestSha256)
            : Directory.Exists(bundle) ? BundleFolder.WithoutManifest(bundle)
            : throw new InvalidDataException($"{changed.Path} {changed.Message}; unpack the archive and name its folder to compare the rest");
    }

    /// <summary>Repeats the run offline, from the recorded exchanges, in the work folder.</summary>
    public static Task<FinishedRun> RunAsync(
        BundleQuestions questions, string work, AuditHost host, EvaluationProcess evaluation, TextWriter progress, CancellationToken cancellationToken)
    {
        var options = new RunOptions(work)
        {
            AllowSecrets = true,  // the original run decided whether to seal them
            Repeats = true,
            SealReports = false,  // ReportComparison makes them of the bundle's own files
            UnitsEach = int.MaxValue,  // results and tables do not depend on how the evidence was divided
        };
        return new AuditRun(questions.Prepared, options, host, evaluation, progress).RunAsync(cancellationToken);
    }

    /// <param name="outer">The bundle that was named.</param>
    /// <param name="bundle">The same or, where people's answers concluded it, the collected bundle in it.</param>
    private static Comparison Compare(
        BundleFolder outer, BundleFolder bundle, BundleQuestions questions, FinishedRun again, string work, AuditHost host, CancellationToken cancellationToken)
    {
        var rules = EvaluationRules.After(questions.Record.Rules);
        var (tables, results, reports) = (
            new DifferenceList(MostDifferences, "tables", rules),
            new DifferenceList(MostDifferences, "results", rules),
            new DifferenceList(MostDifferences, "reports", rules));
        var changed = new DifferenceList(MostDifferences, "record", rules);
        var rebuilt = BundleFolder.WithoutManifest(again.Bundle.Path);
        var engagement = Evidence.Digest.Of(questions.Prepared.Engagement.Source.Span).Hex;
        if (engagement != questions.Record.EngagementSha256)
        {
            results.Add(new(
                "engagement.yaml", "sha256", questions.Record.EngagementSha256, engagement, "the file is not the one that run.json names"));
        }
        foreach (var fault in questions.LibraryFaults)
            results.Add(new(Path.GetFileName(fault.File), "control", "was run", null, $"it cannot be loaded: {fault.Message} (line {fault.Line})"));
        var evidence = EvidenceComparison.Of(
            bundle, questions.Index, rebuilt, questions.Prepared.Unrecorded, RawResults.Read(bundle).IsSchema1, tables, cancellationToken);
        var compared = ResultComparison.Of(bundle, rebuilt, again.Results, evidence, results, cancellationToken);
        var items = again.Results.Controls.Sum(c => c.Tests.Sum(t => t.Population));
        var times = RecordedTimes.Of(questions.Prepared.Engagement.Replay!, cancellationToken);
        if (questions.Record.Mode != questions.StatedMode)
        {
            changed.Add(new(
                BundleLayout.Run, "mode", questions.Record.Mode, questions.StatedMode, "the engagement says whether it replays recorded exchanges"));
        }
        if (!bundle.Shards.IsEmpty && ShardsCheck.WhyNot(bundle, questions.Record) is { } foreign)
            changed.Add(new(BundleLayout.Shards, "shards", "those of the run", null, foreign));
        // A bundle of today that claims other rules would be compared less.
        if (ClaimedRules.WhyNot(OpenedBundle.Open(bundle, bundle.Read(BundleLayout.Run))) is { } claimed)
            changed.Add(new(BundleLayout.Run, "stated rules", "none", null, claimed));
        RecordComparison.Of(
            bundle, questions.Record, questions.StatedAsOf, rebuilt, BundleQuestions.EngagementFolder(work), times, evidence.EmptyFiles, changed,
            cancellationToken);
        if (outer != bundle)
        {
            ConcludedComparison.Of(outer, bundle, host.Sources, results, changed);
            var collected = Directory.CreateDirectory(Path.Combine(work, "collected")).FullName;
            ReportComparison.Of(bundle, collected, host.Sources, questions.Record.Rules, reports, cancellationToken);
        }
        var made = ReportComparison.Of(outer, work, host.Sources, questions.Record.Rules, reports, cancellationToken);
        string[] notes =
        [
            .. compared.Notes,
            .. made.Notes,
            .. questions.Record.Rules == EvaluationRules.Current
                ? []
                : new[] { $"the bundle was evaluated under rules {questions.Record.Rules}, and this program has rules {EvaluationRules.Current}" },
            .. questions.Record.Tool.Version == Tool.Version
                ? []
                : new[] { $"auditcli {questions.Record.Tool.Version} created the bundle, and this is {Tool.Version}" },
            .. evidence.Unrecorded == 0
                ? []
                : new[]
                {
                    $"{evidence.Unrecorded} evidence items failed before anything was sent; "
                        + "their failure is taken from the index, and they fail again",
                },
            .. Wording.Unused([.. again.Facts.Unused.Select(u => (u.File, u.Count))]),
            .. times.Unsaid.Select(u => $"{u} contains redaction marks but is not recorded as redacted"),
        ];
        return new(evidence, again.Results.Controls.Length, items, made.Compared, tables, results, reports, changed, [.. notes])
        {
            HasUnsaidRedactions = !times.Unsaid.IsEmpty,
        };
    }
}

/// <summary>What was compared, and the differences.</summary>
/// <param name="Controls">The number of controls that were evaluated again.</param>
/// <param name="Items">The number of population items over all their tests.</param>
/// <param name="ReportsCompared">The number of reports that were made again and could be compared.</param>
internal sealed record Comparison(
    EvidenceComparison Evidence,
    int Controls,
    long Items,
    int ReportsCompared,
    DifferenceList Tables,
    DifferenceList Results,
    DifferenceList Reports,
    DifferenceList Record,
    ImmutableArray<string> Notes)
{
    /// <summary>
    /// Whether every report was compared. If not, the result is undecided: a bundle states the version that made it, so an edited bundle
    /// could name another version and its reports would never be compared.
    /// </summary>
    public bool AllReportsCompared => ReportsCompared == ReportFormats.All.Length;

    /// <summary>
    /// Whether responses look redacted without saying so: it cannot be decided whether something was removed or the provider wrote it like
    /// that.
    /// </summary>
    public bool HasUnsaidRedactions { get; init; }

    public bool IsIdentical => Tables.Count == 0 && Results.Count == 0 && Reports.Count == 0 && Record.Count == 0;

    /// <summary>The number of differences that no newer rule of evaluation explains.</summary>
    public long Unexplained => Tables.Unexplained + Results.Unexplained + Reports.Unexplained + Record.Unexplained;
}
