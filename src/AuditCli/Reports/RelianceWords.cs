using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Controls;
using AuditCli.Evidence.Text;

namespace AuditCli.Reports;

/// <summary>
/// Words what a control states for a reader who judges how far to rely on it. What it does not state is printed as such, because a
/// missing line would be taken for a matter that does not arise.
/// </summary>
internal static class RelianceWords
{
    /// <summary>What stands where the author states nothing.</summary>
    public const string NotStated = "not stated";

    /// <summary>Returns who carries the control out and where, and what relies on it, as labels and values.</summary>
    public static IEnumerable<(string Label, string Value)> Of(Control control) =>
    [
        ("Performer", control.Performer ?? NotStated),
        ("Systems", Listed(control.Systems)),
        ("Relied on by", Listed(control.ReliedOnBy)),
        ("How it addresses the risk", control.Design?.HowItAddresses ?? NotStated),
        ("Design", Assessed(control.Design?.Assessed)),
    ];

    /// <summary>Returns what a test does and what it is evidence of, as labels and values.</summary>
    public static IEnumerable<(string Label, string Value)> Of(TestProcedure test) =>
    [
        ("Procedure", test.Procedure ?? NotStated),
        ("Method, assertions", $"{test.Method ?? NotStated}; {(test.Assertions.IsEmpty ? NotStated : string.Join(", ", test.Assertions))}"),
    ];

    /// <summary>Returns what the population of a test is, as labels and values.</summary>
    public static IEnumerable<(string Label, string Value)> OfPopulation(TestProcedure test) =>
    [
        ("Definition", test.Population?.Definition ?? NotStated),
        ("Boundary", test.Population?.Boundary ?? NotStated),
        ("Excluded", Listed(test.Population?.Excluded ?? [])),
        ("Precision", test.Population?.Precision ?? NotStated),
    ];

    /// <summary>Returns where the two numbers of a completeness check come from.</summary>
    public static string Sources(Control? control, string check) =>
        control?.Completeness.FirstOrDefault(c => c.Name == check)?.Sources is [var first, var second] ? $"{first}; {second}" : NotStated;

    /// <summary>Returns how an input came from its source to the bundle.</summary>
    public static string Receipt(EngagementInput? input) => input?.Receipt is not { } receipt
        ? "no receipt"
        : $"given by {receipt.GivenBy} to {receipt.ReceivedBy} at {Rfc3339.Format(receipt.ReceivedAt)}; {receipt.SourceSystem} ({receipt.SourceKind}); "
            + $"SHA-256 at receipt {receipt.ReceivedSha256}, "
            + $"{(receipt.Transformations is { } changed ? $"changed since: {changed}" : "unchanged when it was read")}; "
            + $"compared to its source: {receipt.ComparedToSource ?? NotStated}";

    private static string Listed(ImmutableArray<string> texts) => texts.IsEmpty ? NotStated : string.Join("; ", texts);

    private static string Assessed(DesignAssessment? assessed) => assessed is null
        ? "not assessed"
        : $"{assessed.Result}, by {assessed.By} on {assessed.On.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}: {assessed.Rationale}";
}
