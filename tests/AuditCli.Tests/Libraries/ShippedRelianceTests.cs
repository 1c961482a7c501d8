using AuditCli.Controls;
using AuditCli.Libraries;

namespace AuditCli.Tests.Libraries;

/// <summary>Checks that every shipped control states what an auditor judges by how far it can be relied on.</summary>
public sealed class ShippedRelianceTests
{
    /// <summary>
    /// Checks that read both of their numbers from one place, so that naming two sources would be untrue, with the reason.
    /// </summary>
    private static readonly Dictionary<(string Control, int Check), string> OneSource = new()
    {
        [("APD-AWS-001", 2)] = "the event history, whose events are counted on both sides, is held against the period",
        [("APD-K8S-001", 1)] = "the list of cluster role bindings is read twice",
        [("APD-K8S-001", 2)] = "the list of role bindings is read twice",
        [("APD-K8S-004", 1)] = "the list of cluster role bindings is read twice",
        [("APD-K8S-004", 2)] = "the list of role bindings is read twice",
        [("APD-XSR-001", 1)] = "the form of the rows of one file is checked",
        [("APD-XSR-001", 4)] = "the regions that were read are held against the names of AWS's own",
        [("INF-K8S-002", 1)] = "the lists of deployments, stateful sets and daemon sets are read twice",
    };

    private static readonly Control[] Library =
        [.. ChosenLibrary.Load(folder: null, AuditCommand.Host(Path.GetTempPath())).Controls.Select(c => c.Control)];

    [Fact]
    public void Every_control_says_who_performs_it_where_what_relies_on_it_and_why_its_design_meets_the_risk()
    {
        Assert.True(Library.Length >= 14, $"{Library.Length} controls");
        Assert.Empty(Library
            .Where(c => string.IsNullOrEmpty(c.Performer) || c.Systems.IsEmpty || c.ReliedOnBy.IsEmpty || c.Design is null)
            .Select(c => c.Id));
    }

    [Fact]
    public void No_control_is_shipped_with_an_assessment_of_a_design_that_only_a_person_at_the_client_can_make() =>
        Assert.Empty(Library.Where(c => c.Design?.Assessed is not null).Select(c => c.Id));

    [Fact]
    public void Every_test_says_what_is_done_what_it_is_evidence_of_and_what_its_population_is() =>
        Assert.Empty(Library.SelectMany(c => c.Tests
            .Where(t => t.Procedure is null || t.Method is null || t.Assertions.IsEmpty
                || t.Population is not { Definition: not null, Boundary: not null, Excluded.IsEmpty: false, Precision: not null })
            .Select(t => $"{c.Id} {t.Id}")));

    [Fact]
    public void Every_check_names_two_sources_unless_it_truly_has_one()
    {
        var without = Library
            .SelectMany(c => c.Completeness.Select((check, i) => (Key: (c.Id, i + 1), check.Sources)))
            .Where(c => c.Sources.IsEmpty)
            .Select(c => c.Key);
        Assert.Equal(OneSource.Keys.Order(), without.Order());
    }

    [Fact]
    public void What_an_auditor_reads_names_no_parameter_and_no_table()
    {
        Assert.Empty(Library.SelectMany(c => c.Tests
            .SelectMany(t => new[] { t.Procedure, t.Population?.Definition, t.Population?.Boundary, t.Population?.Precision }
                .Concat(t.Population?.Excluded.AsEnumerable() ?? []))
            .Concat(c.Completeness.SelectMany(check => check.Sources))
            .Where(text => text is not null && (text.Contains('$', StringComparison.Ordinal) || text.Contains('_', StringComparison.Ordinal)))
            .Select(text => $"{c.Id} {text}")));
    }

    [Fact]
    public void Different_tests_of_a_control_have_procedures_and_definitions_of_their_own()
    {
        Assert.Empty(Library.SelectMany(c => Repeated(c, t => t.Procedure).Concat(Repeated(c, t => t.Population?.Definition))));

        static IEnumerable<string> Repeated(Control control, Func<TestProcedure, string?> text) =>
            control.Tests.GroupBy(text, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1).Select(g => $"{control.Id} {g.Key}");
    }
}
