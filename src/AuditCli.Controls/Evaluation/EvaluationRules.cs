using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>A change in how evidence is read or judged, so that a bundle sealed before it may come out differently today.</summary>
/// <param name="Since">The first evaluation number that has the rule.</param>
/// <param name="Id">Its short name: lower-case words joined by '-'.</param>
/// <param name="Says">What is different since then, as one sentence that an auditor understands.</param>
/// <param name="Changes">
/// What it may change: <c>tables MEMBER</c> for a member of an index line (or a row's column), <c>results MEMBER</c> for a member of
/// results.json or of a test's rows. A difference in anything else is never excused by this rule.
/// </param>
public sealed record EvaluationRule(int Since, string Id, string Says, ImmutableArray<string> Changes)
{
    /// <summary>Whether the rule can be the reason of a difference at a path of that part.</summary>
    /// <param name="part"><c>tables</c> or <c>results</c>.</param>
    /// <param name="path">Members and names, joined by blanks.</param>
    public bool Explains(string part, string path) => path.Split(' ').Any(word => Changes.Contains($"{part} {word}"));
}

/// <summary>
/// The rules of evaluation, by number. <c>run.json</c> states the number under which its results were made; bundles from before the
/// number existed are number 1. Re-performing a bundle under a later number names each difference with its rule.
/// </summary>
/// <remarks>
/// To change a verdict, a count, an item, a table or an index line that a sealed bundle already has: add a rule with the next number
/// (several changes of one release share it), and look at <c>OldBundleTests</c>, which reads and re-performs the bundles of
/// <c>tests/Shared/bundles</c>, one for each number that was ever released.
/// </remarks>
public static class EvaluationRules
{
    /// <summary>The number of today's rules.</summary>
    public const int Current = 2;

    /// <summary>Every rule, in the order in which they came.</summary>
    public static ImmutableArray<EvaluationRule> All { get; } =
    [
        new(2, "read-by-the-servers-clocks",
            "When evidence was read is told by the servers' own clocks (Date), and by the collecting machine's, corrected, where answers say no time.",
            ["tables read_from", "tables read_until", "tables clock_offset_seconds", "results read_from", "results read_until", "results StateReadAway"]),
        new(2, "first-to-last-request",
            "An evidence item begins with the first and ends with the last of all its requests, in whatever order they were answered.",
            ["tables started", "tables finished"]),
        new(2, "clock-limit",
            "A state is not concluded where the collecting machine's clock was further from the servers' than a tenth of the tolerance, at most 5 minutes, or was compared with none.",
            [
                "results clock_limit_seconds", "results clock_offset_seconds", "results ClockDiffers", "results ClockNotCompared",
                "results conclusion", "results deviations", "results indicated", "results verdict", "results rows_sha256",
            ]),
        new(2, "mode-of-a-test", "Each test says whether it speaks of a state or of the period.", ["results mode"]),
    ];

    /// <summary>The rules that a bundle of that number was made without.</summary>
    public static ImmutableArray<EvaluationRule> After(int evaluation) => [.. All.Where(r => r.Since > evaluation)];
}
