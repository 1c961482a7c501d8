using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>
/// The cases in the file next to a control (<c>&lt;id&gt;.fixtures.yaml</c>): evidence, and the conclusion that the control must
/// reach from it.
/// </summary>
public sealed record FixtureFile(string File, ImmutableArray<FixtureCase> Cases);

/// <summary>One case: evidence, parameters and period, and the expected result.</summary>
/// <param name="Parameters">Values that override the control's defaults.</param>
/// <param name="AsOf">Default 2026-10-01T00:00:00Z, or the end of the case's period if that is later.</param>
/// <param name="PeriodStart">First day, default 2026-01-01.</param>
/// <param name="PeriodEnd">Last day, default 2026-09-30.</param>
/// <param name="Inputs">
/// Tables of file evidence by evidence name; every partition sees them. A file evidence that is not listed was not supplied.
/// </param>
/// <param name="Line">The line on which the case begins in the file.</param>
public sealed record FixtureCase(
    string Name,
    ImmutableSortedDictionary<string, JsonElement> Parameters,
    DateTimeOffset? AsOf,
    DateOnly? PeriodStart,
    DateOnly? PeriodEnd,
    ImmutableArray<FixturePartition> Partitions,
    ImmutableSortedDictionary<string, FixtureTable> Inputs,
    FixtureExpectation Expect,
    int Line)
{
    /// <summary>When the first request for the evidence was made; null for <see cref="AsOf"/>.</summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>When the last request for the evidence was made; null for <see cref="AsOf"/>.</summary>
    public DateTimeOffset? ReadUntil { get; init; }

    /// <summary>What people answer to the control's questions, by the question's id; a question that is not listed is open.</summary>
    public ImmutableSortedDictionary<string, PersonWord> Answers { get; init; } = ImmutableSortedDictionary<string, PersonWord>.Empty;
}

/// <summary>The evidence of one target and account.</summary>
/// <param name="Name">The name, used as target and account.</param>
/// <param name="Evidence">Tables by evidence name; evidence that is not listed is complete without rows.</param>
public sealed record FixturePartition(string Name, ImmutableSortedDictionary<string, FixtureTable> Evidence);

/// <summary>One evidence table of a case, and the outcome of reading it.</summary>
/// <param name="Rows">
/// Objects by column name; columns that begin with an underscore may be given, and are invented where absent.
/// </param>
/// <param name="Calls">
/// For <c>for_each</c> evidence: rows of the table of calls, as objects; derived from <paramref name="Rows"/> where empty.
/// </param>
public sealed record FixtureTable(
    ImmutableArray<JsonElement> Rows,
    CollectionOutcome Outcome,
    string? Code,
    ImmutableArray<JsonElement> Calls);

/// <summary>
/// The expected result of a case. Items are named alone where the case has one partition, and as <c>partition/item</c> where it
/// has more.
/// </summary>
public sealed record FixtureExpectation(
    Conclusion Conclusion,
    ImmutableArray<string> Deviations,
    ImmutableArray<string> Approved,
    ImmutableArray<string> Undetermined)
{
    /// <summary>
    /// The indicated deviations, for which the evidence is too incomplete to call them deviations; null where the case does not
    /// state them.
    /// </summary>
    public ImmutableArray<string>? Indicated { get; init; }

    /// <summary>
    /// By register, the rows that match nothing, as its <c>unmatched</c> names them; registers that are not named are not compared.
    /// </summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Unmatched { get; init; } =
        ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>
    /// By item, the expected values of one of its rows: text that its <c>reason</c> contains, and the values of attributes, null
    /// for NULL. Columns that are not named are not compared.
    /// </summary>
    public ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string?>> Rows { get; init; } =
        ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string?>>.Empty;
}
