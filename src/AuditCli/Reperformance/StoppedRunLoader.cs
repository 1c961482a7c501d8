using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Running;

namespace AuditCli.Reperformance;

/// <summary>Loads runs that were stopped before the seal, from their <c>.partial</c> folders.</summary>
internal static class StoppedRunLoader
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
            var opened = OpenedBundle.Open(files, files.Read(BundleLayout.Run));
            if (files.DigestOf(BundleLayout.Engagement).Hex != opened.Record.EngagementSha256)
                return (null, "its engagement is not the one that was run");
            var (questions, faults) = await BundleQuestions.LoadAsync(files, otherControls: null, work, host, evaluation, cancellationToken);
            if (questions is null || !questions.LibraryFaults.IsEmpty)
            {
                var why = BundleQuestions.OfTheBundle(string.Join("; ", questions?.LibraryFaults ?? faults), work);
                return (null, $"its {(questions is null ? "engagement" : "controls")} cannot be run by this version: {why}");
            }
            var stopped = new StoppedRun(
                opened.Id,
                RunRecord.Instant(opened.Record.Started, "started"),
                opened.Record.RunBy.User,
                opened.Record.RunBy.Machine,
                opened.Results.NotTested)
            {
                Collected = new(
                    opened.Record.IsReplay ? new(opened.Record.Span.From, opened.Record.Span.To) : null,
                    (rebuilt, cancellation) => Compare(folder, questions, rebuilt, cancellation)),
                Originals = Originals(opened.Record),
            };
            return (questions.Prepared with { Stopped = stopped }, null);
        }
        catch (Exception e)
            when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException or KeyNotFoundException or InvalidOperationException)
        {
            return (null, BundleQuestions.OfTheBundle(e.Message, work));
        }
    }

    private static ImmutableSortedDictionary<string, Digest> Originals(RunRecord record)
    {
        var originals = ImmutableSortedDictionary.CreateBuilder<string, Digest>(StringComparer.Ordinal);
        foreach (var input in record.Inputs.Where(i => i.OriginalSha256 is not null))
        {
            originals[input.Name] = Digest.TryParse(input.OriginalSha256, out var original)
                ? original
                : throw new InvalidDataException($"{BundleLayout.Run}: the original_sha256 of input '{input.Name}' is not a SHA-256");
        }
        return originals.ToImmutable();
    }

    private static void Compare(string folder, BundleQuestions questions, string rebuilt, CancellationToken cancellationToken)
    {
        var differences = new DifferenceList(1, "tables", []);
        EvidenceComparison.Of(
            BundleFolder.WithoutManifest(folder), questions.Index, BundleFolder.WithoutManifest(rebuilt), questions.Prepared.Unrecorded,
            emptyHaveFiles: true, differences, cancellationToken);
        if (differences.Kept is [var first, ..])
        {
            throw new InvalidDataException(
                $"the exchanges of {folder} no longer produce the tables that were built from them "
                + $"({first.Where}: {first.What} was {first.Before}, is {first.After}): run the engagement again");
        }
    }
}
