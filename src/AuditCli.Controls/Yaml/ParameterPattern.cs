using System.Text.RegularExpressions;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Matches a text with an author's regular expression, always as a whole. Controls come from strangers too, so that only what is
/// matched in one pass over the text is taken, and even that is given up after a second.
/// </summary>
internal static partial class ParameterPattern
{
    private const int MaximumLength = 500;
    private const int MaximumCount = 1000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Why the pattern cannot be used; null where it can.</summary>
    public static string? Fault(string pattern)
    {
        if (pattern.Length > MaximumLength)
            return $"has {pattern.Length} characters; at most {MaximumLength} are read";
        if (Product(pattern) > MaximumCount)
            return $"counts further than {MaximumCount} repetitions, each count times those around it; say it with less";
        try
        {
            // By itself first: what closes a bracket that only Whole opens would be another expression.
            _ = new Regex(pattern, Options, Limit);
            _ = Whole(pattern);
            return null;
        }
        catch (NotSupportedException)
        {
            return "looks ahead or behind, refers back to a group, or is atomic or conditional, which could take for ever; write it without";
        }
        catch (ArgumentException e)
        {
            return $"is no regular expression: {e.Message}";
        }
    }

    /// <summary>The expression that matches only a whole text.</summary>
    public static Regex Whole(string pattern) => new($@"^(?:{pattern})\z", Options, Limit);

    private static RegexOptions Options => RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

    /// <summary>All counts of the pattern multiplied, as if each stood inside the one before it.</summary>
    private static double Product(string pattern) =>
        Counts().Matches(pattern).Select(m => double.Parse(m.Groups["most"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)).Aggregate(1.0, (all, n) => all * Math.Max(n, 1));

    [GeneratedRegex(@"\{(?:[0-9]+,)?(?<most>[0-9]+),?\}", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Counts();
}
