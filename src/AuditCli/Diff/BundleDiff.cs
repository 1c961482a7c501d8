using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;
using AuditCli.Reperformance;
using AuditCli.Reports;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Diff;

/// <summary>Compares the exceptions and the scope of earlier bundles with a later one.</summary>
/// <param name="Verifications">The verification of every bundle, in the order given.</param>
internal sealed record BundleDiff(
    ImmutableArray<OpenedBundle> Before,
    OpenedBundle After,
    ImmutableArray<VerifyReport> Verifications,
    ImmutableArray<ExceptionChange> Exceptions,
    ImmutableArray<ScopeChange> Controls,
    ImmutableArray<ScopeChange> Parameters,
    ImmutableArray<ScopeChange> Shrunk,
    ImmutableArray<ScopeChange> Incomplete,
    ImmutableArray<string> Notes)
{
    /// <summary>The counts of each test that changed, with the noun of its population.</summary>
    public ImmutableArray<ScopeChange> Counts { get; } = CountChanges(Before[^1], After);

    /// <summary>What people answered, in the later bundle and in the one before it.</summary>
    public ImmutableArray<ScopeChange> Answers { get; } = AnswersOf(Before[^1], After);

    /// <summary>
    /// 2 if an exception is new or reappeared, or a bundle does not verify; 3 if something cannot be decided; otherwise 0.
    /// </summary>
    public int ExitCode =>
        Exceptions.Any(e => e.State is ExceptionState.New or ExceptionState.Reappeared) || Verifications.Any(v => v.Answer == VerifyAnswer.Fails)
            ? AuditCli.ExitCode.Failed
        : Exceptions.Any(e => e.State is ExceptionState.SeenLess or ExceptionState.OtherRule) || !Shrunk.IsEmpty || !Incomplete.IsEmpty
            || Verifications.Any(v => v.Answer != VerifyAnswer.Holds) ? AuditCli.ExitCode.Undecided
        : AuditCli.ExitCode.Ok;

    /// <summary>
    /// Verifies every bundle, then compares the last with the one before it. Earlier bundles only show which exceptions were known before.
    /// </summary>
    /// <param name="bundles">At least two full paths, oldest first.</param>
    /// <exception cref="InvalidDataException">A bundle is not safe to read, or not what it should be.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static async Task<BundleDiff> OfAsync(ImmutableArray<string> bundles, VerifyOptions options, AuditHost host, CancellationToken cancellationToken)
    {
        var verifications = ImmutableArray.CreateBuilder<VerifyReport>();
        foreach (var bundle in bundles)
        {
            var report = await BundleVerifier.VerifyAsync(bundle, options, cancellationToken);
            if (Reperformed.WhyUnsafe(report) is { } reason)
                throw new InvalidDataException($"{bundle}: {reason}");
            verifications.Add(report);
        }
        return await Task.Run(
            async () =>
            {
                var opened = ImmutableArray.CreateBuilder<OpenedBundle>();
                foreach (var (bundle, report) in bundles.Zip(verifications))
                    opened.Add(await OpenedBundle.OpenWholeAsync(bundle, host, report.TagManifestSha256, cancellationToken));
                return await CompareAsync(opened.ToImmutable(), verifications.ToImmutable(), host, cancellationToken);
            },
            cancellationToken);
    }

    private static async Task<BundleDiff> CompareAsync(
        ImmutableArray<OpenedBundle> bundles, ImmutableArray<VerifyReport> verifications, AuditHost host, CancellationToken cancellationToken)
    {
        var (before, after) = (bundles[^2], bundles[^1]);
        var known = ExceptionsOf(before, cancellationToken);
        var earlier = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var old in bundles[..^2])
        {
            foreach (var item in ExceptionsOf(old, cancellationToken).Values)
                earlier.TryAdd(item.Id, old.Id);
        }
        var (now, said) = (new Dictionary<string, KnownItem>(StringComparer.Ordinal), PeopleNotes.Dispositions(after.Results.Controls));
        foreach (var row in Rows(after, cancellationToken).Where(r => r.IsException || known.ContainsKey(r.Id)))
            now.TryAdd(row.Id, KnownItem.Of(row, said));

        var moved = now.Values.Where(i => i.IsOpen && !known.ContainsKey(i.Id))
            .Concat(known.Values.Where(i => i.IsOpen && now.GetValueOrDefault(i.Id) is not { IsOpen: true }))
            .Select(i => i.Control).ToImmutableSortedSet(StringComparer.Ordinal);
        var (read, unread) = await TestsRead.OfAsync([before, after], moved, host, cancellationToken);
        var scope = new ScopeComparison(before, after, host.Sources, read[1]);
        var reverse = new ScopeComparison(after, before, host.Sources, read[0]);
        var changes = now.Values.Where(i => i.IsOpen).Select(i => Open(i, known, earlier, scope, reverse))
            .Concat(known.Values.Where(i => i.IsOpen)
                .Select(i => Closed(i, now.GetValueOrDefault(i.Id), scope, after.Files.Missing.Any())).OfType<ExceptionChange>());
        return new(
            bundles[..^1], after, verifications,
            [.. changes.OrderBy(c => c.State).ThenBy(c => c.Row.Control, StringComparer.Ordinal).ThenBy(c => c.Row.Test, StringComparer.Ordinal)
                .ThenBy(c => c.Row.Account, StringComparer.Ordinal).ThenBy(c => c.Row.Item, StringComparer.Ordinal)],
            scope.ControlChanges, scope.ParameterChanges, scope.Shrunk, scope.NewlyIncomplete, [.. scope.Notes, .. unread]);
    }

    /// <summary>Returns the change of an exception that is open in the later bundle.</summary>
    private static ExceptionChange Open(
        KnownItem item, Dictionary<string, KnownItem> known, Dictionary<string, string> earlier, ScopeComparison scope, ScopeComparison reverse)
    {
        if (known.TryGetValue(item.Id, out var then))
        {
            return then.IsOpen
                ? new(ExceptionState.StillOpen, item, null)
                : new(ExceptionState.Reappeared, item, "it was approved, but the approval is no longer valid");
        }
        if (earlier.TryGetValue(item.Id, out var bundle))
            return new(ExceptionState.Reappeared, item, $"known from {bundle}");
        var why = scope.OtherRule(item.Control)
            ?? (reverse.SawLess(item, gone: true) is { } unseen ? $"it could not be seen before: {unseen}" : null);
        return new(ExceptionState.New, item, why);
    }

    /// <summary>Returns the change of an exception that was open in the earlier bundle; null if it is still open.</summary>
    /// <param name="isElsewhere">Whether a part of the later bundle is not here.</param>
    private static ExceptionChange? Closed(KnownItem then, KnownItem? now, ScopeComparison scope, bool isElsewhere)
    {
        if (now is { IsOpen: true })
            return null;
        if (now is { Verdict: "approved" })
            return new(ExceptionState.Approved, now, null);
        if (now is { Verdict: "undetermined" })
            return new(ExceptionState.SeenLess, now, $"it could not be determined{(now.Reason is { } reason ? $": {reason}" : "")}");
        if (now is null && isElsewhere)
            return new(ExceptionState.SeenLess, then, "not every shard of the later bundle is here");
        if (scope.SawLess(then, gone: now is null) is { } less)
            return new(ExceptionState.SeenLess, now ?? then, less);
        if (scope.OtherRule(then.Control) is { } rule)
            return new(ExceptionState.OtherRule, now ?? then, rule);
        return new(ExceptionState.Fixed, now ?? then, now is null ? "it is no longer in the population, which was read completely" : "it passes");
    }

    private static Dictionary<string, KnownItem> ExceptionsOf(OpenedBundle bundle, CancellationToken cancellationToken)
    {
        var (items, said) = (new Dictionary<string, KnownItem>(StringComparer.Ordinal), PeopleNotes.Dispositions(bundle.Results.Controls));
        foreach (var row in Rows(bundle, cancellationToken).Where(r => r.IsException))
            items.TryAdd(row.Id, KnownItem.Of(row, said));
        return items;
    }

    private static ImmutableArray<ScopeChange> CountChanges(OpenedBundle before, OpenedBundle after)
    {
        static Dictionary<(string Control, string Test), string> Of(OpenedBundle bundle) =>
            bundle.Results.Controls.SelectMany(c => new ControlCounts(c).Tests.Select(t => ((c.Id, t.Test), t.Count.Words)))
                .ToDictionary(t => t.Item1, t => t.Words);
        var (then, now) = (Of(before), Of(after));
        return
        [
            .. then.Keys.Union(now.Keys).OrderBy(k => k.Control, StringComparer.Ordinal).ThenBy(k => k.Test, StringComparer.Ordinal)
                .Where(k => then.GetValueOrDefault(k) != now.GetValueOrDefault(k))
                .Select(k => new ScopeChange(k.Control, k.Test, then.GetValueOrDefault(k) ?? "not tested", now.GetValueOrDefault(k) ?? "not tested")),
        ];
    }

    private static ImmutableArray<ScopeChange> AnswersOf(OpenedBundle before, OpenedBundle after)
    {
        static Dictionary<(string Control, string Question), string> Of(OpenedBundle bundle) => bundle.Results.Controls
            .SelectMany(c => (c.Answers ?? []).Select(a => ((c.Id, a.Question), PeopleNotes.Of(a)))).ToDictionary(a => a.Item1, a => a.Item2);
        var (then, now) = (Of(before), Of(after));
        return
        [
            .. then.Keys.Union(now.Keys).OrderBy(k => k.Control, StringComparer.Ordinal).ThenBy(k => k.Question, StringComparer.Ordinal)
                .Select(k => then.GetValueOrDefault(k) == now.GetValueOrDefault(k)
                    ? new ScopeChange(k.Control, $"question {k.Question}", null, now[k])
                    : new ScopeChange(
                        k.Control, $"question {k.Question}", then.GetValueOrDefault(k) ?? "no answer", now.GetValueOrDefault(k) ?? "no answer")),
        ];
    }

    private static IEnumerable<PopulationRow> Rows(OpenedBundle bundle, CancellationToken cancellationToken)
    {
        foreach (var (control, test) in bundle.Results.Controls.SelectMany(c => c.Tests.Select(t => (Control: c.Id, Test: t.Id))))
        {
            foreach (var row in bundle.Rows(control, test))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return row;
            }
        }
    }
}
