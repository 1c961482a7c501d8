using AuditCli.Bundles;

namespace AuditCli.Diff;

/// <summary>What became of an exception from one bundle to a later one. In the order in which reports list them.</summary>
internal enum ExceptionState
{
    /// <summary>Open now, and in no bundle before.</summary>
    New,

    /// <summary>Open now, not open in the bundle before, and known from an earlier one or from an approval that no longer holds.</summary>
    Reappeared,

    StillOpen,

    /// <summary>It was open, and the later bundle cannot say: it saw less than the earlier one.</summary>
    SeenLess,

    /// <summary>It was open and is no exception now, but the control or its parameters changed, so that nobody need have fixed anything.</summary>
    OtherRule,

    /// <summary>It was open, and is approved now.</summary>
    Approved,

    /// <summary>It was open; the same control saw everything again, and it passes or is gone.</summary>
    Fixed,
}

/// <summary>An exception, and what became of it.</summary>
/// <param name="Row">As the later bundle has it, or the earlier one where the later has nothing.</param>
/// <param name="Why">What the state rests on; null where it needs no reason.</param>
internal sealed record ExceptionChange(ExceptionState State, KnownItem Row, string? Why);

/// <summary>An item that was an exception in one of the bundles, without its attributes: there may be very many.</summary>
internal sealed record KnownItem(string Id, string Control, string Test, string Target, string Account, string Item, string Verdict, string? Reason)
{
    private const string IndicatedVerdict = "indicated";

    public bool IsOpen => Verdict is "deviation" or IndicatedVerdict;

    /// <summary>Whether it was seen in evidence that does not allow to call it an exception.</summary>
    public bool IsIndicated => Verdict == IndicatedVerdict;

    public static KnownItem Of(PopulationRow row) => new(row.Id, row.Control, row.Test, row.Target, row.Account, row.Item, row.Word, row.Reason);
}

/// <summary>Something apart from exceptions that is not as it was.</summary>
/// <param name="Control">Which control it concerns; empty for the run as a whole.</param>
internal sealed record ScopeChange(string Control, string What, string? Before, string? After);
