using AuditCli.Controls;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Verification;

namespace AuditCli;

/// <summary>The exit codes of the process.</summary>
public static class ExitCode
{
    /// <summary>Nothing to report, or every question asked holds.</summary>
    public const int Ok = 0;

    /// <summary>The command line, a control or the engagement is wrong, or the program failed.</summary>
    public const int Usage = 1;

    /// <summary>A control failed, or a check of a bundle failed.</summary>
    public const int Failed = 2;

    /// <summary>No failure, but something could not be concluded, read or decided.</summary>
    public const int Undecided = 3;

    /// <summary>Interrupted; nothing was sealed.</summary>
    public const int Interrupted = 130;

    /// <summary>Returns the exit code of a verification.</summary>
    public static int Of(VerifyReport report) => report.Answer switch
    {
        VerifyAnswer.Fails => Failed,
        VerifyAnswer.Undecided => Undecided,
        _ => Ok,
    };

    /// <summary>Returns the exit code of conclusions: 2 with a FAIL, 3 with anything that is not concluded.</summary>
    internal static int Of(IEnumerable<Conclusion> conclusions)
    {
        var all = conclusions.ToHashSet();
        return all.Contains(Conclusion.Fail) ? Failed
            // If every control is out of scope, nothing was tested, and 0 would claim that nothing is wrong.
            : all.Overlaps([Conclusion.Inconclusive, Conclusion.Error, Conclusion.NeedsReview]) || all.SetEquals([Conclusion.NotApplicable])
                ? Undecided
            : Ok;
    }
}
