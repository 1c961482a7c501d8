using System.Collections.Immutable;
using System.Text;
using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Libraries;

namespace AuditCli.Tests.Libraries;

/// <summary>
/// Checks that no value an engagement can set for a parameter of a shipped control empties a test unnoticed: each number has limits, and
/// each text a pattern.
/// </summary>
public sealed class ShippedParametersTests
{
    private static readonly ControlLibrary Library = ChosenLibrary.Load(folder: null, AuditCommand.Host(Path.GetTempPath()));

    [Fact]
    public void Every_parameter_but_a_boolean_has_a_form()
    {
        var parameters = Library.Controls.SelectMany(c => c.Control.Parameters.Select(p => (c.Control.Id, Parameter: p))).ToArray();
        Assert.True(parameters.Length > 15, $"{parameters.Length} parameters");
        Assert.Empty(parameters.Where(p => p.Parameter.Type != ColumnType.Boolean && p.Parameter.Form.SaysNothing).Select(p => $"{p.Id} {p.Parameter.Name}"));
        Assert.Empty(Library.Controls.SelectMany(c => ChosenLibrary.ParameterDoubts(c)));
    }

    [Theory]
    [InlineData("INF-AWS-002", "admin_ports", "'99999'")]
    [InlineData("INF-AWS-002", "admin_ports", "'22,,x'")]
    [InlineData("INF-AWS-002", "admin_ports", "''")]
    [InlineData("INF-AWS-002", "internet_percent", "0")]
    [InlineData("INF-AWS-002", "internet_percent", "51")]
    [InlineData("INF-AWS-002", "regions", "'eu-west-1,eu-west1'")]
    [InlineData("INF-AWS-002", "regions", "''")]
    [InlineData("INF-GCP-001", "admin_ports", "'-1'")]
    [InlineData("INF-GCP-001", "internet_percent", "500")]
    [InlineData("INF-K8S-002", "capabilities_allowed", "ALL")]
    [InlineData("INF-K8S-002", "capabilities_allowed", "CAP_CHOWN")]
    [InlineData("INF-K8S-002", "namespaces_out_of_scope", "'*'")]
    [InlineData("INF-K8S-002", "sysctls_allowed", "'kernel.*'")]
    [InlineData("LOG-AWS-001", "regions", "'all,eu-west-1'")]
    [InlineData("LOG-AWS-001", "file_hours", "1000000")]
    [InlineData("LOG-AWS-001", "digest_hours", "0")]
    [InlineData("APD-AWS-004", "max_age_days", "100000")]
    [InlineData("APD-AWS-004", "max_age_days", "-1")]
    [InlineData("APD-AWS-006", "least_services", "21")]
    [InlineData("APD-GCP-001", "basic_roles", "roles/onwer")]
    [InlineData("APD-GCP-002", "unused_days", "36500")]
    [InlineData("APD-GCP-002", "least_observed_days", "-1")]
    [InlineData("APD-GCP-002", "most_days_behind", "365")]
    [InlineData("APD-XSR-001", "sla_hours", "8760")]
    [InlineData("APD-XSR-001", "privileged_sla_hours", "-5")]
    [InlineData("APD-XSR-001", "second_account_marks", "'-admin, .admin'")]
    [InlineData("APD-XSR-001", "kubernetes_user_prefix", "'oidc: '")]
    public void A_value_that_would_leave_a_test_nothing_to_find_is_refused(string control, string parameter, string value) =>
        Assert.StartsWith("e:7:", Assert.Single(Faults(control, parameter, value)).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("INF-AWS-002", "admin_ports", "'1,65535'")]
    [InlineData("INF-AWS-002", "internet_percent", "50")]
    [InlineData("INF-AWS-002", "regions", "'us-gov-west-1,ap-southeast-1,us-iso-east-1'")]
    [InlineData("INF-K8S-002", "capabilities_allowed", "''")]
    [InlineData("INF-K8S-002", "namespaces_out_of_scope", "''")]
    [InlineData("INF-K8S-002", "sysctls_allowed", "'net/ipv4/conf/eth0.1/rp_filter,kernel.sem'")]
    [InlineData("APD-GCP-001", "basic_roles", "'roles/owner,roles/viewer'")]
    [InlineData("APD-XSR-001", "sla_hours", "0")]
    [InlineData("APD-XSR-001", "second_account_marks", "'-größe,#'")]
    [InlineData("APD-XSR-001", "kubernetes_user_prefix", "'https://login.example.com/#'")]
    public void A_value_that_an_honest_standard_has_is_taken(string control, string parameter, string value) =>
        Assert.Empty(Faults(control, parameter, value));

    private static ImmutableArray<Diagnostic> Faults(string control, string parameter, string value)
    {
        var (engagement, faults) = EngagementLoader.Parse("e", Encoding.UTF8.GetBytes($$"""
            schema: 1
            entity: e
            name: n
            period: { start: 2026-01-01, end: 2026-01-31 }
            preparer: A. Preparer
            reviewer: R. Reviewer
            controls: { parameters: { {{control}}: { {{parameter}}: { value: {{value}}, by: R. Reviewer, why: the policy } } } }
            targets: {}
            """), AuditCommand.Host(Path.GetTempPath()).Sources);
        Assert.Empty(faults);
        return EngagementLoader.Check(engagement!, [.. Library.Controls.Select(c => c.Control)]).Faults;
    }
}
