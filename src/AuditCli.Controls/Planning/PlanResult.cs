using System.Collections.Immutable;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;

namespace AuditCli.Controls.Planning;

/// <summary>The command line's restriction of an engagement. Empty lists do not restrict it.</summary>
/// <param name="Controls">IDs and globs (<c>--control</c>).</param>
/// <param name="Targets">Names of targets (<c>--target</c>).</param>
public sealed record PlanFilter(ImmutableArray<string> Controls, ImmutableArray<string> Targets)
{
    /// <summary>The filter that selects the whole engagement.</summary>
    public static PlanFilter None { get; } = new([], []);

    /// <summary>A pack, whose controls run where there is a target for them; null for the whole engagement.</summary>
    public ControlPack? Pack { get; init; }
}

/// <summary>A control that the engagement declares not applicable; it concludes NOT_APPLICABLE.</summary>
public sealed record ControlLeftOut(Control Control, ControlOrigin Origin, NotApplicable Decision);

/// <summary>A table that stays empty although nothing failed, and why; reports print it with the control.</summary>
public sealed record PlanNote(string Control, string Evidence, string Text);

/// <summary>
/// The requests and controls of a run. Everything is ordered by ID or key, whatever the order of files, controls and targets.
/// </summary>
/// <param name="Controls">The controls that run.</param>
/// <param name="Faults">Usage errors; a plan with any must not be run.</param>
public sealed record PlanResult(
    CollectionPlan Plan,
    ImmutableArray<ControlInScope> Controls,
    ImmutableArray<ControlLeftOut> NotApplicable,
    ImmutableArray<PlanNote> Notes,
    ImmutableArray<Diagnostic> Faults);
