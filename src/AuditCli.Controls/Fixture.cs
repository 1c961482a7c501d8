using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Controls;

/// <summary>The cases beside a control (<c>&lt;id&gt;.fixtures.yaml</c>): evidence, and what the control must conclude from it.</summary>
public sealed record FixtureFile(string File, ImmutableArray<FixtureCase> Cases);

/// <param name="Parameters">Override the control's defaults.</param>
/// <param name="AsOf">Default 2026-10-01T00:00:00Z, or the end of the case's period if that is later.</param>
/// <param name="PeriodStart">First day, default 2026-01-01.</param>
/// <param name="PeriodEnd">Last day, default 2026-09-30.</param>
/// <param name="Inputs">By evidence name; every partition sees them. A file evidence that is not listed was not supplied.</param>
/// <param name="Line">Where the case begins in the file.</param>
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
    /// <summary>When the first of the evidence was asked for; null for <see cref="AsOf"/>.</summary>
    public DateTimeOffset? ReadFrom { get; init; }

    /// <summary>When the last of the evidence was asked for; null for <see cref="AsOf"/>.</summary>
    public DateTimeOffset? ReadUntil { get; init; }
}

/// <param name="Name">Serves as target and account.</param>
/// <param name="Evidence">By evidence name; evidence that is not listed is complete without rows.</param>
public sealed record FixturePartition(string Name, ImmutableSortedDictionary<string, FixtureTable> Evidence);

/// <param name="Rows">Objects by column name; columns that begin with an underscore may be given, and are made up where absent.</param>
/// <param name="Calls">For <c>for_each</c> evidence: rows of the companion table, objects; derived from <paramref name="Rows"/> where empty.</param>
public sealed record FixtureTable(
    ImmutableArray<JsonElement> Rows,
    CollectionOutcome Outcome,
    string? Code,
    ImmutableArray<JsonElement> Calls);

/// <summary>Items stand alone where the case has one partition, and as <c>partition/item</c> where it has more.</summary>
public sealed record FixtureExpectation(
    Conclusion Conclusion,
    ImmutableArray<string> Deviations,
    ImmutableArray<string> Approved,
    ImmutableArray<string> Undetermined)
{
    /// <summary>Deviations by what was read, which is too little to call them so; null where the case does not say which.</summary>
    public ImmutableArray<string>? Indicated { get; init; }

    /// <summary>By register, the rows that match nothing, as its <c>unmatched</c> names them; registers that are not named are not compared.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Unmatched { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>
    /// By item, what one of its rows says: words that its <c>reason</c> holds, and the values of attributes, null for NULL. What is not
    /// named is not compared.
    /// </summary>
    public ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string?>> Rows { get; init; } =
        ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string?>>.Empty;
}
