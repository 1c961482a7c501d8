using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Collectors;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;
using AuditCli.Reports.Formats;

namespace AuditCli.Reperformance;

/// <summary>
/// Compares the record of a run with its exchanges: <c>run.json</c>, the log, the list of the bundle's files, and the program named as
/// maker.
/// </summary>
internal static class RecordComparison
{
    private const string FailureCode = " failure code";

    /// <summary>
    /// Members of the record that no exchange shows. Only the sealed run itself knew which recordings a replay left unused and which
    /// secrets were allowed.
    /// </summary>
    private static readonly ImmutableArray<string> Underivable =
        ["bundle_id", "mode", "run_by", "started", "finished", "resumed", "limits", "secrets_allowed", "unused_recordings"];

    /// <summary>Members that are not compared for equality but by the methods below.</summary>
    private static readonly ImmutableArray<string> ComparedElsewhere = ["evaluation", "tool", "as_of", "recorded", "sharded"];

    /// <summary>The text that lists what cannot be derived from the exchanges.</summary>
    public const string NotDerived =
        "not derivable from the exchanges, so only the signer vouches for it: in run.json bundle_id, run_by, started, finished, resumed, limits, "
        + "secrets_allowed and unused_recordings, and "
        + "the context and cluster names of a kubeconfig, and an identity that is only claimed; "
        + "times, order, levels and further lines of the log; dates and retention in bag-info.txt; "
        + "the keyed digests of redacted values, and the digest of a file before its personal values were replaced; whether the responses are genuine";

    /// <summary>Compares the record, and adds what differs to <paramref name="differences"/>.</summary>
    /// <param name="record">The record of the bundle's run.</param>
    /// <param name="rebuilt">The bundle that was made again.</param>
    /// <param name="folder">The folder from which the repeated run resolved the engagement's relative paths.</param>
    /// <param name="exchanges">The times of the exchanges, and the program that recorded them.</param>
    /// <param name="emptyFiles">See <see cref="EvidenceComparison.EmptyFiles"/>.</param>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static void Of(
        BundleFolder bundle, RunRecord record, DateTimeOffset? statedAsOf, BundleFolder rebuilt, string folder, RecordedTimes exchanges,
        ImmutableHashSet<string> emptyFiles, DifferenceList differences, CancellationToken cancellationToken)
    {
        try
        {
            Compare(bundle, record, statedAsOf, rebuilt, folder, exchanges, emptyFiles, differences, cancellationToken);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or JsonException)
        {
            throw new InvalidDataException($"{BundleLayout.Run} is not the record of a run: {e.Message}", e);
        }
    }

    private static void Compare(
        BundleFolder bundle, RunRecord record, DateTimeOffset? statedAsOf, BundleFolder rebuilt, string folder, RecordedTimes exchanges,
        ImmutableHashSet<string> emptyFiles, DifferenceList differences, CancellationToken cancellationToken)
    {
        CompareFiles(bundle, rebuilt, emptyFiles, differences);
        var (run, again) = (Json(bundle), Json(rebuilt));
        var found = JsonDifference.Between(Derivable(run), Derivable(again)).ToImmutableArray();
        // The cause of a failure before the first request is not in any exchange. The re-performed run confirms that the target failed.
        var unsent = found.Where(d => d is { Before: not null, After: Codes.NoRecording } && d.Path.EndsWith(FailureCode, StringComparison.Ordinal))
            .Select(d => d.Path[..^"code".Length]).ToHashSet(StringComparer.Ordinal);
        foreach (var difference in found.Where(d => !unsent.Contains(d.Path[..(d.Path.LastIndexOf(' ') + 1)]) && !IsNeverSent(d) && !IsClaim(d)
            && !IsOfOriginal(d, again) && !IsOfAnotherFolder(d, folder)))
        {
            // A member that an earlier version did not write is not a difference.
            if (record.Rules == EvaluationRules.Current || difference.Before is not null)
            {
                differences.Add(new(
                    BundleLayout.Run, difference.Path, difference.Before, difference.After, "the exchanges, the engagement and the inputs say otherwise"));
            }
        }
        CompareTimes(record, statedAsOf, exchanges, differences);
        CompareMaker(bundle, record, exchanges, differences);
        CompareLog(bundle, record, rebuilt, differences, cancellationToken);
    }

    /// <summary>Whether the difference is a name of the place that is never sent, such as that of a kubeconfig's context.</summary>
    private static bool IsNeverSent(JsonDifference difference) => difference is { After: null, Path: var path }
        && path.StartsWith("targets ", StringComparison.Ordinal)
        && CollectorCatalog.All.Any(c => c.UncheckedPlaces.Any(p => path.EndsWith($" place {p}", StringComparison.Ordinal)));

    /// <summary>
    /// Whether the difference is only the folder from which a relative path of the engagement was resolved: that of the engagement when it was
    /// run, and that of its temporary copy now.
    /// </summary>
    private static bool IsOfAnotherFolder(JsonDifference difference, string folder)
    {
        if (difference is not { Before: { } before, After: { } after, Path: var path } || !path.StartsWith("targets ", StringComparison.Ordinal)
            || !CollectorCatalog.All.Any(c => c.Source.TargetSettings.Any(
                s => s.Form == TargetSettingForm.File && path.EndsWith($" settings {s.Name} 0", StringComparison.Ordinal))))
        {
            return false;
        }
        var written = Path.GetRelativePath(folder, after).Replace('\\', '/').Split('/').SkipWhile(p => p == "..");
        return after.StartsWith(Path.GetDirectoryName(Path.GetDirectoryName(folder))!, StringComparison.Ordinal)
            && before.Replace('\\', '/').EndsWith("/" + string.Join('/', written), StringComparison.Ordinal);
    }

    /// <summary>
    /// Whether the difference is the digest of a file as it was supplied, of which the bundle has a copy without personal values only.
    /// </summary>
    private static bool IsOfOriginal(JsonDifference difference, JsonElement again) => difference is { Before: not null, After: null, Path: var path }
        && again.GetProperty("inputs").EnumerateArray()
            .Any(i => i.TryGetProperty("personal", out _) && path == $"inputs {i.GetProperty("name")} original_sha256");

    /// <summary>
    /// Whether both sides are identities that the credentials only claim and no provider confirmed: a claim is never sent.
    /// </summary>
    private static bool IsClaim(JsonDifference difference) => difference is { Before: { } before, After: { } after, Path: var path }
        && path.StartsWith("targets ", StringComparison.Ordinal) && path.EndsWith(" identity", StringComparison.Ordinal)
        && Connection.IsClaimed(before) && Connection.IsClaimed(after);

    /// <summary>Compares the lists of files: a run of the engagement must make every file of the bundle, except reports.</summary>
    private static void CompareFiles(
        BundleFolder bundle, BundleFolder rebuilt, ImmutableHashSet<string> emptyFiles, DifferenceList differences)
    {
        var reports = ReportFormats.All.Select(f => BundleLayout.ReportsFolder + f.FileName);
        var made = rebuilt.Below($"{BundleLayout.Payload}/").ToHashSet(StringComparer.Ordinal);
        // Tables and rows are compared elsewhere, by the index and the results, with the cause of each difference.
        var explained = reports.Concat(emptyFiles).Concat(made).Concat(bundle.Shards.Select(s => s.Archive))
            .Concat(bundle.Shards.IsEmpty ? [] : [BundleLayout.Shards]).ToHashSet(StringComparer.Ordinal);
        foreach (var path in bundle.Below($"{BundleLayout.Payload}/").Where(p => !explained.Contains(ShardPath.Inside(p)) && !IsOfResults(p) || IsOfWhole(p)))
            differences.Add(new(path, "file", "there", null, "nothing in the bundle explains it: a run of its engagement does not create it"));
        foreach (var path in made.Where(p => !bundle.Everywhere(p).Any() && !IsOfResults(p)).Order(StringComparer.Ordinal))
            differences.Add(new(path, "file", null, "there", "a run of the bundle's engagement creates it"));
    }

    /// <summary>Whether a file of a shard is one that only the bundle of the whole run has.</summary>
    private static bool IsOfWhole(string path) => ShardPath.Split(path) is { } inside
        && new[] { BundleLayout.ResultsFolder, BundleLayout.ReportsFolder, BundleLayout.InputsFolder, BundleLayout.Log }
            .Any(w => inside.Path.StartsWith(w, StringComparison.Ordinal));

    private static bool IsOfResults(string path) => path.StartsWith(BundleLayout.ResultsFolder, StringComparison.Ordinal);

    private static void CompareTimes(RunRecord record, DateTimeOffset? statedAsOf, RecordedTimes exchanges, DifferenceList differences)
    {
        var (from, to) = record.Span;
        var words = record.IsReplay ? "recorded" : "started and finished";
        foreach (var outside in exchanges.Outside(from, to))
            differences.Add(outside with { Cause = $"run.json says {words} {Rfc3339.Format(from)} to {Rfc3339.Format(to)}" });
        var asOf = statedAsOf ?? (record.IsReplay ? to : from);
        var source = statedAsOf is null ? "the engagement does not state it, so it follows from the times of the run" : "the engagement states it";
        if (record.Moment != asOf)
            differences.Add(new(BundleLayout.Run, "as_of", Rfc3339.Format(record.Moment), Rfc3339.Format(asOf), source));
        if (record is { IsReplay: true, Resumed: null, UnusedRecordings.IsEmpty: true } && exchanges.Sent is { } sent)
        {
            // Without unused recordings, the first and last exchange are in the bundle. For a resumed run it is not known which were
            // unused.
            foreach (var (name, was, now) in new[] { ("first", from, sent.First), ("last", to, sent.Last) })
            {
                if (was != now)
                    differences.Add(new(BundleLayout.Run, $"recorded {name}", Rfc3339.Format(was), Rfc3339.Format(now), "the exchanges say otherwise"));
            }
        }
    }

    /// <summary>Compares the program that the record, the bag and each file of exchanges name as their maker.</summary>
    private static void CompareMaker(BundleFolder bundle, RunRecord record, RecordedTimes exchanges, DifferenceList differences)
    {
        var (name, version) = (record.Tool.Name, record.Tool.Version.Split('+')[0]);
        var labels = new[] { ("tool", "Bag-Software-Agent", $"{name} {version}"), ("bundle_id", "External-Identifier", record.BundleId) };
        foreach (var (member, label, was) in labels)
        {
            if (bundle.IsSealed && bundle.Info(label) is var said && said != was)
                differences.Add(new(BundleLayout.Run, member, was, said, $"{label} of bag-info.txt says otherwise"));
        }
        foreach (var label in bundle.Labels.Where(l => !BundleLayout.BagInfoLabels.Contains(l)))
            differences.Add(new(BundleLayout.BagInfo, label, bundle.Info(label), null, "no run writes it"));
        // Bytes that mean the same could hold a message between members, which no reader of the record would print.
        if (bundle.IsSealed && record.IsCurrent && !bundle.Read(BundleLayout.Run).AsSpan().SequenceEqual(record.Write()))
            differences.Add(new(BundleLayout.Run, "form", "other bytes", "the record's own", "a run writes it without anything around or between its members"));
        // Files of exchanges name the version without its part after a hyphen.
        var recorder = $"{name}/{version.Split('-')[0]}";
        foreach (var (file, software) in exchanges.Software.Where(s => s.Software != recorder))
            differences.Add(new(BundleLayout.Run, "tool", recorder, software, $"{BundleLayout.ExchangesFolder}{file} says otherwise"));
    }

    /// <summary>
    /// Compares the events about targets, evidence and conclusions in the log with those of the re-performed run, ignoring times.
    /// </summary>
    private static void CompareLog(
        BundleFolder bundle, RunRecord record, BundleFolder rebuilt, DifferenceList differences, CancellationToken cancellationToken)
    {
        if (!bundle.Has(BundleLayout.Log))
            return;  // reported by CompareFiles
        var (was, now) = (new LogEvents(bundle, BundleLayout.Log, cancellationToken), new LogEvents(rebuilt, BundleLayout.Log, cancellationToken));
        if (was.Fault is { } fault)
            differences.Add(new(BundleLayout.Log, "line", fault, null, "it is not the log of a run"));
        // Under other rules of evaluation, the run collects and logs other things.
        if (record.Rules != EvaluationRules.Current)
            return;
        foreach (var (line, count) in now.Counts.OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            if (was.Counts.GetValueOrDefault(line) is var before && before < count)
                differences.Add(new(
                    BundleLayout.Log, line, $"{before} times", $"{count} times", "the run logs it, so lines of the log were removed or changed"));
        }
        foreach (var (line, count) in was.Counts.OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            if (now.Counts.GetValueOrDefault(line) is var after && after < count)
                differences.Add(new(
                    BundleLayout.Log, line, $"{count} times", $"{after} times", "the repeated run does not log it, so lines were added or changed"));
        }
    }

    private static JsonElement Derivable(JsonElement run) => JsonSerializer.SerializeToElement(
        run.EnumerateObject().Where(m => !Underivable.Contains(m.Name) && !ComparedElsewhere.Contains(m.Name)).ToDictionary(m => m.Name, m => m.Value));

    private static JsonElement Json(BundleFolder bundle) =>
        JsonElement.Parse(bundle.Read(BundleLayout.Run), new JsonDocumentOptions { AllowDuplicateProperties = false });
}
