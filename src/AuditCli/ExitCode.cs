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
}
