namespace AuditCli.Evidence.Bundles;

/// <summary>The result of one check. A check that was not made never counts as <see cref="Holds"/>.</summary>
public enum VerifyAnswer
{
    Holds,
    Fails,

    /// <summary>The check was made but could neither confirm nor refute.</summary>
    Undecided,
    NotChecked,
}

/// <summary>One thing that is wrong, or could not be decided.</summary>
/// <param name="Question">The line to which it belongs.</param>
/// <param name="Code">A code that is stable between versions, such as <c>CONTENT_MODIFIED</c>.</param>
/// <param name="Path">The path from the bundle's root; the root itself is a point.</param>
/// <param name="Answer">Either <see cref="VerifyAnswer.Fails"/> or <see cref="VerifyAnswer.Undecided"/>.</param>
public sealed record VerifyProblem(string Question, string Code, string Path, string Message, VerifyAnswer Answer);
