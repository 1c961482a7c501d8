using System.Collections.Immutable;

namespace AuditCli.Tests.Libraries;

/// <summary>
/// Lists places in the SQL of shipped controls whose inversion no fixture can detect, each with the reason. Places are identified by the
/// words around them and not by line numbers, which every edit above would change.
/// </summary>
internal static class UnnoticedMutants
{
    private const string NoNeed = "a right that meets no need is a row without a need's name, and only names are counted";
    private const string OfItself = "each row of the first table is made of rows of the second, so that none is without one";
    private const string NoSubject = "a name that nothing in the cluster has is a row without a subject, to which no right and no administrator belongs";
    private const string NoPerson = "what belongs to no person of the identity map is joined with no leaver";
    private const string OnePriority = "no two rules of one policy have the same priority, and of the network's own the next line decides";
    private const string NoOpening = "a row for no opening names no port, and so closes none";

    private const string WithoutZones = "the two counts differ only for a region whose zones were not read, and T1 and T3 leave that region undetermined";

    public static ImmutableArray<(string Place, string Reason)> Listed { get; } =
    [
        ("APD-K8S-001 T1 e AS need FROM rights r [JOIN -> LEFT JOIN] needs n ON (r.verb IN ('*',", NoNeed),
        ("APD-K8S-001 T1 need FROM memberships m [JOIN -> LEFT JOIN] granted g ON g.subject_kind", NoNeed),
        ("APD-K8S-001 T2 need FROM memberships m [JOIN -> LEFT JOIN] granted g ON g.subject_kind", NoNeed),
        ("APD-K8S-001 T1 verywhere FROM scopes s [JOIN -> LEFT JOIN] holdings h ON h.subject_kin", OfItself),
        ("APD-K8S-001 T2 h.itself FROM scopes s [JOIN -> LEFT JOIN] holdings h ON h.subject_kin", OfItself),
        ("APD-K8S-001 T2 n.subject FROM called c [JOIN -> LEFT JOIN] names n ON (n.subject_kind", NoSubject),
        ("APD-K8S-001 T2 subject FROM patterns p [JOIN -> LEFT JOIN] names n ON (n.subject_kind", NoSubject),
        ("APD-K8S-001 T2 n.subject FROM mapped m [JOIN -> LEFT JOIN] names n ON n.subject_kind =", NoSubject),
        ("APD-K8S-001 T2 , g.need FROM callers c [JOIN -> LEFT JOIN] reached r ON r.item = c.ite", OfItself),
        ("APD-K8S-001 T2 at FROM caller_scopes s [JOIN -> LEFT JOIN] caller_rights r ON r.item =", OfItself),
        ("APD-XSR-001 completeness 1 equals T count(*) FROM aws_users u [JOIN -> LEFT JOIN] aws_report r ON r._account",
            "the WHERE after it asks for a column of the second table"),
        ("APD-XSR-001 T1 name FROM identity_map x [JOIN -> LEFT JOIN] addresses a ON a.name = x.n", OfItself),
        ("APD-XSR-001 T2 name FROM identity_map x [JOIN -> LEFT JOIN] addresses a ON a.name = x.n", OfItself),
        ("APD-XSR-001 T1 L, '' FROM gcp_bindings g [JOIN -> LEFT JOIN] addresses a ON a.name = g.m", OfItself),
        ("APD-XSR-001 T1 n.how FROM identities i [JOIN -> LEFT JOIN] names n ON n.key = i.key", NoPerson),
        ("APD-XSR-001 T1 ')' AS words FROM hits h [JOIN -> LEFT JOIN] identities i ON i.handle =", OfItself),
        ("APD-XSR-001 T2 spended_at) FROM deltas d [JOIN -> LEFT JOIN] addresses a ON a.name = (d.",
            "every member of a change is among the addresses, and a change without one names nobody either way"),
        ("APD-XSR-001 T2 on FROM last_removals i [JOIN -> LEFT JOIN] names n ON n.key = i.key", NoPerson),
        ("APD-XSR-001 T2 tion FROM last_removals i [JOIN -> LEFT JOIN] mapped m ON m.store = i.sto", NoPerson),
        ("APD-XSR-001 T3 u.last_used FROM users u [JOIN -> LEFT JOIN] names n ON n.key = u.key LE", NoPerson),
        ("APD-XSR-001 T3 e, u.last_used FROM users u [JOIN -> LEFT JOIN] mapped m ON m.name IN (u.ke", NoPerson),
        ("INF-AWS-002 T1 ort, e.Cidr FROM listed l [JOIN -> LEFT JOIN] prefix_lists e ON e._with_P",
            "a list without entries covers nothing, and has no name by which it would be unread"),
        ("INF-AWS-002 T1 S ends FROM raw_entries r [JOIN -> LEFT JOIN] wanted w ON r.protocol IN (", NoOpening),
        ("INF-AWS-002 T1 AS action FROM pieces p [JOIN -> LEFT JOIN] entries e ON e._region = p.",
            "a piece that no entry matches has no action, and only allowed ones are counted"),
        ("INF-AWS-002 T1 AS share FROM guards g [JOIN -> LEFT JOIN] (SELECT DISTINCT r._region,",
            "the join after it asks for the family, which such a row has not"),
        ("INF-AWS-002 T1 ND k.NetworkAclId = g.acl [JOIN -> LEFT JOIN] opened o ON o._region = g._", NoOpening),
        ("INF-GCP-001 T1 ]') FROM policy_rules p [JOIN -> LEFT JOIN] (SELECT q.called, count(DIS", OfItself),
        ("INF-GCP-001 T1 y = d.policy AND g.priority [< -> <=] d.priority AND g.action = '", OnePriority),
        ("INF-GCP-001 T1 y = w.policy AND s.priority [< -> <=] w.priority OR s.sh", OnePriority),
        ("INF-GCP-001 T1 '), (rule->'sourceRanges'), [false -> TRUE], coalesce(json_arr",
            "a denial stops a door only by the share that it surely covers, which sources that were not read do not change"),
        ("INF-K8S-002 T1 ner) WHERE p.kind = 'Pod' [AND -> OR] owner IS NOT NULL GROUP B",
            "what is no pod and has an owner is a row only while its owner was not read, and then nothing asks for the owner's system"),
        ("INF-K8S-002 T1 s.entry FROM current c [JOIN -> LEFT JOIN] selectors s ON s.namespace",
            "what no entry of the register names has no labels to agree with, and the HAVING after the join leaves it out"),
        ("LOG-AWS-001 completeness 0 equals ons, ','), r.RegionName)) [AND -> OR] (r.RegionName IN (SELECT z.", WithoutZones),
        ("LOG-AWS-001 completeness 0 equals unt) OR r.RegionName [IN -> NOT IN] (SELECT x._region FROM stop", WithoutZones),
    ];
}
