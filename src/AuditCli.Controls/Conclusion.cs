namespace AuditCli.Controls;

/// <summary>
/// The conclusion of a test, a partition or a control. The order is the precedence: a control's conclusion is the first in this
/// order that any of its tests has in any partition.
/// </summary>
public enum Conclusion
{
    /// <summary>A deviation that no valid waiver covers, seen in complete evidence.</summary>
    Fail,

    /// <summary>The test itself failed to run.</summary>
    Error,

    /// <summary>Evidence could not be read, two counts do not agree, or an item could not be determined.</summary>
    Inconclusive,

    /// <summary>A question to a person is open.</summary>
    NeedsReview,

    /// <summary>The population is complete and has no uncovered deviation.</summary>
    Pass,

    /// <summary>The evidence is complete, and there was nothing to test.</summary>
    NoOccurrence,

    /// <summary>The engagement leaves the control out, with a reason and an approver.</summary>
    NotApplicable,
}
