using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Collectors.Http;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reperformance;

/// <summary>
/// A run that had collected and evaluated everything and could not be sealed. It is finished as <c>reperform</c> does a bundle again: from its own
/// exchanges, engagement, controls and inputs, with today's rules, and without asking anybody.
/// </summary>
/// <param name="Folder">Its <c>.partial</c> folder.</param>
/// <param name="BundleId">The id that it was to be sealed under.</param>
/// <param name="Recorded">When it was itself a replay, when its exchanges were recorded; null live.</param>
/// <param name="NotTested">What it did not test, and why: the folder has the controls that ran alone.</param>
internal sealed record StoppedRun(
    string Folder, string BundleId, DateTimeOffset Started, RecordedDates? Recorded, string User, string Machine, ImmutableArray<NotTested> NotTested, ImmutableArray<EvidenceItem> Index)
{
    /// <summary>Loads it, ready to be evaluated again.</summary>
    /// <param name="work">An empty folder.</param>
    /// <returns>Null with why it cannot be finished.</returns>
    /// <exception cref="IOException">A file of it cannot be read.</exception>
    public static async Task<(PreparedRun? Run, string? WhyNot)> LoadAsync(string folder, string work, AuditHost host, EvaluationProcess evaluation, CancellationToken cancellationToken)
    {
        if (await Task.Run(() => StoppedBundle.WhyNot(folder, cancellationToken), cancellationToken) is { } other)
            return (null, other);
        try
        {
            var files = BundleFolder.WithoutManifest(folder);
            var opened = OpenedBundle.Open(files, files.Read(BundlePaths.Run));
            if (files.DigestOf("data/engagement.yaml").Hex != opened.Record.EngagementSha256)
                return (null, "its engagement is not the one that was run");
            var (questions, faults) = await BundleQuestions.LoadAsync(files, otherControls: null, work, host, evaluation, cancellationToken);
            if (questions is null || !questions.LibraryFaults.IsEmpty)
                return (null, $"its {(questions is null ? "engagement" : "controls")} cannot be run by this version: {BundleQuestions.OfTheBundle(string.Join("; ", questions?.LibraryFaults ?? faults), work)}");
            var stopped = new StoppedRun(
                folder, opened.Id, RunRecord.InstantOf(opened.Run, "started"), Dates(opened.Run), Text(opened.Run, "user"), Text(opened.Run, "machine"), opened.Results.NotTested, questions.Index);
            return (questions.Prepared with { Stopped = stopped }, null);
        }
        catch (Exception e) when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException or KeyNotFoundException or InvalidOperationException)
        {
            return (null, BundleQuestions.OfTheBundle(e.Message, work));
        }
    }

    /// <summary>Compares what its exchanges gave now with what they gave then.</summary>
    /// <exception cref="InvalidDataException">It is not the same evidence; the message names the first difference.</exception>
    public void Compare(string partial, UnrecordedEvidence unrecorded, CancellationToken cancellationToken)
    {
        var differences = new DifferenceList(1, "tables", []);
        EvidenceComparison.Of(BundleFolder.WithoutManifest(Folder), Index, BundleFolder.WithoutManifest(partial), unrecorded, differences, cancellationToken);
        if (differences.Kept is [var first, ..])
        {
            throw new InvalidDataException(
                $"the exchanges of {Folder} do not give the tables again that were made of them ({first.Where}: {first.What} was {first.Before}, is {first.After}): run the engagement again");
        }
    }

    private static string Text(JsonElement run, string name) => run.GetProperty("run_by").GetProperty(name).GetString() ?? "";

    private static RecordedDates? Dates(JsonElement run) => run.GetProperty("recorded") is { ValueKind: JsonValueKind.Object } dates
        ? new(RunRecord.InstantOf(dates, "first"), RunRecord.InstantOf(dates, "last"))
        : null;
}
