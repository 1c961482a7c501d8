using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;

namespace AuditCli.Coverage;

/// <summary>What a control says in one bundle about what it helps to meet.</summary>
/// <param name="Conclusion">The conclusion; null if the control was not tested there.</param>
/// <param name="Shown">The conclusion with its approved exceptions, or <c>not tested</c> and why.</param>
internal sealed record BundleAnswer(Conclusion? Conclusion, string Shown);

/// <summary>A control that helps to meet a clause.</summary>
/// <param name="InPack">False where a pack is asked about that does not have the control, which then covers nothing for it.</param>
/// <param name="Answers">One for each bundle, in their order.</param>
internal sealed record CoveringControl(string Id, string Title, bool InPack, ImmutableArray<BundleAnswer> Answers)
{
    public bool IsTested => Answers.Any(a => a.Conclusion is not null);
}

/// <summary>A clause, or a domain, with the controls that help with it.</summary>
internal sealed record CoverageRow(string Id, string Words, ImmutableArray<CoveringControl> Controls)
{
    /// <summary>Whether no control helps, or only controls that the pack leaves out.</summary>
    public bool IsGap => !Controls.Any(c => c.InPack);

    public bool IsTested => Controls.Any(c => c.InPack && c.IsTested);
}

/// <summary>The clauses of one framework that were asked about.</summary>
internal sealed record FrameworkCoverage(Framework Framework, ImmutableArray<CoverageRow> Rows);

/// <summary>Which control helps to meet which clause and, where bundles are given, how it concluded in each.</summary>
/// <param name="Pack">The pack that is asked about; null for the whole library.</param>
/// <param name="Domains">The domains that the pack stands for.</param>
/// <param name="Unreferenced">The frameworks that were asked about only because all were, and to which no control refers.</param>
/// <param name="Notes">References that no framework lists, and controls of a bundle that cannot be read.</param>
internal sealed record CoverageReport(
    ImmutableArray<OpenedBundle> Bundles,
    CoveragePack? Pack,
    ImmutableArray<CoverageRow> Domains,
    ImmutableArray<FrameworkCoverage> Frameworks,
    ImmutableArray<Framework> Unreferenced,
    ImmutableArray<string> Notes);

/// <summary>The pack that a report is about.</summary>
/// <param name="StatesClauses">Whether it says what it stands for; otherwise its controls are looked for in whole frameworks.</param>
internal sealed record CoveragePack(string Name, string Title, bool StatesClauses);
