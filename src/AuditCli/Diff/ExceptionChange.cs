using System.Collections.Immutable;
using AuditCli.Bundles;

namespace AuditCli.Diff;

/// <summary>The change of an exception from one bundle to a later one, in the order in which reports list them.</summary>
internal enum ExceptionState
{
    /// <summary>Open now, and in no earlier bundle.</summary>
    New,

    /// <summary>
    /// Open now, not open in the previous bundle, and known from an earlier one or from an approval that no longer holds.
    /// </summary>
    Reappeared,

    StillOpen,

    /// <summary>Was open; the later bundle cannot decide, because it read less than the earlier one.</summary>
    SeenLess,

    /// <summary>Was open and is not an exception now, but the control or its parameters changed, so nothing need have been fixed.</summary>
    OtherRule,

    /// <summary>Was open and is approved now.</summary>
    Approved,

    /// <summary>Was open; the same control read everything again, and the item passes or is gone.</summary>
    Fixed,
}

/// <summary>An exception and its change.</summary>
/// <param name="Row">The item in the later bundle, or in the earlier one if the later does not have it.</param>
/// <param name="Why">The reason for the state; null if it needs none.</param>
internal sealed record ExceptionChange(ExceptionState State, KnownItem Row, string? Why);

/// <summary>
/// An item that was an exception in one of the bundles. Attributes are left out to save memory, because there may be many items.
/// </summary>
/// <param name="Said">What a person makes of it, in the bundle that it is from; null if nobody said anything.</param>
internal sealed record KnownItem(
    string Id, string Control, string Test, string Target, string Account, string Item, string Verdict, string? Reason, string? Said)
{
    private const string IndicatedVerdict = "indicated";

    public bool IsOpen => Verdict is "deviation" or IndicatedVerdict;

    /// <summary>Whether it was found in evidence that is too incomplete to conclude that it is an exception.</summary>
    public bool IsIndicated => Verdict == IndicatedVerdict;

    /// <param name="said">What people make of the exceptions of the row's bundle, by exception id.</param>
    public static KnownItem Of(PopulationRow row, ImmutableDictionary<string, string> said) => new(
        row.Id, row.Control, row.Test, row.Target, row.Account, row.Item, row.Word, row.Reason, said.GetValueOrDefault(row.Id));
}

/// <summary>A change other than that of an exception.</summary>
/// <param name="Control">The control it concerns; empty for the run as a whole.</param>
internal sealed record ScopeChange(string Control, string What, string? Before, string? After);
