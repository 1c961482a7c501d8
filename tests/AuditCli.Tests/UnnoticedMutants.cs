using System.Collections.Immutable;

namespace AuditCli.Tests;

/// <summary>Places in the SQL of shipped controls whose opposite no fixture notices, each with the reason why none can.</summary>
internal static class UnnoticedMutants
{
    public static ImmutableArray<(string Place, string Reason)> Listed { get; } = [];
}
