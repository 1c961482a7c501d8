using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>What the command line leaves of an engagement. Empty lists leave everything.</summary>
/// <param name="Controls">Ids and globs (<c>--control</c>).</param>
/// <param name="Targets">Names (<c>--target</c>).</param>
public sealed record PlanFilter(ImmutableArray<string> Controls, ImmutableArray<string> Targets)
{
    /// <summary>The whole engagement.</summary>
    public static PlanFilter None { get; } = new([], []);

    /// <summary>A pack, whose controls run where there is a target for them; null for all of the engagement.</summary>
    public ControlPack? Pack { get; init; }
}

/// <summary>A control that the engagement declares not applicable; it concludes NOT_APPLICABLE.</summary>
public sealed record ControlLeftOut(Control Control, ControlOrigin Origin, NotApplicable Decision);

/// <summary>A table that stays empty although nothing failed, and why; reports print it with the control.</summary>
public sealed record PlanNote(string Control, string Evidence, string Text);

/// <summary>
/// What a run will ask and evaluate. Everything is ordered by id or key, whatever the order of files, controls and targets.
/// </summary>
/// <param name="Controls">Those that run.</param>
/// <param name="Faults">Usage errors: with any, the plan must not be run.</param>
public sealed record PlanResult(
    CollectionPlan Plan,
    ImmutableArray<ControlInScope> Controls,
    ImmutableArray<ControlLeftOut> NotApplicable,
    ImmutableArray<PlanNote> Notes,
    ImmutableArray<Diagnostic> Faults);
