using System.Collections.Immutable;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Reperformance;

/// <summary>A difference between a bundle and its re-performed run.</summary>
/// <param name="Where">The evidence item, control or population item.</param>
/// <param name="What">The value that differs.</param>
/// <param name="Before">The value in the bundle, shortened; null if the bundle does not have it.</param>
/// <param name="After">The re-performed value, shortened; null if there is none.</param>
/// <param name="Cause">The reason, as far as the bundle shows it.</param>
/// <param name="Rule">The rule of evaluation newer than the bundle that explains the difference; null if there is none.</param>
internal sealed record Difference(string Where, string What, string? Before, string? After, string? Cause = null, EvaluationRule? Rule = null);

/// <summary>
/// The differences of one part of a bundle in the order found. Keeps a limited number of those with a rule and of those without, and counts
/// all.
/// </summary>
/// <param name="part">The part, named as in <see cref="EvaluationRule.Changes"/>.</param>
/// <param name="rules">The rules of evaluation newer than the bundle.</param>
internal sealed class DifferenceList(int limit, string part, ImmutableArray<EvaluationRule> rules)
{
    private readonly List<Difference> _unexplained = [];
    private readonly List<Difference> _explained = [];

    public long Count { get; private set; }

    /// <summary>The number of differences that no newer rule explains.</summary>
    public long Unexplained { get; private set; }

    /// <summary>The kept differences, those without a rule first, so that explained differences cannot hide an edit.</summary>
    public IReadOnlyList<Difference> Kept => [.. _unexplained, .. _explained];

    /// <summary>Counts a difference, and keeps it if there is room.</summary>
    /// <param name="signs">What was found at the place of the difference, named as in <see cref="EvaluationRule.OnlyWith"/>.</param>
    public void Add(Difference difference, IReadOnlyCollection<string>? signs = null)
    {
        var rule = rules.FirstOrDefault(r => r.Explains(part, difference.What, signs ?? []));
        Count++;
        if (rule is null)
            Unexplained++;
        var kept = rule is null ? _unexplained : _explained;
        if (kept.Count < limit)
            kept.Add(difference with { Rule = rule });
    }
}
