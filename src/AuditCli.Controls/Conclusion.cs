namespace AuditCli.Controls;

/// <summary>
/// What a test, a partition or a control concludes. The order is the precedence: the first that any test and partition has is
/// the control's.
/// </summary>
public enum Conclusion
{
    /// <summary>A deviation that no valid waiver covers, seen in complete evidence.</summary>
    Fail,

    /// <summary>The test itself broke.</summary>
    Error,

    /// <summary>Something could not be read, two counts do not agree, or an item could not be determined.</summary>
    Inconclusive,

    /// <summary>A question to a person is open.</summary>
    NeedsReview,

    /// <summary>A population, complete, without an uncovered deviation.</summary>
    Pass,

    /// <summary>Complete, and there was nothing to test.</summary>
    NoOccurrence,

    /// <summary>The engagement leaves it out, with a reason and an approver.</summary>
    NotApplicable,
}
