using System.Collections.Immutable;

namespace AuditCli.Controls;

/// <summary>The tables that exist in every control, and that no evidence may be named like.</summary>
public static class TableNames
{
    public const string PeriodDays = "period_days";

    public static ImmutableArray<string> Always { get; } = [PeriodDays];
}
