using System.Text.RegularExpressions;

namespace AuditCli.Controls.Planning;

/// <summary>The reasons for which a plan leaves a control or a target untested: how they are said, and what contradicts them.</summary>
public static partial class NotTestedReasons
{
    /// <summary>The reason of a target.</summary>
    public const string TargetLeftOut = "target left out by --target";

    internal const string NotSelected = "not selected by --control";

    internal static string NotInPack(string pack) => $"not in the pack {pack}";

    internal static string Retired(string? successor) => "retired" + (successor is null ? "" : $", replaced by {successor}");

    internal static string NoInput(string input, string evidence) => $"the engagement supplies no input '{input}' (evidence '{evidence}')";

    internal static string EveryLeftOut(string which) => $"every {which} is left out by --target";

    internal static string None(string which) => $"no {which}";

    /// <summary>Returns why an engagement cannot leave a control untested for a reason; null if it can, as far as it shows.</summary>
    /// <param name="engagement">The engagement, with its moment.</param>
    /// <param name="isEntered">Whether the run entered a target.</param>
    public static string? WhyNot(Engagement engagement, string control, string reason, Func<string, bool> isEntered)
    {
        ArgumentNullException.ThrowIfNull(engagement);
        var decision = engagement.NotApplicable.FirstOrDefault(n => n.Control == control);
        if (decision is null && !Planner.Includes(engagement, control))
            return "the engagement does not include it";
        if (reason == NotSelected || PackForm().IsMatch(reason))
            return null;
        if (decision is not null && Planner.WhyRefused(engagement, decision, engagement.AsOf ?? default) is null)
            return "the engagement leaves it out by a decision";
        if (engagement.Include.Contains(control) && !LeftOutForm().IsMatch(reason))
            return "the engagement names it, and a run would not begin then";
        if (InputForm().Match(reason) is { Success: true } input)
            return engagement.Inputs.Any(i => i.Name == input.Groups[1].Value) ? "the engagement supplies that input" : null;
        if (LeftOutForm().Match(reason) is { Success: true } source)
            return engagement.Targets.Any(t => t.Source == source.Groups[1].Value && !isEntered(t.Name)) ? null : "no such target was left out";
        return OtherForm().IsMatch(reason) ? null : "that is no reason for which a run leaves a control out";
    }

    [GeneratedRegex(@"\Anot in the pack .+\z")]
    private static partial Regex PackForm();

    [GeneratedRegex(@"\Athe engagement supplies no input '([^']+)' \(evidence '[^']+'\)\z")]
    private static partial Regex InputForm();

    [GeneratedRegex(@"\Aevery target of source (\S+)( that has .+)? is left out by --target\z")]
    private static partial Regex LeftOutForm();

    [GeneratedRegex(@"\A(retired(, replaced by \S+)?|no target of source .+)\z")]
    private static partial Regex OtherForm();
}
