using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;

namespace AuditCli.Diff;

/// <summary>Compares two bundles: the rules under which each concluded, and how much each read.</summary>
/// <param name="read">
/// The evidence that the SQL of each test of the later bundle names. A test that is missing here counts as reading all evidence of its
/// control.
/// </param>
internal sealed class ScopeComparison(
    OpenedBundle before,
    OpenedBundle after,
    ImmutableArray<EvidenceSource> sources,
    ImmutableDictionary<(string Control, string Test), ImmutableArray<string>> read)
{
    private readonly Dictionary<(string, string, string), string?> _less = [];
    private (string Control, Dictionary<(string Test, string Account), TestResult> Parts)? _parts;

    /// <summary>Controls whose file changed or that were added.</summary>
    public ImmutableArray<ScopeChange> ControlChanges =>
    [
        .. Both().Where(c => c.Before.Sha256 != c.After.Sha256).Select(c => new ScopeChange(
            c.After.Id,
            "control changed",
            $"{c.Before.Version}, sha256 {c.Before.Sha256.Hex[..16]}",
            $"{c.After.Version}, sha256 {c.After.Sha256.Hex[..16]}")),
        .. after.Results.Controls.Where(c => Find(before, c.Id) is null).Select(c => new ScopeChange(c.Id, "control added", null, c.Version)),
    ];

    /// <summary>Parameters whose value changed.</summary>
    public ImmutableArray<ScopeChange> ParameterChanges => [.. Both().SelectMany(c => Parameters(c.Before, c.After))];

    /// <summary>Controls, accounts, regions and files that the earlier bundle has and the later does not have.</summary>
    public ImmutableArray<ScopeChange> Shrunk
    {
        get
        {
            var left = before.Results.Controls.Where(c => IsTested(c) && !IsTested(Find(after, c.Id)))
                .Select(c => new ScopeChange(c.Id, "control not run", Reports.Wording.Name(c.Conclusion), WhyNotRun(after, c.Id)));
            var (then, now) = (Places(before), Places(after));
            var accounts = then.Select(p => p.Account).Except(now.Select(p => p.Account)).Order(StringComparer.Ordinal).ToImmutableArray();
            var regions = then.Where(p => !accounts.Contains(p.Account)).Except(now).Order();
            var files = Files(before).Except(Files(after)).Order(StringComparer.Ordinal);
            return
            [
                .. left,
                .. accounts.Select(a => new ScopeChange("", "account not read", a, null)),
                .. regions.Select(p => new ScopeChange("", "region not read", $"{p.Account} {p.Region}", null)),
                .. files.Select(f => new ScopeChange("", "file not supplied", f, null)),
            ];
        }
    }

    /// <summary>
    /// Evidence that was complete, counts that agreed and tests that ran in the earlier bundle, and do not in the later one.
    /// </summary>
    public ImmutableArray<ScopeChange> NewlyIncomplete
    {
        get
        {
            var limits = before.Results.Controls.SelectMany(c => c.Limitations.Select(l => Key(c, l))).ToHashSet();
            var checks = before.Results.Controls.SelectMany(c => Disagreeing(before, c)).Select(d => d with { Sides = "" }).ToHashSet();
            var broken = before.Results.Controls.SelectMany(c => Broken(before, c)).Select(b => b with { Error = "" }).ToHashSet();
            return
            [
                .. after.Results.Controls.SelectMany(c => c.Limitations.Where(l => !limits.Contains(Key(c, l))).Select(l => new ScopeChange(
                    c.Id, "evidence incomplete", null, $"{l.Operation} in {Place(l.Target, l.Account, l.Region)}: {l.Code}: {l.Message}"))),
                .. after.Results.Controls.SelectMany(c => Disagreeing(after, c)).Where(d => !checks.Contains(d with { Sides = "" }))
                    .Select(d => new ScopeChange(d.Control, "counts do not agree", null, $"{d.Check} in {d.Account}: {d.Sides}")),
                .. after.Results.Controls.SelectMany(c => Broken(after, c)).Where(b => !broken.Contains(b with { Error = "" }))
                    .Select(b => new ScopeChange(b.Control, "test failed to run", null, $"{b.Test} in {b.Account}: {b.Error}")),
            ];
        }
    }

    /// <summary>Remarks about the two runs as a whole.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            if (before.Record.Entity != after.Record.Entity)
                yield return $"the bundles are of different entities: {before.Record.Entity} and {after.Record.Entity}";
            if (after.Record.Moment < before.Record.Moment)
                yield return "the later bundle has an earlier as_of than the one before it; give the bundles oldest first";
            if (before.Results.Engine.Version != after.Results.Engine.Version)
                yield return $"the engine was {before.Results.Engine.Version} and is {after.Results.Engine.Version}";
        }
    }

    /// <summary>
    /// Returns why a conclusion of the later bundle is not comparable with that of the earlier one; null if the rule is the same.
    /// </summary>
    public string? OtherRule(string control)
    {
        if (Find(before, control) is not { } then || Find(after, control) is not { } now)
            return null;
        return then.Sha256 != now.Sha256 ? $"the control changed from {then.Version} to {now.Version}"
            : Parameters(then, now).FirstOrDefault() is { } parameter ? $"{parameter.What} was {parameter.Before} and is {parameter.After}"
            : null;
    }

    /// <summary>
    /// Returns why the later bundle cannot show that an item of the earlier one passes or is gone; null if it read as much.
    /// </summary>
    /// <param name="gone">Whether the item is missing from the population of the later bundle.</param>
    public string? SawLess(KnownItem item, bool gone)
    {
        var key = (item.Control, item.Test, item.Account);
        if (!_less.TryGetValue(key, out var why))
            _less[key] = why = WhyLess(item.Control, item.Test, item.Account);
        return why ?? (gone ? WhyGone(item) : null);
    }

    private string? WhyLess(string id, string test, string account)
    {
        if (Find(after, id) is not { } control || !IsTested(control))
            return $"the control was not run: {WhyNotRun(after, id)}";
        // Digests show that the rule is the same only if the bundles hold the files with those digests.
        if (after.WhyAnotherControl(control) is { } another)
            return $"in the later bundle {another}";
        if (Find(before, id) is { } then && before.WhyAnotherControl(then) is { } other)
            return $"in the earlier bundle {other}";
        if (PartsOf(control).GetValueOrDefault((test, account)) is not { } part)
            return control.Tests.Any(t => t.Id == test) ? $"{account} was not read" : null;
        if (part.Error is { } error)
            return $"the test failed to run: {error}";
        var definition = after.ControlOf(control, sources);
        bool Concerns(string evidence) => !read.TryGetValue((id, test), out var used) || used.Contains(evidence);
        if (control.Limitations.FirstOrDefault(l =>
            (account == Partition.Everywhere || l.Account == account || l.Account.Length == 0) && Concerns(l.Evidence)) is { } limitation)
        {
            return $"{limitation.Operation} in {Place(limitation.Target, limitation.Account, limitation.Region)} was not read completely: {limitation.Code}";
        }
        if (part.Completeness.FirstOrDefault(c => !c.Agree) is { } check)
            return $"{check.Name}: {check.Left ?? "unknown"} against {check.Right ?? "unknown"}";
        var asked = Asked(before, id, account).Where(a => Concerns(a.Name) && a.Name != definition?.Waivers?.From);
        return asked.Except(Asked(after, id, account)).Order().FirstOrDefault() is { Name.Length: > 0 } unasked
            ? $"{unasked.Name} was not collected{(unasked.Account.Length == 0 ? ": no such file was supplied" : $" in {unasked.Account} {unasked.Region}")}"
            : null;
    }

    /// <summary>
    /// Returns the later bundle's results of a control by test and account. Items are compared control by control, so only the last one's
    /// are kept.
    /// </summary>
    private Dictionary<(string Test, string Account), TestResult> PartsOf(ControlResult control)
    {
        if (_parts is { } kept && kept.Control == control.Id)
            return kept.Parts;
        var parts = new Dictionary<(string Test, string Account), TestResult>();
        foreach (var part in after.Partitions(control))
            parts.TryAdd((part.Id, part.Partition.Account), part);
        _parts = (control.Id, parts);
        return parts;
    }

    private string? WhyGone(KnownItem item)
    {
        var definition = Find(after, item.Control) is { } control ? after.ControlOf(control, sources) : null;
        var (then, now) = (before.Results.Parameters, after.Results.Parameters);
        var isState = definition?.Tests.FirstOrDefault(t => t.Id == item.Test) is { } test && definition.ModeOf(test) == ControlMode.PointInTime;
        if (!isState && (now.PeriodStart > then.PeriodStart || now.PeriodEnd < then.PeriodEnd))
            return "the period of the later bundle does not cover that of the earlier one";
        foreach (var input in before.Index.Where(i => i.Target.Length == 0))
        {
            var name = input.Names.FirstOrDefault(n => n.Control == item.Control).Name;
            if (name is null || name == definition?.Waivers?.From)
                continue;
            if (after.Index.FirstOrDefault(i => i.Target.Length == 0 && i.Operation == input.Operation) is { } again && again.Items < input.Items)
                return $"the file {input.Operation} has {again.Items} rows instead of {input.Items}";
        }
        return null;
    }

    private IEnumerable<(ControlResult Before, ControlResult After)> Both() =>
        before.Results.Controls.Select(c => (c, Find(after, c.Id))).Where(c => c.Item2 is not null).Select(c => (c.c, c.Item2!));

    private static IEnumerable<ScopeChange> Parameters(ControlResult then, ControlResult now) => then.Parameters
        .Select(p => (Then: p, Now: now.Parameters.FirstOrDefault(n => n.Name == p.Name)))
        .Where(p => p.Now is not null && p.Then.Value.GetRawText() != p.Now.Value.GetRawText())
        .Select(p => new ScopeChange(now.Id, $"parameter {p.Then.Name}", Shown(p.Then), Shown(p.Now!)));

    private static string Shown(ParameterResult parameter) =>
        $"{parameter.Value.GetRawText()}{(parameter.By is { } by ? $" (set by {by}: {parameter.Why})" : "")}";

    private static ControlResult? Find(OpenedBundle bundle, string id) => bundle.Results.Controls.FirstOrDefault(c => c.Id == id);

    private static bool IsTested(ControlResult? control) => control is not null && control.Conclusion != Conclusion.NotApplicable;

    private static string WhyNotRun(OpenedBundle bundle, string id) => Find(bundle, id)?.NotApplicable?.Reason
        ?? bundle.Results.NotTested.FirstOrDefault(n => n.Id == id)?.Reason ?? "it is not in the bundle";

    private static ImmutableHashSet<(string Account, string Region)> Places(OpenedBundle bundle) =>
        [.. bundle.Index.Where(i => i.Target.Length > 0 && i.Account.Length > 0).Select(i => (i.Account, i.Region))];

    private static IEnumerable<string> Files(OpenedBundle bundle) =>
        bundle.Index.Where(i => i.Target.Length == 0).Select(i => i.Operation).Distinct(StringComparer.Ordinal);

    private static ImmutableHashSet<(string Name, string Account, string Region)> Asked(OpenedBundle bundle, string control, string account) =>
    [
        .. bundle.Index.Where(i => account == Partition.Everywhere || i.Target.Length == 0 || i.Account == account)
            .SelectMany(i => i.Names.Where(n => n.Control == control).Select(n => (n.Name, i.Account, i.Region))),
    ];

    private static (string, string, string, string, string, string) Key(ControlResult control, Limitation limitation) =>
        (control.Id, limitation.Evidence, limitation.Account, limitation.Region, limitation.Operation, limitation.Code);

    private static IEnumerable<(string Control, string Check, string Account, string Sides)> Disagreeing(OpenedBundle bundle, ControlResult control) => bundle
        .Partitions(control)
        .SelectMany(t => t.Completeness.Where(c => !c.Agree)
            .Select(c => (control.Id, c.Name, t.Partition.Account, $"{c.Left ?? "unknown"} against {c.Right ?? "unknown"}")))
        .Distinct();

    private static IEnumerable<(string Control, string Test, string Account, string Error)> Broken(OpenedBundle bundle, ControlResult control) =>
        bundle.Partitions(control).Where(t => t.Error is not null).Select(t => (control.Id, t.Id, t.Partition.Account, t.Error!));

    private static string Place(string target, string account, string region) =>
        string.Join(' ', new[] { target, account == target ? "" : account, region }.Where(p => p.Length > 0));
}
