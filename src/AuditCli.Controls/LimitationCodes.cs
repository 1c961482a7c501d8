namespace AuditCli.Controls;

/// <summary>The codes of limitations that evaluation itself finds.</summary>
public static class LimitationCodes
{
    /// <summary>Point-in-time evidence was read further from <c>as_of</c> than the engagement tolerates.</summary>
    public const string StateReadAway = "StateReadAway";

    /// <summary>
    /// The collecting machine's clock differs too much from the servers', so that the moment of a state is not certain.
    /// </summary>
    public const string ClockDiffers = "ClockDiffers";

    /// <summary>
    /// No response of the run has a date, so that it is unknown whether the collecting machine's clock was right.
    /// </summary>
    public const string ClockNotCompared = "ClockNotCompared";

    /// <summary>
    /// A response was older than tolerated on arrival, or is marked out of date or changed on the way, so that the moment of its
    /// state is not certain.
    /// </summary>
    public const string OldAnswer = "OldAnswer";

    /// <summary>
    /// A target of the engagement was left out of the run by <c>--target</c>, and the test concerns the whole engagement.
    /// </summary>
    public const string TargetLeftOut = "TargetLeftOut";

    /// <summary>An account of a target was left out by the engagement, and the test concerns the whole engagement.</summary>
    public const string AccountLeftOut = "AccountLeftOut";

    /// <summary>The partition has no such table although the control needs it.</summary>
    public const string NotCollected = "NotCollected";

    /// <summary>The table is marked as not complete, without a reason.</summary>
    public const string Incomplete = "Incomplete";
}
