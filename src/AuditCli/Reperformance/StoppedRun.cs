using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Collectors.Http;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reperformance;

/// <summary>
/// A run that collected and evaluated everything but could not be sealed. It is finished as <c>reperform</c> repeats a run: offline, from
/// its own exchanges, engagement, controls and inputs, under the current rules of evaluation.
/// </summary>
/// <param name="Folder">The run's <c>.partial</c> folder.</param>
/// <param name="BundleId">The id of the bundle that the run would have sealed.</param>
/// <param name="Recorded">For a replay, the dates of its recording; null for a live run.</param>
/// <param name="NotTested">What the run did not test, and why; the folder only has the controls that ran.</param>
internal sealed record StoppedRun(
    string Folder,
    string BundleId,
    DateTimeOffset Started,
    RecordedDates? Recorded,
    string User,
    string Machine,
    ImmutableArray<NotTested> NotTested,
    ImmutableArray<EvidenceItem> Index)
{
    /// <summary>Loads a stopped run, ready to be evaluated again.</summary>
    /// <param name="work">An empty folder.</param>
    /// <returns>On failure null and why the run cannot be finished.</returns>
    /// <exception cref="IOException">A file of the folder cannot be read.</exception>
    public static async Task<(PreparedRun? Run, string? WhyNot)> LoadAsync(
        string folder, string work, AuditHost host, EvaluationProcess evaluation, CancellationToken cancellationToken)
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
            {
                var why = BundleQuestions.OfTheBundle(string.Join("; ", questions?.LibraryFaults ?? faults), work);
                return (null, $"its {(questions is null ? "engagement" : "controls")} cannot be run by this version: {why}");
            }
            var stopped = new StoppedRun(
                folder,
                opened.Id,
                RunRecord.InstantOf(opened.Run, "started"),
                Dates(opened.Run),
                Text(opened.Run, "user"),
                Text(opened.Run, "machine"),
                opened.Results.NotTested,
                questions.Index);
            return (questions.Prepared with { Stopped = stopped }, null);
        }
        catch (Exception e)
            when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException or KeyNotFoundException or InvalidOperationException)
        {
            return (null, BundleQuestions.OfTheBundle(e.Message, work));
        }
    }

    /// <summary>Compares the evidence rebuilt from the stopped run's exchanges with the evidence in its folder.</summary>
    /// <exception cref="InvalidDataException">The evidence differs; the message names the first difference.</exception>
    public void Compare(string partial, UnrecordedEvidence unrecorded, CancellationToken cancellationToken)
    {
        var differences = new DifferenceList(1, "tables", []);
        EvidenceComparison.Of(BundleFolder.WithoutManifest(Folder), Index, BundleFolder.WithoutManifest(partial), unrecorded, differences, cancellationToken);
        if (differences.Kept is [var first, ..])
        {
            throw new InvalidDataException(
                $"the exchanges of {Folder} do not give the tables again that were made of them "
                + $"({first.Where}: {first.What} was {first.Before}, is {first.After}): run the engagement again");
        }
    }

    private static string Text(JsonElement run, string name) => run.GetProperty("run_by").GetProperty(name).GetString() ?? "";

    private static RecordedDates? Dates(JsonElement run) => run.GetProperty("recorded") is { ValueKind: JsonValueKind.Object } dates
        ? new(RunRecord.InstantOf(dates, "first"), RunRecord.InstantOf(dates, "last"))
        : null;
}
