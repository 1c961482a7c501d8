using System.Collections.Immutable;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Planning;

/// <summary>
/// Decides which controls run on which targets and which requests they need, each distinct request once. It is pure: no file,
/// clock or network.
/// </summary>
public sealed class Planner
{
    private readonly Engagement _engagement;
    private readonly DateTimeOffset _now;
    private readonly PlanFilter _filter;
    private readonly ImmutableArray<Target> _targets;
    private readonly ImmutableDictionary<string, EvidenceSource> _sources;
    private readonly YamlPosition _top;
    private readonly YamlMap? _root;
    private readonly FaultList _faults = new();
    private readonly List<NotTested> _notTested = [];
    private readonly List<PlanNote> _notes = [];
    private readonly RequestMerger _merger = new();

    private Planner(Engagement engagement, string file, ImmutableArray<EvidenceSource> sources, PlanFilter filter, DateTimeOffset now)
    {
        _engagement = engagement;
        _now = now;
        _filter = filter;
        _sources = sources.ToImmutableDictionary(s => s.Name, StringComparer.Ordinal);
        _top = new(file, 1, 1);
        _root = engagement.Tree;
        _targets = [.. engagement.Targets.Where(t => filter.Targets.IsEmpty || filter.Targets.Contains(t.Name))];
    }

    /// <summary>Creates the plan; usage errors are in its <see cref="PlanResult.Faults"/>.</summary>
    /// <param name="file">The engagement's file as messages print it.</param>
    /// <param name="library">Every control of the library, loaded against the same <paramref name="sources"/>.</param>
    /// <param name="now">The moment of states where the engagement does not state one.</param>
    /// <exception cref="ArgumentException">A control needs a source or operation that <paramref name="sources"/> do not have.</exception>
    public static PlanResult Plan(
        Engagement engagement, string file, ImmutableArray<LoadedControl> library, ImmutableArray<EvidenceSource> sources, PlanFilter filter,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(engagement);
        ArgumentNullException.ThrowIfNull(filter);
        return new Planner(engagement, file, sources, filter, now).Plan([.. library.OrderBy(c => c.Control.Id, StringComparer.Ordinal)]);
    }

    private PlanResult Plan(ImmutableArray<LoadedControl> library)
    {
        CheckFilter(library);
        var running = ImmutableArray.CreateBuilder<ControlInScope>();
        var leftOut = ImmutableArray.CreateBuilder<ControlLeftOut>();
        foreach (var (control, origin, _, _) in library)
        {
            var decision = _engagement.NotApplicable.FirstOrDefault(n => n.Control == control.Id);
            if (decision is null && !Included(control.Id))
                continue;
            var refused = decision is null ? null : Refused(decision);
            if (!_filter.Controls.IsEmpty && !_filter.Controls.Any(c => IdGlob.Matches(c, control.Id)))
                _notTested.Add(new(control.Id, NotTestedReasons.NotSelected));
            else if (_filter.Pack is { } pack && !pack.Controls.Contains(control.Id))
                _notTested.Add(new(control.Id, NotTestedReasons.NotInPack(pack.Name)));
            else if (decision is not null && refused is null)
                leftOut.Add(new(control, origin, decision));
            else if (Runs(control))
                running.Add(new(control, origin, Parameters(control))
                {
                    LeftOut = TargetsLeftOut(control),
                    Preparer = _engagement.Preparer,
                    RefusedDecision = refused,
                });
        }
        foreach (var target in _engagement.Targets.Except(_targets))
            _notTested.Add(new(target.Name, NotTestedReasons.TargetLeftOut));
        // A begun engagement has neither yet, and why each control cannot run would hide the one thing to do.
        if (running.Count + leftOut.Count + _faults.Count == 0 && _engagement.Targets.IsEmpty && _engagement.Inputs.IsEmpty)
            _faults.Meaning(_root?.Find("targets")?.Position ?? _top, "no target yet: name one under targets:");
        foreach (var scope in running)
            Ask(scope.Control);
        var plan = new CollectionPlan(_merger.Requests(), _merger.Inputs(),
            [.. _notTested.OrderBy(n => n.Id, StringComparer.Ordinal)]);
        return new(plan, running.ToImmutable(), leftOut.ToImmutable(), [.. _notes], _faults.InOrder());
    }

    /// <summary>Returns why a decision to leave a control out is refused; null where it is valid.</summary>
    private RefusedDecision? Refused(NotApplicable decision) => WhyRefused(_engagement, decision, _engagement.AsOf ?? _now) is { } why
        ? new(decision.Reason, decision.ApprovedBy, decision.ApprovedOn, why)
        : null;

    /// <summary>Returns why a decision is refused at a moment; null where it is valid.</summary>
    internal static string? WhyRefused(Engagement engagement, NotApplicable decision, DateTimeOffset asOf) =>
        PersonName.WhyNot(decision.ApprovedBy.Trim()) is not null ? "it names no approver"
        : Filler.GivesNoReason(decision.Reason) ? "it gives no reason"
        : PersonName.MayBe(decision.ApprovedBy, engagement.Preparer) ? "the preparer of the engagement approved it"
        : decision.ApprovedOn > DateOnly.FromDateTime(asOf.UtcDateTime) ? "it was approved after as_of"
        : null;

    private ImmutableArray<LeftOutPlace> TargetsLeftOut(Control control)
    {
        const string message = "left out by --target, so none of it was read";
        return
        [
            .. _engagement.Targets.Except(_targets).Where(t => control.Evidence.All(e => e.Source != t.Source) || control.Evidence.Any(e => Has(t, e)))
                .Select(t => new LeftOutPlace(t.Source, t.Name, "", LimitationCodes.TargetLeftOut, message)),
        ];
    }

    private bool Included(string id) => Includes(_engagement, id);

    /// <summary>Whether the engagement selects a control.</summary>
    internal static bool Includes(Engagement engagement, string id) => engagement.Include.IsEmpty || engagement.Include.Any(i => IdGlob.Matches(i, id));

    private bool NamedExactly(string id) => _engagement.Include.Contains(id) || _filter.Controls.Contains(id);

    private void CheckFilter(ImmutableArray<LoadedControl> library)
    {
        var ids = library.Select(c => c.Control.Id).ToImmutableArray();
        foreach (var wanted in _filter.Controls)
        {
            var matched = ids.Where(id => IdGlob.Matches(wanted, id)).ToImmutableArray();
            if (matched.IsEmpty)
                _faults.Meaning(_top, $"--control {ControlLibrary.NoSuch(wanted, ids)}");
            else if (!matched.Any(id => Included(id) || _engagement.NotApplicable.Any(n => n.Control == id)))
                _faults.Meaning(_top, $"--control {wanted}: the engagement does not include it; add it to 'controls: include'");
        }
        var targets = _engagement.Targets.Select(t => t.Name).ToImmutableArray();
        foreach (var wanted in _filter.Targets.Where(t => !targets.Contains(t)))
            _faults.Meaning(_top, $"--target {wanted}: the engagement has no such target{NearMiss.Hint(wanted, targets)}");
    }

    /// <summary>
    /// Whether the control can be tested here. If not, it is a usage error when the control was named exactly, else it is
    /// reported as not tested.
    /// </summary>
    private bool Runs(Control control)
    {
        if (control.Status == "retired")
            return Not(control, NotTestedReasons.Retired(control.ReplacedBy));
        var notes = new List<PlanNote>();
        foreach (var need in control.Evidence)
        {
            if (need.IsFile)
            {
                if (_engagement.Inputs.Any(i => i.Name == need.Operation))
                    continue;
                if (!need.Optional)
                    return Not(control, NotTestedReasons.NoInput(need.Operation, need.Name),
                        $"; add '{need.Operation}' to 'inputs', with the columns {string.Join(", ", need.Columns.Select(c => c.Name))}");
                notes.Add(new(control.Id, need.Name, $"input '{need.Operation}' was not supplied; the table is empty"));
            }
            else if (!_targets.Any(t => Has(t, need)))
            {
                // An empty table would claim "nothing there" for targets that are only left out of this run.
                var which = _engagement.Targets.Any(t => t.Source == need.Source && !Has(t, need))
                    ? $"target of source {need.Source} that has {need.Operation}"
                    : $"target of source {need.Source}";
                if (_engagement.Targets.Any(t => Has(t, need)))
                {
                    _notTested.Add(new(control.Id, NotTestedReasons.EveryLeftOut(which)));
                    return false;
                }
                if (!need.IfTarget)
                    return Not(control, NotTestedReasons.None(which), $"; add one to 'targets', or take {control.Id} out of 'include'");
                notes.Add(new(control.Id, need.Name, $"not in scope: the engagement has no {which}; the table is empty"));
            }
        }
        if (control.Evidence.Any(e => !e.IsFile) && control.Evidence.All(e => e.IsFile || !_targets.Any(t => Has(t, e))))
        {
            var sources = control.Evidence.Where(e => !e.IsFile).Select(e => e.Source).Distinct();
            return Not(control, NotTestedReasons.None($"target of source {string.Join(" or ", sources)}"));
        }
        _notes.AddRange(notes.OrderBy(n => n.Evidence, StringComparer.Ordinal));
        return true;
    }

    private bool Not(Control control, string reason, string advice = "")
    {
        if (NamedExactly(control.Id))
            _faults.Meaning(WhereNamed(control.Id), $"{control.Id} cannot be tested: {reason}{advice}");
        else
            _notTested.Add(new(control.Id, reason));
        return false;
    }

    private YamlPosition WhereNamed(string id)
    {
        var include = (_root?.Find("controls") as YamlMap)?.Find("include") as YamlList;
        return include?.Items.FirstOrDefault(i => i is YamlScalar scalar && scalar.Text == id)?.Position ?? _top;
    }

    private ImmutableArray<EffectiveParameter> Parameters(Control control) =>
    [
        .. control.Parameters.Select(p => _engagement.ParameterOverrides.FirstOrDefault(o => o.Control == control.Id && o.Parameter == p.Name) is { } changed
            ? EffectiveParameter.Of(p) with { Value = changed.Value, By = changed.By, Why = changed.Why }
            : EffectiveParameter.Of(p)),
    ];

    private void Ask(Control control)
    {
        foreach (var need in control.Evidence)
        {
            if (need.IsFile)
            {
                if (_engagement.Inputs.Any(i => i.Name == need.Operation))
                    _merger.Add(control.Id, need, control.Waivers is { } rule && rule.From == need.Name ? rule.Columns : []);
                continue;
            }
            foreach (var target in _targets.Where(t => Has(t, need)))
                Ask(control, need, target.Name);
        }
    }

    /// <summary>Adds the request after its parents, and returns its digest.</summary>
    private Digest Ask(Control control, EvidenceNeed need, string target)
    {
        Digest? parent = need.ForEach is { } name ? Ask(control, control.Evidence.Single(e => e.Name == name), target) : null;
        var inPeriod = MomentWords.In(
            need.Params, (MomentWords.PeriodStart, _engagement.Period.StartsAt), (MomentWords.PeriodEnd, _engagement.Period.EndsBefore));
        return _merger.Add(control.Id, need with { Params = inPeriod }, Find(need), target, parent);
    }

    private bool Has(Target target, EvidenceNeed need) =>
        target.Source == need.Source && _sources[need.Source].Has(target, Find(need), need.Params);

    private Operation Find(EvidenceNeed need) => _sources.GetValueOrDefault(need.Source)?.FindOperation(need.Operation)
        ?? throw new ArgumentException($"the sources have no {need.Source} operation '{need.Operation}', which a loaded control needs");
}
