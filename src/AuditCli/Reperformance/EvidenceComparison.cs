using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Collectors;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Running;

namespace AuditCli.Reperformance;

/// <summary>Compares the evidence of a bundle with the evidence rebuilt from its exchanges.</summary>
/// <param name="Items">The number of evidence items compared.</param>
/// <param name="Rows">The number of rows in the rebuilt tables.</param>
/// <param name="Unrecorded">The number of items that failed before anything was recorded.</param>
internal sealed record EvidenceComparison(long Items, long Rows, long Unrecorded, ImmutableArray<DifferingEvidence> Differing)
{
    /// <summary>The files of the bundle's tables that have no rows, which were compared and which no run creates today.</summary>
    public ImmutableHashSet<string> EmptyFiles { get; private init; } = [];

    /// <summary>The digest of a table without rows.</summary>
    private static readonly Digest Nothing = Digest.Of([]);

    /// <summary>Compares every line of the index and every table.</summary>
    /// <param name="sealedItems">The bundle's index of evidence.</param>
    /// <param name="rebuilt">The bundle that was made again.</param>
    /// <param name="emptyHaveFiles">
    /// Whether a table without rows may have a file, as in bundles whose results have schema 1. It says the same as no file.
    /// </param>
    public static EvidenceComparison Of(
        BundleFolder bundle, ImmutableArray<EvidenceItem> sealedItems, BundleFolder rebuilt, UnrecordedEvidence unrecorded, bool emptyHaveFiles,
        DifferenceList differences, CancellationToken cancellationToken)
    {
        var again = EvidenceIndex.Read(rebuilt.Path).Select(unrecorded.AsSealed).ToImmutableArray();
        var now = again.ToDictionary(i => (i.Target, i.EvidenceId));
        var differing = ImmutableArray.CreateBuilder<DifferingEvidence>();
        var seen = new HashSet<(string, string)>();
        foreach (var item in sealedItems)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!seen.Add((item.Target, item.EvidenceId)))
                Report(item, item, [new(Place(item), "index line", "occurs twice", null)], "the index was edited");
            else if (!now.TryGetValue((item.Target, item.EvidenceId), out var other))
                Report(item, item, [new(Place(item), "evidence", "collected", null)], "the bundle's controls do not request it");
            else
            {
                var (found, cause) = Compare(bundle, item, rebuilt, other, emptyHaveFiles, cancellationToken);
                Report(item, other, found, cause);
            }
        }
        foreach (var item in again.Where(i => !seen.Contains((i.Target, i.EvidenceId))))
            Report(item, item, [new(Place(item), "evidence", null, Word(item))], "the bundle's index does not have it");
        return new(again.Length, again.Sum(i => i.Items), again.Count(unrecorded.FailedThenToo), differing.ToImmutable())
        {
            EmptyFiles = !emptyHaveFiles ? [] :
            [
                .. sealedItems.SelectMany(i => new[] { (i.Table, i.TableSha256), (i.Calls, i.CallsSha256) })
                    .Where(f => f.Item2 == Nothing).Select(f => f.Item1).OfType<string>(),
            ],
        };

        void Report(EvidenceItem item, EvidenceItem other, IReadOnlyList<Difference> found, string? cause)
        {
            ImmutableArray<string> signs =
            [
                item.Source == "file" ? item.Source : item.Operation,
                .. item.Failures.Concat(other.Failures).Select(f => f.Code),
                .. found.Count > 0 && IsAskedAgain(bundle, item, cancellationToken) ? [EvaluationRule.AskedAgain] : Array.Empty<string>(),
            ];
            foreach (var difference in found)
                differences.Add(difference with { Cause = difference.Cause ?? cause }, signs);
            if (found.Count > 0)
                differing.Add(new(item, cause ?? $"{found[0].What} {found[0].Before} -> {found[0].After}", signs));
        }
    }

    private static (List<Difference> Found, string? Cause) Compare(
        BundleFolder bundle, EvidenceItem before, BundleFolder rebuilt, EvidenceItem after, bool emptyHaveFiles, CancellationToken cancellationToken)
    {
        var files = new[]
        {
            (before.Table ?? after.Table, before.TableSha256 ?? Nothing, after.TableSha256 ?? Nothing),
            (before.Calls ?? after.Calls, before.CallsSha256 ?? Nothing, after.CallsSha256 ?? Nothing),
        };
        if (emptyHaveFiles)
            before = WithoutEmpty(before, after);
        // The time at which a file was read is not evidence, and no exchange records it.
        if (after.Source == "file")
            after = after with { Started = before.Started, Finished = before.Finished };
        // No exchange records the identity that credentials only claim.
        if (Connection.IsClaimed(before.Identity) && Connection.IsClaimed(after.Identity))
            after = after with { Identity = before.Identity };
        var found = JsonDifference.Between(Json(ShardPath.Inside(before)), Json(after))
            .Select(d => new Difference(Place(before), d.Path, d.Before, d.After)).ToList();
        string? cause = null;
        foreach (var (table, sealedDigest, digest) in files)
        {
            if (table is null)
                continue;
            var different = TableDifference(bundle, rebuilt, table, cancellationToken);
            if (different is not null && sealedDigest == digest)
            {
                var edited = $"the index names the rebuilt table, so the file was changed afterwards: {different}";
                found.Add(new(Place(before), table, "another table", "the rebuilt one", edited));
            }
            else if (sealedDigest != digest)
            {
                cause ??= different is null
                    ? "the bundle's table is identical to the rebuilt one; only the index differs"
                    : $"{(after.Source == "file" ? "the bundle's copy of the file gives" : "the exchanges give")} other rows: {different}";
            }
        }
        if (after.Failures.Any(f => f.Code == Codes.NoRecording) && !before.Failures.Any(f => f.Code == Codes.NoRecording))
            cause = $"an exchange that it needs is not recorded: {after.Failures.First(f => f.Code == Codes.NoRecording).Message}";
        return (found, cause);
    }

    /// <summary>Returns an item of an old bundle without its tables that have no rows and that are no files today.</summary>
    private static EvidenceItem WithoutEmpty(EvidenceItem before, EvidenceItem after)
    {
        if (after.Table is null && before.TableSha256 == Nothing)
            before = before with { Table = null, TableSha256 = null };
        return after.Calls is null && before.CallsSha256 == Nothing ? before with { Calls = null, CallsSha256 = null } : before;
    }

    private static string? TableDifference(BundleFolder bundle, BundleFolder rebuilt, string table, CancellationToken cancellationToken)
    {
        if (!bundle.Has(table))
            return "the bundle does not have the table";
        var own = ShardPath.Inside(table);
        try
        {
            using var before = bundle.Open(table, cancellationToken);
            using var after = rebuilt.Has(own) ? rebuilt.Open(own, cancellationToken) : null;
            return TableComparison.FirstDifference(before, after, table, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }

    /// <summary>Whether two rows of the bundle's table of calls ask the same and name different exchanges.</summary>
    private static bool IsAskedAgain(BundleFolder bundle, EvidenceItem item, CancellationToken cancellationToken)
    {
        if (item.Calls is not { } path || !bundle.Has(path))
            return false;
        var asked = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var calls = new TableReader(bundle.Open(path, cancellationToken), Path.GetFileName(path));
            foreach (var call in calls.ReadRows())
            {
                cancellationToken.ThrowIfCancellationRequested();
                var question = string.Join('\n', call.EnumerateObject().Where(m => m.Name.StartsWith("_with_", StringComparison.Ordinal)).Select(m => $"{m}"));
                var exchanges = call.TryGetProperty("exchanges", out var sent) ? sent.GetRawText() : "";
                if (question.Length > 0 && !asked.TryAdd(question, exchanges) && asked[question] != exchanges)
                    return true;
            }
        }
        catch (InvalidDataException)
        {
            // The comparison of the tables reports it.
        }
        return false;
    }

    private static JsonElement Json(EvidenceItem item) => JsonElement.Parse(EvidenceIndex.Format(item));

    private static string Word(EvidenceItem item) =>
        item.Code is null ? $"{item.Outcome}".ToLowerInvariant() : $"{item.Outcome} ({item.Code})".ToLowerInvariant();

    internal static string Place(EvidenceItem item) => item.Source == "file"
        ? $"input {item.Operation}"
        : string.Join(' ', new[] { item.Operation, "in", item.Target, item.Account, item.Region }.Where(t => t.Length > 0));
}

/// <summary>An evidence item that differs, and why.</summary>
/// <param name="Signs">What was found there, named as in <see cref="Controls.Evaluation.EvaluationRule.OnlyWith"/>.</param>
internal sealed record DifferingEvidence(EvidenceItem Item, string Why, ImmutableArray<string> Signs);
