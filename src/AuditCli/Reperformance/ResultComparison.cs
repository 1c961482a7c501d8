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
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Compares the results, and adds what differs to <paramref name="differences"/>.</summary>
    /// <param name="rebuilt">The bundle that was made again.</param>
    /// <exception cref="InvalidDataException">The bundle's results cannot be parsed; the message says why.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ResultComparison Of(
        BundleFolder bundle, BundleFolder rebuilt, EvaluationResults again, EvidenceComparison evidence,
        DifferenceList differences, CancellationToken cancellationToken)
    {
        var before = Read(bundle);
        var after = Read(rebuilt);
        var notes = ImmutableArray.CreateBuilder<string>();
        // Cache the signs of a control: they are the same for each of its differences, of which there may be thousands.
        var signs = new Dictionary<string, ImmutableHashSet<string>>(StringComparer.Ordinal);
        foreach (var engine in JsonDifference.Between(before.GetProperty("engine"), after.GetProperty("engine")))
            notes.Add($"the engine differs: {engine.Path} {engine.Before ?? "nothing"} -> {engine.After ?? "nothing"}");
        foreach (var difference in JsonDifference.Between(Without(before, "engine", "not_tested"), Without(after, "engine", "not_tested")))
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
        CompareRows(bundle, rebuilt, again, before, after, evidence, differences, cancellationToken);
        return new(notes.ToImmutable());

        ImmutableHashSet<string> SignsOf(string control) =>
            signs.TryGetValue(control, out var known) ? known : signs[control] = Signs(after, evidence, control);
    }

    private static string? Concluded(string? value) => value is null ? null : "concluded";

    /// <summary>
    /// Returns the signs that rules of evaluation refer to: those of the control's differing evidence, and those in its new result.
    /// </summary>
    private static ImmutableHashSet<string> Signs(JsonElement after, EvidenceComparison evidence, string control)
    {
        var signs = evidence.Differing.Where(d => d.Item.Names.Any(n => n.Control == control)).SelectMany(d => d.Signs)
            .ToImmutableHashSet(StringComparer.Ordinal).ToBuilder();
        if (Control(after, control) is not { } result)
            return signs.ToImmutable();
        foreach (var limitation in Members(result, "limitations"))
        {
            if (JsonMember.Text(limitation, "code") is { } code)
                signs.Add(code);
        }
        if (result.TryGetProperty("indicated", out var indicated) && indicated.ValueKind == JsonValueKind.Number && indicated.GetInt64() > 0)
            signs.Add(EvaluationRule.Indicated);
        var checks = Members(result, "tests").SelectMany(t => Members(t, "completeness"));
        if (checks.Any(c => c.TryGetProperty("agree", out var agree) && agree.ValueKind == JsonValueKind.False))
            signs.Add(EvaluationRule.Disagrees);
        return signs.ToImmutable();
    }

    private static JsonElement.ArrayEnumerator Members(JsonElement of, string name) =>
        of.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    private static void CompareRows(
        BundleFolder bundle, BundleFolder rebuilt, EvaluationResults again, JsonElement before, JsonElement after,
        EvidenceComparison evidence, DifferenceList differences, CancellationToken cancellationToken)
    {
        var files = again.Controls
            .SelectMany(c => c.Tests.Select(t => t.Id).Distinct().Select(t => (File: BundleLayout.RowsName(c.Id, t), Control: c.Id, Test: t)))
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
            var signs = Signs(after, evidence, control);
            foreach (var row in RowComparison.Between(left, right, path, cancellationToken))
            {
                found = true;
                var cause = RowsAgree(before, after, control, test, row)
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
        JsonElement before, JsonElement after, EvidenceComparison evidence, string control, string? target = null, string? account = null)
    {
        var stands = evidence.Differing.Where(d => d.Item.Names.Any(n => n.Control == control)
            && (target is null or "*" || d.Item.Target.Length == 0 || (d.Item.Target == target && d.Item.Account == account))).ToImmutableArray();
        if (!stands.IsEmpty)
        {
            var (first, more) = (stands[0], stands.Length > 1 ? $"; and {stands.Length - 1} more" : "");
            var name = first.Item.Names.First(n => n.Control == control).Name;
            return $"evidence {name} differs ({EvidenceComparison.Place(first.Item)}): {first.Why}{more}";
        }
        if (Control(before, control) is { } b && JsonMember.Text(b, "sha256") is { } was
            && Control(after, control) is { } a && JsonMember.Text(a, "sha256") is { } now && was != now)
        {
            return $"the bundle's control file is not the one that was evaluated (sha256 {was[..Math.Min(12, was.Length)]}, now {now[..12]})";
        }
        return JsonElement.DeepEquals(before.GetProperty("engine"), after.GetProperty("engine"))
            ? "the tables and the engine are the same: the results were edited, or the evaluation changed between versions"
            : "the tables are the same, but the SQL engine is not";
    }

    private static JsonElement? Control(JsonElement results, string id) => results.GetProperty("controls").EnumerateArray()
        .Select(c => (JsonElement?)c).FirstOrDefault(c => JsonMember.Text(c!.Value, "id") == id);

    private static bool RowsAgree(JsonElement before, JsonElement after, string control, string test, RowDifference row) =>
        RowsDigest(before, control, test, row) is { } was && was == RowsDigest(after, control, test, row);

    private static string? RowsDigest(JsonElement results, string control, string test, RowDifference row)
    {
        if (Control(results, control) is not { } found || !found.TryGetProperty("tests", out var tests) || tests.ValueKind != JsonValueKind.Array)
            return null;
        return tests.EnumerateArray()
            .Where(t => JsonMember.Text(t, "id") == test && t.TryGetProperty("partition", out var p)
                && JsonMember.Text(p, "target") == row.Target && JsonMember.Text(p, "account") == row.Account)
            .Select(t => JsonMember.Text(t, "rows_sha256")).FirstOrDefault();
    }

    private static JsonElement Read(BundleFolder bundle)
    {
        try
        {
            var results = JsonElement.Parse(bundle.Read(BundleLayout.Results), Strict);
            return results.GetProperty("controls").ValueKind == JsonValueKind.Array && results.GetProperty("engine").ValueKind == JsonValueKind.Object
                ? results
                : throw new InvalidDataException($"{BundleLayout.Results} has no controls or no engine");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{BundleLayout.Results} cannot be read: {e.Message}", e);
        }
    }

    private static JsonElement Without(JsonElement value, params string[] members) =>
        JsonSerializer.SerializeToElement(value.EnumerateObject().Where(m => !members.Contains(m.Name)).ToDictionary(m => m.Name, m => m.Value));

    private static string Verdict(JsonElement row) => row.TryGetProperty("verdict", out var verdict) ? JsonDifference.Shown(verdict) : "no verdict";

    private static IEnumerable<string> Names(BundleFolder bundle) =>
        bundle.Below(BundleLayout.ResultsFolder).Where(p => p != BundleLayout.Results).Select(p => p[BundleLayout.ResultsFolder.Length..]);
}
