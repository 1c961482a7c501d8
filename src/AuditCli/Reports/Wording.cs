using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Controls;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Reports;

/// <summary>The wording of conclusions, domains and counts for people.</summary>
internal static class Wording
{
    public static string Name(ItgcDomain domain) => domain switch
    {
        ItgcDomain.AccessToProgramsAndData => "Access to programs and data",
        ItgcDomain.ProgramChangeManagement => "Program change management",
        ItgcDomain.ProgramDevelopment => "Program development",
        ItgcDomain.ComputerOperations => "Computer operations",
        ItgcDomain.InfrastructureSecurity => "Infrastructure and network security",
        ItgcDomain.LoggingAndMonitoring => "Logging and monitoring",
        ItgcDomain.DataIntegrity => "Data integrity",
        ItgcDomain.AiPlatform => "AI platform",
        ItgcDomain.CryptoCustody => "Crypto custody and proof of reserves",
        _ => throw new ArgumentOutOfRangeException(nameof(domain)),
    };

    /// <summary>Returns how many rows were read, where the control keeps only some of them; otherwise nothing.</summary>
    public static string OfRead(EvidenceItem item) => item.Read is { } read ? string.Create(CultureInfo.InvariantCulture, $" of {read} read") : "";

    public static string Name(Conclusion conclusion) => ControlWords.Of(ControlWords.Conclusions, conclusion);

    /// <summary>Returns what a conclusion means in general. <see cref="ControlReasons.Meaning"/> says more about one control.</summary>
    public static string Meaning(Conclusion conclusion) => conclusion switch
    {
        Conclusion.Fail => "an exception that no valid approval covers",
        Conclusion.Error => "the test itself failed to run",
        Conclusion.Inconclusive => "something was not read, two counts do not agree, or an item could not be determined",
        Conclusion.NeedsReview => "a question for a person is open",
        Conclusion.Pass => "there was a population, it was read completely, and no uncovered exception was found",
        Conclusion.NoOccurrence => "read completely, and there was nothing to test; this is not a pass",
        Conclusion.NotApplicable => "the engagement excludes it, with a reason and an approver",
        _ => throw new ArgumentOutOfRangeException(nameof(conclusion)),
    };

    public static string Name(VerifyAnswer answer) => answer switch
    {
        VerifyAnswer.Holds => "holds",
        VerifyAnswer.Fails => "FAILS",
        VerifyAnswer.Undecided => "undecided",
        VerifyAnswer.NotChecked => "not checked",
        _ => throw new ArgumentOutOfRangeException(nameof(answer)),
    };

    /// <summary>Returns why a decision to leave a control out has no effect.</summary>
    public static string Refused(RefusedDecision refused) =>
        $"tested although the engagement calls it not applicable: {refused.Reason} "
        + $"(approved by {refused.ApprovedBy} on {refused.ApprovedOn:yyyy-MM-dd}) has no effect, because {refused.Why}";

    /// <summary>
    /// Returns one line about recorded responses that a replay had no use for, or none. A replay of a few controls leaves most files unused,
    /// and a line for each would hide everything else; run.json lists them.
    /// </summary>
    public static IEnumerable<string> Unused(ImmutableArray<(string File, long Count)> files)
    {
        if (files.IsEmpty)
            yield break;
        var count = files.Sum(f => f.Count);
        yield return $"{Count(count, "recorded response")} of {(files is [var one] ? one.File : Count(files.Length, "file"))} "
            + $"{(count == 1 ? "was" : "were")} not used";
    }

    /// <summary>Returns a number with its noun, for example <c>1 item</c> or <c>2 policies</c>.</summary>
    public static string Count(long number, string of) => number == 1 ? $"1 {of}" : $"{number} {Plural(of)}";

    private static string Plural(string noun) =>
        noun is [.., not ('a' or 'e' or 'i' or 'o' or 'u'), 'y'] ? noun[..^1] + "ies"
        : noun is [.., 's' or 'x' or 'z'] or [.., 'c' or 's', 'h'] ? noun + "es"
        : noun + "s";

    /// <summary>Returns a target and account for messages.</summary>
    public static string Place(string target, string account) => account.Length == 0 ? target.Length == 0 ? "the inputs" : target
        : account == "*" ? "all accounts together" : $"{target} {account}";
}
