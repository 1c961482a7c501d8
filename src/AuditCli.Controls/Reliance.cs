using System.Collections.Immutable;

namespace AuditCli.Controls;

/// <summary>
/// What the population of a test is, so that a reader can judge whether it is complete and precise enough (PCAOB AS 1105.10). Everything but
/// the unit is null or empty where the author does not state it.
/// </summary>
/// <param name="Unit">One item, in the singular, such as <c>access key</c>.</param>
/// <param name="Definition">Which things are items.</param>
/// <param name="Boundary">Where the population ends: accounts, regions, times.</param>
/// <param name="Excluded">What is left out, each with the reason.</param>
/// <param name="Precision">What one item tells apart, and what it cannot.</param>
public sealed record PopulationStatement(string Unit, string? Definition, string? Boundary, ImmutableArray<string> Excluded, string? Precision);

/// <summary>The design of a control: why it meets its objective if it works as described.</summary>
/// <param name="Assessed">A person's assessment of the design; null if nobody has stated one.</param>
public sealed record DesignStatement(string HowItAddresses, DesignAssessment? Assessed);

/// <summary>A person's assessment of a control's design.</summary>
/// <param name="Result">One of <see cref="ControlWords.DesignResults"/>.</param>
public sealed record DesignAssessment(string Result, string By, DateOnly On, string Rationale);
