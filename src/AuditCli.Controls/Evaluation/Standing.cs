namespace AuditCli.Controls.Evaluation;

/// <summary>What decides a test's conclusion besides the verdicts on its items.</summary>
/// <param name="Broken">Whether a completeness check failed to run.</param>
/// <param name="Missing">Whether evidence of the test is incomplete, or a completeness check does not agree.</param>
/// <param name="Away">Whether a state was read too far from <c>as_of</c>, or by a clock that is not reliable.</param>
/// <param name="UnknownWaivers">Whether the register of approvals is incomplete.</param>
internal readonly record struct Standing(bool Broken, bool Missing, bool Away, bool UnknownWaivers)
{
    /// <summary>Returns the conclusion of a test that ran. Evaluation and the check of sealed results both use it.</summary>
    public Conclusion Conclude(ItemCounts counts) =>
        Broken ? Conclusion.Error
        : counts.Deviations > 0 ? Conclusion.Fail
        // Approvals from a register that is incomplete, or not the declared one, cannot be relied on.
        : UnknownWaivers && counts.Approved > 0 ? Conclusion.Inconclusive
        : Missing || Away || counts.Indicated > 0 || counts.Undetermined > 0 ? Conclusion.Inconclusive
        : counts.Population == 0 ? Conclusion.NoOccurrence
        : Conclusion.Pass;

    /// <summary>Returns the conclusion of a control from those of its tests.</summary>
    public static Conclusion Of(Control control, IReadOnlyCollection<Conclusion> tests)
    {
        // Without tests the conclusion is not NO_OCCURRENCE.
        var conclusion = tests.Count == 0 ? Conclusion.Inconclusive : tests.Min();
        return !control.HumanAttributes.IsEmpty && conclusion is (Conclusion.Pass or Conclusion.NoOccurrence) ? Conclusion.NeedsReview : conclusion;
    }
}
