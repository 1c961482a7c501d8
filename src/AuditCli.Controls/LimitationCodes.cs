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
            "The engagement leaves out an account of a target, and the test concerns the whole engagement.",
            "Include the account, or accept that the test is not concluded."),
        new(ClockDiffers, CodeKind.Moment,
            "The collecting machine's clock differs from the servers' by more than is tolerated, so the moment of a state is not certain.",
            "Set the clock of the machine, and run again."),
        new(ClockNotCompared, CodeKind.Moment,
            "No response says what time the server had, so it is not known whether the collecting machine's clock was right.",
            "Run again without the proxy that removes the Date of responses."),
        new(Incomplete, CodeKind.Incomplete,
            "The table is marked as not complete, and no reason is recorded.",
            "Look at the evidence with `auditcli show`."),
        new(NotCollected, CodeKind.Incomplete,
            "The control needs the evidence, and nothing was collected under its name for the account.",
            "Run again with the target, the operation or the input that the control names."),
        new(OldAnswer, CodeKind.Moment,
            "A response was older than is tolerated when it came, is out of date or was changed on its way, so the moment of a state is not certain.",
            "Run again without the cache or proxy in between."),
        new(StateReadAway, CodeKind.Moment,
            "A state was read further from `as_of` than the engagement tolerates.",
            "Run at the moment that the tests concern, or state another `as_of` or `as_of_tolerance`."),
        new(TargetLeftOut, CodeKind.Excluded,
            "`--target` left a target out of the run, and the test concerns the whole engagement.",
            "Run again without `--target`."),
    ];
}
