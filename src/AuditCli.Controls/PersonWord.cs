namespace AuditCli.Controls;

/// <summary>The answers that a person can give to a question of a control.</summary>
public enum PersonWord
{
    Yes,
    No,

    /// <summary>The question does not apply; the note says why.</summary>
    Na,

    /// <summary>What the question asks for could not be found, which counts as no.</summary>
    NotFound,
}
