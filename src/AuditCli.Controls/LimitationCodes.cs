using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>
/// The codes of limitations that evaluation itself finds, each written once. The codes of evidence that was not read are the collectors'.
/// </summary>
public static class LimitationCodes
{
    public const string AccountLeftOut = "AccountLeftOut";
    public const string ClockDiffers = "ClockDiffers";
    public const string ClockNotCompared = "ClockNotCompared";
    public const string Incomplete = "Incomplete";
    public const string NotCollected = "NotCollected";
    public const string OldAnswer = "OldAnswer";
    public const string StateReadAway = "StateReadAway";
    public const string TargetLeftOut = "TargetLeftOut";

    /// <summary>Every code, in their order.</summary>
    public static ImmutableArray<OwnCode> All { get; } =
    [
        new(AccountLeftOut, CodeKind.Excluded,
            "The engagement excludes an account of a target, and the test covers the whole engagement.",
            "Include the account, or accept that the test is not concluded."),
        new(ClockDiffers, CodeKind.Moment,
            "The collecting machine's clock differs from the servers' by more than the limit, so the time at which a state was read is uncertain.",
            "Set the clock of the machine, and run again."),
        new(ClockNotCompared, CodeKind.Moment,
            "No response carries the server's time, so it is not known whether the collecting machine's clock was right.",
            "Run again without the proxy that removes the Date header from responses."),
        new(Incomplete, CodeKind.Incomplete,
            "The table is marked as incomplete, and no reason is recorded.",
            "Look at the evidence with `auditcli show`."),
        new(NotCollected, CodeKind.Incomplete,
            "The control needs the evidence, but nothing was collected under its name for the account.",
            "Run again with the target, the operation or the input that the control names."),
        new(OldAnswer, CodeKind.Moment,
            "A response was older than tolerated when it arrived, is marked as out of date, or was changed in transit, "
            + "so the time at which a state was read is uncertain.",
            "Run again without the cache or proxy in between."),
        new(StateReadAway, CodeKind.Moment,
            "A state was read further from `as_of` than `as_of_tolerance` allows.",
            "Run at the time that the tests cover, or state another `as_of` or `as_of_tolerance`."),
        new(TargetLeftOut, CodeKind.Excluded,
            "`--target` left a target out of the run, and the test covers the whole engagement.",
            "Run again without `--target`."),
    ];
}
