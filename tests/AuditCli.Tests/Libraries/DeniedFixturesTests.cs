using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Libraries;

namespace AuditCli.Tests.Libraries;

/// <summary>
/// Repeats every case of every shipped control with one piece of evidence at a time refused, throttled, cut off or empty. This must not
/// produce a pass or an exception, and exceptions that other evidence shows must remain.
/// </summary>
public sealed class DeniedFixturesTests
{
    /// <summary>
    /// Evidence without which a deviation of some case cannot be found, because it is the population or the only source of the fact. A
    /// refusal of any other evidence must leave the deviations visible.
    /// </summary>
    private static readonly ImmutableSortedSet<string> OnlySource =
    [
        "APD-AWS-001 account_summary", "APD-AWS-001 credential_report", "APD-AWS-001 root_events", "APD-AWS-001 virtual_devices",
        "APD-AWS-002 credential_report", "APD-AWS-002 login_profiles", "APD-AWS-002 mfa_devices", "APD-AWS-002 users",
        "APD-AWS-004 access_keys", "APD-AWS-004 users", "APD-AWS-006 auth_details", "APD-GCP-001 bindings",
        "APD-GCP-002 activities", "APD-GCP-002 keys", "APD-GCP-002 service_accounts", "APD-K8S-001 mappings", "APD-K8S-001 rights",
        "APD-K8S-004 rights", "APD-XSR-001 aws_changed_keys", "APD-XSR-001 aws_deleted_keys",
        "APD-XSR-001 aws_deleted_passwords", "APD-XSR-001 aws_deleted_users",
        "APD-XSR-001 aws_directory_users", "APD-XSR-001 aws_identity_centers", "APD-XSR-001 aws_report", "APD-XSR-001 aws_service_credentials",
        "APD-XSR-001 aws_ssh_keys", "APD-XSR-001 aws_users", "APD-XSR-001 gcp_bindings", "APD-XSR-001 gcp_policy_changes",
        "APD-XSR-001 kubernetes_bindings", "APD-XSR-001 kubernetes_cluster_bindings",
        "INF-AWS-001 account_block", "INF-AWS-001 acl_grants", "INF-AWS-001 bucket_block", "INF-AWS-001 buckets",
        "INF-AWS-001 caller", "INF-AWS-001 policy_status",
        "INF-AWS-002 managed_prefix_lists", "INF-AWS-002 prefix_lists", "INF-AWS-002 security_groups", "INF-GCP-001 effective_firewalls",
        "INF-GCP-001 firewalls", "INF-GCP-001 instances", "INF-GCP-001 networks", "INF-GCP-001 regional_policies", "INF-GCP-001 regional_policy_list",
        "INF-GCP-001 regions", "INF-K8S-002 containers", "INF-K8S-002 persistent_volume_claims", "INF-K8S-002 persistent_volumes",
        "LOG-AWS-001 delete_events", "LOG-AWS-001 enabled_regions", "LOG-AWS-001 event_selectors", "LOG-AWS-001 organization_updates",
        "LOG-AWS-001 selector_events", "LOG-AWS-001 stop_events", "LOG-AWS-001 trail_status", "LOG-AWS-001 trails",
        "LOG-AWS-001 update_events",
    ];

    private const string InHistory = "the event history is the one place where what was done is written";

    /// <summary>Evidence that no other source of the control can contradict when a provider returns an empty answer, and why.</summary>
    private static readonly ImmutableSortedDictionary<string, string> BelievedWhenEmpty = ImmutableSortedDictionary<string, string>.Empty
        .Add("APD-AWS-001 root_events", "the event history is the one place where a use of root is written; the report is compared with it where it can be")
        .Add("APD-AWS-001 virtual_devices", "the account summary counts a device of root and does not tell a virtual one from another")
        .Add("APD-XSR-001 aws_changed_keys", InHistory)
        .Add("APD-XSR-001 aws_deleted_keys", InHistory)
        .Add("APD-XSR-001 aws_deleted_passwords", InHistory)
        .Add("APD-XSR-001 aws_deleted_users", InHistory)
        .Add("APD-XSR-001 aws_directory_users", "nothing else lists the users of Identity Center")
        .Add("APD-XSR-001 aws_identity_centers", "nothing else says which directories an account has, and most have none")
        .Add("APD-XSR-001 aws_service_credentials", "nothing else lists a user's service-specific credentials, and most users have none")
        .Add("APD-XSR-001 aws_ssh_keys", "nothing else lists a user's SSH keys, and most users have none")
        .Add("APD-XSR-001 gcp_bindings", "a project whose access is all granted above it has no binding of its own")
        .Add("APD-XSR-001 gcp_policy_changes", "the audit log is the one place where it is written that a role was taken away")
        .Add("APD-XSR-001 kubernetes_bindings", "nothing else lists the bindings of a namespace")
        .Add("APD-XSR-001 kubernetes_cluster_bindings", "nothing else lists the bindings of a cluster")
        .Add("INF-AWS-001 acl_grants", "nothing else tells what the access list of a bucket grants")
        .Add("INF-AWS-001 buckets", "there is no second list of an account's buckets")
        .Add("INF-GCP-001 instances", "addresses are written at the instances alone")
        .Add("LOG-AWS-001 stop_events", InHistory)
        .Add("LOG-AWS-001 delete_events", InHistory)
        .Add("LOG-AWS-001 update_events", InHistory)
        .Add("LOG-AWS-001 organization_updates", InHistory)
        .Add("INF-AWS-002 prefix_lists", "a list of prefixes may be empty, and nothing else tells its entries")
        .Add("LOG-AWS-001 selector_events", InHistory)
        .Add("APD-GCP-002 keys", "nothing else lists the keys of a service account; an account without keys answers with nothing")
        .Add("APD-K8S-001 mappings", "aws-auth is the one place where it is written, and most clusters have none")
        .Add("INF-GCP-001 effective_firewalls", "a network without policies and without rules answers with nothing")
        .Add("INF-GCP-001 regional_policy_list", "a region without policies answers with nothing, and nothing else names its policies")
        .Add("INF-GCP-001 regions", "nothing else lists the regions that a project can have policies in")
        .Add("INF-K8S-002 containers", "pods and objects of other kinds than deployments, stateful sets and daemon sets are listed nowhere else");

    public static TheoryData<string> ShippedControls => [.. ShippedLibrary.Ids];

    [Theory]
    [MemberData(nameof(ShippedControls))]
    public async Task A_refusal_makes_no_pass_and_no_deviation(string id)
    {
        var (control, fixtures) = Load(id);
        using var ready = new ControlEvaluation(control, clean: null);
        var wrong = new List<string>();
        foreach (var (fixture, evidence, denied, how) in EachWay(Denials(control, fixtures), d => (d.Evidence, d.How), d => d.Case))
        {
            var (conclusion, deviations, indicated) = await ConcludedAsync(ready, control, denied);
            var where = $"'{fixture.Name}' with {evidence} {how}";
            if (conclusion is Conclusion.Pass or Conclusion.NoOccurrence)
                wrong.Add($"{where}: {conclusion}");
            if (deviations.Except(fixture.Expect.Deviations).ToArray() is { Length: > 0 } made)
                wrong.Add($"{where}: made {string.Join(", ", made)}");
            if (fixture.Expect.Conclusion == Conclusion.Fail && deviations.IsEmpty && indicated.IsEmpty && !OnlySource.Contains($"{id} {evidence}"))
                wrong.Add($"{where}: nothing is said of {string.Join(", ", fixture.Expect.Deviations)}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [MemberData(nameof(ShippedControls))]
    public async Task An_empty_answer_hides_no_deviation_that_another_source_can_tell(string id)
    {
        var (control, fixtures) = Load(id);
        using var ready = new ControlEvaluation(control, clean: null);
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (fixture, evidence, emptied) in EachWay(EmptyAnswers(control, fixtures), e => (e.Evidence, ""), e => e.Case))
        {
            var (conclusion, _, _) = await ConcludedAsync(ready, control, emptied);
            if (conclusion is Conclusion.Pass or Conclusion.NoOccurrence && !BelievedWhenEmpty.ContainsKey($"{id} {evidence}"))
                wrong.Add($"{id} {evidence}: '{fixture.Name}' becomes {conclusion}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    internal static (Control Control, FixtureFile Fixtures) Load(string id)
    {
        var loaded = ChosenLibrary.Load(null, AuditCommand.Host(Path.GetTempPath())).Controls.Single(c => c.Control.Id == id);
        var (fixtures, faults) = FixtureLoader.Load(loaded.Fixtures!, loaded.Control);
        Assert.True(faults.IsEmpty, string.Join('\n', faults));
        return (loaded.Control, fixtures!);
    }

    /// <summary>
    /// Returns, for each evidence and each way in which it can lack, one case, one that passes if there is any; <c>.ci/long</c> tries all cases.
    /// </summary>
    private static IEnumerable<T> EachWay<T>(IEnumerable<T> all, Func<T, (string Evidence, string How)> of, Func<T, FixtureCase> from) => LongRun.IsWhole
        ? all
        : all.GroupBy(of).Select(g => g.OrderByDescending(t => from(t).Expect.Conclusion == Conclusion.Pass).First());

    private static IEnumerable<(FixtureCase Case, string Evidence, FixtureCase Denied, string How)> Denials(Control control, FixtureFile fixtures)
    {
        // Only cases with a conclusion are tried. Refusing evidence of a case that is already inconclusive would show nothing more.
        foreach (var fixture in fixtures.Cases.Where(c => c.Expect.Conclusion is Conclusion.Pass or Conclusion.Fail or Conclusion.NoOccurrence))
        {
            foreach (var partition in fixture.Partitions.Where(p => !p.Evidence.IsEmpty))
            {
                foreach (var need in control.Evidence.Where(n => !n.IsFile && partition.Evidence.ContainsKey(n.Name)))
                {
                    foreach (var (code, how) in new[] { ("AccessDenied", "refused"), ("Throttling", "throttled") })
                    {
                        var refused = Below(control, need)
                            .ToImmutableSortedDictionary(n => n.Name, _ => new FixtureTable([], CollectionOutcome.Failed, code, []));
                        yield return (fixture, need.Name, With(fixture, partition, refused), how);
                    }
                    if (partition.Evidence[need.Name] is { Rows.IsEmpty: false, Calls.IsEmpty: true } whole)
                        yield return (fixture, need.Name, With(fixture, partition, CutOff(need, whole)), "cut off");
                    if (OneCall(need, partition.Evidence[need.Name]) is { } table)
                    {
                        var one = ImmutableSortedDictionary<string, FixtureTable>.Empty.Add(need.Name, table);
                        yield return (fixture, need.Name, With(fixture, partition, one), "refused for one parent");
                    }
                }
            }
        }
    }

    private static IEnumerable<(FixtureCase Case, string Evidence, FixtureCase Emptied)> EmptyAnswers(Control control, FixtureFile fixtures) =>
        from fixture in fixtures.Cases.Where(c => c.Expect.Conclusion == Conclusion.Fail)
        from partition in fixture.Partitions
        from need in control.Evidence.Where(n => !n.IsFile && partition.Evidence.TryGetValue(n.Name, out var table) && !table.Rows.IsEmpty)
        let emptied = Below(control, need).ToImmutableSortedDictionary(n => n.Name, _ => new FixtureTable([], CollectionOutcome.Complete, null, []))
        select (fixture, need.Name, With(fixture, partition, emptied));

    /// <summary>Keeps the first half of the rows, as when one of several pages was refused.</summary>
    private static ImmutableSortedDictionary<string, FixtureTable> CutOff(EvidenceNeed need, FixtureTable table) =>
        ImmutableSortedDictionary<string, FixtureTable>.Empty.Add(
            need.Name, new([.. table.Rows.Take(table.Rows.Length / 2)], CollectionOutcome.Incomplete, "Throttling", []));

    private static FixtureCase With(FixtureCase fixture, FixturePartition partition, ImmutableSortedDictionary<string, FixtureTable> tables) =>
        fixture with { Partitions = fixture.Partitions.Replace(partition, partition with { Evidence = partition.Evidence.SetItems(tables) }) };

    /// <summary>Returns the evidence and all evidence that is requested for each of its rows.</summary>
    private static IEnumerable<EvidenceNeed> Below(Control control, EvidenceNeed need) =>
        control.Evidence.Where(n => n.ForEach == need.Name).SelectMany(n => Below(control, n)).Prepend(need);

    /// <summary>Returns the table with its first call refused.</summary>
    private static FixtureTable? OneCall(EvidenceNeed need, FixtureTable table)
    {
        if (need.ForEach is null || table.Rows.IsEmpty || table.Outcome != CollectionOutcome.Complete)
            return null;
        var asked = Asked(need, table.Rows[0]);
        // Rows without the parameters of their request belong to no call that could be refused on its own.
        if (asked == "{}")
            return null;
        var calls = (table.Calls.IsEmpty ? table.Rows : table.Calls).Select(r => Asked(need, r)).Distinct().ToImmutableArray();
        return new(
            [.. table.Rows.Where(r => Asked(need, r) != asked)], CollectionOutcome.Incomplete, "AccessDenied",
            [
                .. calls.Select(c => JsonElement.Parse(c == asked
                    ? c[..^1] + ",\"outcome\":\"failed\",\"code\":\"AccessDenied\"}"
                    : c[..^1] + ",\"outcome\":\"complete\"}")),
            ]);
    }

    /// <summary>Returns the parameters with which a row was requested, as JSON.</summary>
    private static string Asked(EvidenceNeed need, JsonElement row) => JsonSerializer.Serialize(
        row.EnumerateObject()
            .Where(m => m.Name == "_region"
                || need.With.ContainsKey(m.Name.Replace("_with_", "", StringComparison.Ordinal))
                    && m.Name.StartsWith("_with_", StringComparison.Ordinal))
            .ToDictionary(m => m.Name, m => m.Value));

    /// <summary>Returns what the case concludes, whatever it expects.</summary>
    private static async Task<(Conclusion Conclusion, ImmutableArray<string> Deviations, ImmutableArray<string> Indicated)> ConcludedAsync(
        ControlEvaluation ready, Control control, FixtureCase fixture)
    {
        var (faults, result, rows, _) = await FixtureRunner.ConcludeAsync(
            control, fixture, EvaluationLimits.Default, process: null, ready, CancellationToken.None);
        Assert.True(faults.IsEmpty, string.Join('\n', faults));
        var items = FixtureRunner.Items(rows.SelectMany(r => r), FixtureRunner.IsNamed(control, fixture));
        return (result!.Conclusion, [.. items["deviation"]], [.. items["indicated"]]);
    }
}
