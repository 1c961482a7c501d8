using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Reperformance;

/// <summary>Compares the results of a bundle with those of its own controls on its own evidence, down to the population item.</summary>
/// <param name="Notes">Differences that say nothing about the evidence: the engine, and the origin of a control.</param>
internal sealed record ResultComparison(ImmutableArray<string> Notes)
{
    /// <summary>Compares the results, and adds what differs to <paramref name="differences"/>.</summary>
    /// <param name="rebuilt">The bundle that was made again.</param>
    /// <exception cref="InvalidDataException">The bundle's results cannot be parsed; the message says why.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ResultComparison Of(
        BundleFolder bundle, BundleFolder rebuilt, EvaluationResults again, EvidenceComparison evidence,
        DifferenceList differences, CancellationToken cancellationToken)
    {
        var (before, after) = (RawResults.Read(bundle), RawResults.Read(rebuilt));
        var notes = ImmutableArray.CreateBuilder<string>();
        // Cache the signs of a control: they are the same for each of its differences, of which there may be thousands.
        var signs = new Dictionary<string, ImmutableHashSet<string>>(StringComparer.Ordinal);
        foreach (var engine in JsonDifference.Between(before.Engine, after.Engine))
            notes.Add($"the engine differs: {engine.Path} {engine.Before ?? "nothing"} -> {engine.After ?? "nothing"}");
        foreach (var difference in JsonDifference.Between(before.Comparable(before.IsSchema1), after.Comparable(before.IsSchema1)))
        {
            // The path is "controls <id> <path>".
            var words = difference.Path.Split(' ', 3);
            if (words is ["controls", var shown, "origin"])
                notes.Add($"{shown} was {difference.Before} when the bundle was made and is {difference.After} to this version");
            else if (words is ["controls", var id])
                differences.Add(new(id, "control", Concluded(difference.Before), Concluded(difference.After), Cause(before, after, evidence, id)), SignsOf(id));
            else if (words is ["controls", var named, var path])
                differences.Add(new(named, path, difference.Before, difference.After, Cause(before, after, evidence, named)), SignsOf(named));
            else
                differences.Add(new("results", difference.Path, difference.Before, difference.After));
        }
        foreach (var control in before.Controls.Intersect(after.Controls))
            ComparePartitions(bundle, rebuilt, before, after, control, evidence, differences, () => SignsOf(control), cancellationToken);
        var compared = before.IsSchema1 ? [] : before.Controls.Select(PartitionsCheck.PathOf).ToHashSet(StringComparer.Ordinal);
        foreach (var file in bundle.Below(BundleLayout.ResultsFolder).Where(p => IsOfPartitions(p) && !compared.Contains(p)))
            differences.Add(new(file, "file", "there", null, "results.json has no such control"));
        CompareRows(bundle, rebuilt, again, before, after, evidence, differences, cancellationToken);
        return new(notes.ToImmutable());

        ImmutableHashSet<string> SignsOf(string control) =>
            signs.TryGetValue(control, out var known) ? known : signs[control] = Signs(after, evidence, control, cancellationToken);
    }

    /// <summary>Compares a control's results by partition, value by value.</summary>
    private static void ComparePartitions(
        BundleFolder bundle, BundleFolder rebuilt, RawResults before, RawResults after, string control,
        EvidenceComparison evidence, DifferenceList differences, Func<ImmutableHashSet<string>> signs, CancellationToken cancellationToken)
    {
        var path = PartitionsCheck.PathOf(control);
        if (!before.IsSchema1 && bundle.Has(path) != rebuilt.Has(path))
        {
            differences.Add(new(
                path, "file", bundle.Has(path) ? "there" : null, rebuilt.Has(path) ? "there" : null, Cause(before, after, evidence, control)));
            return;
        }
        var (found, stated) = (false, before.PartitionsDigest(control) == after.PartitionsDigest(control));
        foreach (var result in RowComparison.BetweenPartitions(
            before.PartitionLines(control, cancellationToken), after.PartitionLines(control, cancellationToken), path, cancellationToken))
        {
            found = true;
            var cause = stated
                ? "results.json has the digest of the re-performed results by partition, so the file was changed afterwards"
                : Cause(before, after, evidence, control, result.Target, result.Account);
            var at = $"tests {result.Item} {result.Target} {result.Account}";
            if (result is { Before: { } was, After: { } now })
            {
                foreach (var value in JsonDifference.Between(was, now, at))
                    differences.Add(new(control, value.Path, value.Before, value.After, cause), signs());
            }
            else
            {
                differences.Add(
                    new(control, at, result.Before is { } b ? JsonDifference.Shown(b) : null, result.After is { } a ? JsonDifference.Shown(a) : null, cause),
                    signs());
            }
        }
        if (found || before.IsSchema1 || !bundle.Has(path))
            return;
        if (bundle.DigestOf(path) != rebuilt.DigestOf(path))
            differences.Add(new(path, "bytes", "one form", "another", "the same results in another order, or written differently"));
        foreach (var value in JsonDifference.Between(PartitionsOf(before, control), PartitionsOf(after, control), "partitions"))
            differences.Add(new(control, value.Path, value.Before, value.After, "the results by partition are the same: results.json was edited"));
    }

    private static JsonElement PartitionsOf(RawResults results, string control) =>
        results.Control(control) is { } found && found.TryGetProperty("partitions", out var file) ? file : JsonElement.Parse("null");

    private static string? Concluded(string? value) => value is null ? null : "concluded";

    /// <summary>
    /// Returns the signs that rules of evaluation refer to: those of the control's differing evidence, and those in its new result.
    /// </summary>
    private static ImmutableHashSet<string> Signs(RawResults after, EvidenceComparison evidence, string control, CancellationToken cancellationToken)
    {
        var signs = evidence.Differing.Where(d => d.Item.Names.Any(n => n.Control == control)).SelectMany(d => d.Signs)
            .ToImmutableHashSet(StringComparer.Ordinal).ToBuilder();
        if (after.Control(control) is not { } result)
            return signs.ToImmutable();
        foreach (var limitation in RawResults.Members(result, "limitations"))
        {
            if (JsonMember.Text(limitation, "code") is { } code)
                signs.Add(code);
        }
        if (result.TryGetProperty("indicated", out var indicated) && indicated.ValueKind == JsonValueKind.Number && indicated.GetInt64() > 0)
            signs.Add(EvaluationRule.Indicated);
        if (after.Disagrees(control, cancellationToken))
            signs.Add(EvaluationRule.Disagrees);
        return signs.ToImmutable();
    }

    private static void CompareRows(
        BundleFolder bundle, BundleFolder rebuilt, EvaluationResults again, RawResults before, RawResults after,
        EvidenceComparison evidence, DifferenceList differences, CancellationToken cancellationToken)
    {
        var files = again.Controls
            .SelectMany(c => OpenedBundle.TestsOf(c).Select(t => (File: BundleLayout.RowsName(c.Id, t), Control: c.Id, Test: t)))
            .ToImmutableDictionary(f => f.File, StringComparer.Ordinal);
        foreach (var name in Names(bundle).Union(Names(rebuilt)).Order(StringComparer.Ordinal))
        {
            var path = BundleLayout.ResultsFolder + name;
            var (control, test) = files.TryGetValue(name, out var known) ? (known.Control, known.Test) : (name, "");
            if (!bundle.Has(path) || !rebuilt.Has(path))
            {
                differences.Add(new(
                    path, "file", bundle.Has(path) ? "there" : null, rebuilt.Has(path) ? "there" : null, Cause(before, after, evidence, control)));
                continue;
            }
            using var left = bundle.Open(path, cancellationToken);
            using var right = rebuilt.Open(path, cancellationToken);
            var found = false;
            var signs = Signs(after, evidence, control, cancellationToken);
            foreach (var row in RowComparison.Between(left, right, path, cancellationToken))
            {
                found = true;
                var cause = RowsAgree(before, after, control, test, row, cancellationToken)
                    ? "results.json has the digest of the re-performed rows, so the file was changed afterwards"
                    : Cause(before, after, evidence, control, row.Target, row.Account);
                var where = $"{control} {test} {row.Target} {row.Account} {row.Item}";
                if (row is { Before: { } was, After: { } now })
                {
                    foreach (var value in JsonDifference.Between(was, now))
                        differences.Add(new(where, value.Path, value.Before, value.After, cause), signs);
                }
                else
                    differences.Add(new(where, "item", row.Before is { } b ? Verdict(b) : null, row.After is { } a ? Verdict(a) : null, cause), signs);
            }
            if (!found && bundle.DigestOf(path) != rebuilt.DigestOf(path))
                differences.Add(new(path, "bytes", "one form", "another", "the same rows in another order, or written differently"));
        }
    }

    /// <summary>Returns why a control's result differs: its evidence, its file, the engine, or an edit.</summary>
    private static string Cause(
        RawResults before, RawResults after, EvidenceComparison evidence, string control, string? target = null, string? account = null)
    {
        var stands = evidence.Differing.Where(d => d.Item.Names.Any(n => n.Control == control)
            && (target is null or "*" || d.Item.Target.Length == 0 || (d.Item.Target == target && d.Item.Account == account))).ToImmutableArray();
        if (!stands.IsEmpty)
        {
            var (first, more) = (stands[0], stands.Length > 1 ? $"; and {stands.Length - 1} more" : "");
            var name = first.Item.Names.First(n => n.Control == control).Name;
            return $"evidence {name} differs ({EvidenceComparison.Place(first.Item)}): {first.Why}{more}";
        }
        if (before.Control(control) is { } b && JsonMember.Text(b, "sha256") is { } was
            && after.Control(control) is { } a && JsonMember.Text(a, "sha256") is { } now && was != now)
        {
            return $"the bundle's control file is not the one that was evaluated (sha256 {was[..Math.Min(12, was.Length)]}, now {now[..12]})";
        }
        return JsonElement.DeepEquals(before.Engine, after.Engine)
            ? "the tables and the engine are the same: the results were edited, or the evaluation changed between versions"
            : "the tables are the same, but the SQL engine is not";
    }

    private static bool RowsAgree(
        RawResults before, RawResults after, string control, string test, RowDifference row, CancellationToken cancellationToken) =>
        before.RowsDigest(control, test, row.Target, row.Account, cancellationToken) is { } was
        && was == after.RowsDigest(control, test, row.Target, row.Account, cancellationToken);

    private static string Verdict(JsonElement row) => row.TryGetProperty("verdict", out var verdict) ? JsonDifference.Shown(verdict) : "no verdict";

    private static bool IsOfPartitions(string path) => path.EndsWith(BundleLayout.PartitionsEnding, StringComparison.Ordinal);

    private static IEnumerable<string> Names(BundleFolder bundle) =>
        bundle.Below(BundleLayout.ResultsFolder)
            .Where(p => p != BundleLayout.Results && !IsOfPartitions(p)).Select(p => p[BundleLayout.ResultsFolder.Length..]);
}
