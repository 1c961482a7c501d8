using System.Collections.Immutable;

namespace AuditCli.Tests;

/// <summary>
/// Places in the SQL of shipped controls whose opposite no fixture notices, by the words around them, each with the reason why none can. They are
/// without the line, which every change above them moves.
/// </summary>
internal static class UnnoticedMutants
{
    private const string NoNeed = "a right that meets no need is a row without a need's name, and only names are counted";

    private const string OfItself = "each row of the first table is made of rows of the second, so that none is without one";

    public static ImmutableArray<(string Place, string Reason)> Listed { get; } =
    [
        ("APD-AWS-004 T1 L::BOOLEAN FROM users u [JOIN -> LEFT JOIN] access_keys__calls c ON c._",
            "a user whose keys were not read makes the test inconclusive with this row and without it"),
        ("APD-K8S-001 T1 e AS need FROM rights r [JOIN -> LEFT JOIN] needs n ON (r.verb IN ('*',", NoNeed),
        ("APD-K8S-001 T2 e AS need FROM rights r [JOIN -> LEFT JOIN] needs n ON (r.verb IN ('*',", NoNeed),
        ("APD-K8S-001 T1 verywhere FROM scopes s [JOIN -> LEFT JOIN] holdings h ON h.subject_kin", OfItself),
        ("APD-K8S-001 T2 verywhere FROM scopes s [JOIN -> LEFT JOIN] holdings h ON h.subject_kin", OfItself),
        ("APD-XSR-001 T2 spended_at) FROM deltas d [JOIN -> LEFT JOIN] addresses a ON a.name = (d.",
            "every member of a change is among the addresses, and a change without one names nobody either way"),
        ("INF-K8S-002 T1 s.entry FROM current c [JOIN -> LEFT JOIN] selectors s ON s.namespace",
            "what no entry of the register names has no labels to agree with, and the HAVING after the join leaves it out"),
    ];
}
