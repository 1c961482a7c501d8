using AuditCli.Tests.Commands;
using AuditCli.Tests.Diff;
using AuditCli.Tests.Hosting;
using AuditCli.Tests.Libraries;
using AuditCli.Tests.Reperformance;
using AuditCli.Tests.Reports;
using AuditCli.Tests.Running;
using AuditCli.Tests.Secrets;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("AuditCli.Tests.LongestFirst", "AuditCli.Tests")]

namespace AuditCli.Tests;

/// <summary>Begins with the classes that take longest, so that none of them runs alone at the end while the other cores wait.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    /// <summary>By their share of the whole; the others take less and come after them.</summary>
    private static readonly string[] Longest =
    [
        .. new[]
        {
            typeof(PartialSampleTests), typeof(ShippedFixturesTests), typeof(IsolatedEvaluationTests), typeof(DenialTests),
            typeof(HostileControlTests), typeof(ReperformTests), typeof(CallGcpTests), typeof(ProcessEndsTests), typeof(MutatedControlsTests),
            typeof(SampleTests), typeof(LeastPrivilegeTests), typeof(DeniedFixturesTests), typeof(ClockTests), typeof(FaultTests),
            typeof(DoctorTests), typeof(KubernetesRunTests), typeof(BadInputTests), typeof(ReportOracleTests), typeof(DiffTests),
            typeof(StoppedSealTests), typeof(ReperformRecordTests), typeof(CredentialTests),
        }.Select(t => t.FullName!),
    ];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(c => Array.FindIndex(Longest, name => IsOf(c, name)) is >= 0 and var place ? place : Longest.Length);

    /// <summary>Whether the collection is that of the class: its name ends with the class's.</summary>
    private static bool IsOf(ITestCollection collection, string name) => collection.DisplayName.EndsWith(" " + name, StringComparison.Ordinal);
}
