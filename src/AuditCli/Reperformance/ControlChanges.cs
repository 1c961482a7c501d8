using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Collectors;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Hosting;
using AuditCli.Running;

namespace AuditCli.Reperformance;

/// <summary>Compares the results of other controls on a bundle's evidence with the bundle's results.</summary>
/// <param name="Same">The number of controls with the same conclusion and the same items.</param>
/// <param name="Absent">Controls of the bundle that the other library does not have or cannot test.</param>
internal sealed record ControlChanges(
    VerifyReport Verification, ImmutableArray<ControlChange> Changes, int Same, ImmutableArray<string> Absent, DifferenceList Items)
{
    private const int MostDifferences = 100;

    /// <summary>
    /// 2 if something changes or the bundle does not verify; 3 if nothing changes and verification is undecided; otherwise 0.
    /// </summary>
    public int ExitCode => Changes.IsEmpty ? AuditCli.ExitCode.Of(Verification) : AuditCli.ExitCode.Failed;

    /// <summary>Evaluates the bundle's evidence with other controls.</summary>
    /// <returns>On failure null and the faults of those controls or of what they need.</returns>
    /// <exception cref="InvalidDataException">The bundle cannot be read; the message says why.</exception>
    /// <exception cref="IOException">As <see cref="Reperformed.OfAsync"/>.</exception>
    public static async Task<(ControlChanges? Changes, ImmutableArray<Diagnostic> Faults)> OfAsync(
        string bundle, string controls, VerifyOptions options, AuditHost host, TextWriter progress, CancellationToken cancellationToken)
    {
        var verification = await BundleVerifier.VerifyAsync(bundle, options, cancellationToken);
        if (Reperformed.WhyUnsafe(verification) is { } reason)
            throw new InvalidDataException(reason);
        var files = Reperformed.FilesOf(bundle, verification);
        using var work = new WorkFolder();
        await using var evaluation = host.StartEvaluation();
        var (questions, faults) = await BundleQuestions.LoadAsync(files, controls, work.Path, host, evaluation, cancellationToken);
        if (questions is null)
            return (null, faults);
        var before = ReadResults(files);
        var again = await Reperformed.RunAsync(questions, work.Path, host, evaluation, progress, cancellationToken);
        return (await Task.Run(() => Compare(verification, files, before, again, cancellationToken), cancellationToken), []);
    }

    private static ControlChanges Compare(
        VerifyReport verification, BundleFolder bundle, EvaluationResults before, FinishedRun again, CancellationToken cancellationToken)
    {
        var rebuilt = BundleFolder.WithoutManifest(again.Bundle.Path);
        var changes = ImmutableArray.CreateBuilder<ControlChange>();
        var items = new DifferenceList(MostDifferences, "results", []);
        var same = 0;
        foreach (var now in again.Results.Controls)
        {
            var was = before.Controls.FirstOrDefault(c => c.Id == now.Id);
            var count = items.Count;
            var tests = was is null
                ? []
                : OpenedBundle.TestsOf(now).Concat(OpenedBundle.TestsOf(was)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
            foreach (var test in tests)
                CompareItems(bundle, rebuilt, now.Id, test, items, cancellationToken);
            if (was is not null && was.Conclusion == now.Conclusion && items.Count == count)
                same++;
            else
            {
                var notRecorded = now.Limitations.Where(l => l.Code == Codes.NoRecording).Select(l => l.Operation).Distinct();
                changes.Add(new(now.Id, was, now, items.Count - count, [.. notRecorded.Order(StringComparer.Ordinal)]));
            }
        }
        var absent = before.Controls.Where(c => again.Results.Controls.All(n => n.Id != c.Id))
            .Select(c => again.Results.NotTested.FirstOrDefault(n => n.Id == c.Id) is { } not ? $"{c.Id} ({not.Reason})" : c.Id);
        return new(verification, changes.ToImmutable(), same, [.. absent], items);
    }

    private static void CompareItems(
        BundleFolder bundle, BundleFolder rebuilt, string control, string test, DifferenceList items, CancellationToken cancellationToken)
    {
        var file = PopulationFile.PathOf(control, test);
        using var before = bundle.Has(file) ? bundle.Open(file, cancellationToken) : Stream.Null;
        using var after = rebuilt.Has(file) ? rebuilt.Open(file, cancellationToken) : Stream.Null;
        foreach (var row in RowComparison.Between(before, after, file, cancellationToken))
        {
            var (was, now) = (Verdict(row.Before), Verdict(row.After));
            if (was != now)
                items.Add(new($"{control} {test} {row.Target} {row.Account} {row.Item}", "verdict", was, now));
        }
    }

    private static string? Verdict(JsonElement? row) =>
        row is { } r && r.TryGetProperty("verdict", out var verdict) ? JsonDifference.Shown(verdict) : null;

    private static EvaluationResults ReadResults(BundleFolder bundle)
    {
        try
        {
            return ResultsJson.Read(bundle.Read(BundleLayout.Results));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{BundleLayout.Results} cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>A control with another conclusion or other items.</summary>
/// <param name="Before">Null for a control that the bundle does not have.</param>
/// <param name="Items">The number of population items that are new, gone, or have another verdict; not counted for a new control.</param>
/// <param name="NotRecorded">Operations that it needs and the bundle's run did not call.</param>
internal sealed record ControlChange(string Id, ControlResult? Before, ControlResult After, long Items, ImmutableArray<string> NotRecorded);
