using System.Collections.Immutable;

namespace AuditCli.Tests;

/// <summary>Places in the SQL of shipped controls whose opposite no fixture notices, each with the reason why none can.</summary>
internal static class UnnoticedMutants
{
    private const string NoNeed = "a right that meets no need is a row without a need's name, and only names are counted";

    public static ImmutableArray<(string Place, string Reason)> Listed { get; } =
    [
        ("APD-K8S-001 T1 line 9: e AS need FROM rights r [JOIN -> LEFT JOIN] needs n ON (r.verb IN ('*',", NoNeed),
        ("APD-K8S-001 T2 line 9: e AS need FROM rights r [JOIN -> LEFT JOIN] needs n ON (r.verb IN ('*',", NoNeed),
        ("INF-AWS-001 T3 line 20: .permissions FROM buckets l [LEFT JOIN -> JOIN] acl_grants__calls c ON c._w",
            "a call is made for each bucket, so that no bucket is without one"),
    ];
}
