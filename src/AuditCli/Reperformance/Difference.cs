using System.Collections.Immutable;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Reperformance;

/// <summary>One thing that is not as it was.</summary>
/// <param name="Where">The evidence item, control or population item.</param>
/// <param name="What">Which of its values.</param>
/// <param name="Before">In the bundle, shortened; null where the bundle has nothing.</param>
/// <param name="After">Done again, shortened; null where there is nothing now.</param>
/// <param name="Cause">Why, as far as the bundle tells.</param>
/// <param name="Rule">The rule of evaluation that came after the bundle and accounts for it; null where none does.</param>
internal sealed record Difference(string Where, string What, string? Before, string? After, string? Cause = null, EvaluationRule? Rule = null);

/// <summary>
/// Differences of one part of a bundle in the order found: a number of those with a rule and of those without is kept, the rest is counted.
/// </summary>
/// <param name="part">The part as <see cref="EvaluationRule.Changes"/> names it.</param>
/// <param name="rules">The rules that the bundle was made without.</param>
internal sealed class DifferenceList(int limit, string part, ImmutableArray<EvaluationRule> rules)
{
    private readonly List<Difference> _unexplained = [];
    private readonly List<Difference> _explained = [];

    public long Count { get; private set; }

    /// <summary>How many no later rule accounts for.</summary>
    public long Unexplained { get; private set; }

    /// <summary>Those without a rule first: however many a rule accounts for, they do not push out the one that somebody made.</summary>
    public IReadOnlyList<Difference> Kept => [.. _unexplained, .. _explained];

    /// <param name="signs">What is found where the difference is, as rules name it (<see cref="EvaluationRule.OnlyWith"/>).</param>
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
