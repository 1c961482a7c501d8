using System.Collections.Immutable;

namespace AuditCli.Controls;

/// <summary>The parameters that exist in every control, as SQL names them without their dollar sign.</summary>
public static class ParameterNames
{
    public const string AsOf = "as_of";
    public const string PeriodStart = "period_start";
    public const string PeriodEnd = "period_end";

    /// <summary>
    /// When the first request for the partition's evidence was made, by the servers' clocks; NULL where no server was called.
    /// </summary>
    public const string ReadFrom = "read_from";

    /// <summary>When the last request for it was made.</summary>
    public const string ReadUntil = "read_until";

    /// <summary>The names that exist in every control.</summary>
    public static ImmutableSortedSet<string> Always { get; } = [AsOf, PeriodStart, PeriodEnd, ReadFrom, ReadUntil];

    /// <summary>Those whose values are the same for the whole engagement, and not another one for each control and partition.</summary>
    public static ImmutableSortedSet<string> OfEngagement { get; } = Always.Except([ReadFrom, ReadUntil]);
}
