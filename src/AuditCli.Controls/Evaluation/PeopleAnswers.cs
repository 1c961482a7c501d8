using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>A person's answer to a question of a control (<see cref="HumanQuestion"/>).</summary>
/// <param name="Question">The question's id.</param>
/// <param name="Reference">Where the answer can be checked; null if it was not stated.</param>
public sealed record PersonAnswer(
    string Question, PersonWord Answer, string AnsweredBy, DateTimeOffset AnsweredAt, string? Reference = null, string? Note = null);

/// <summary>What a person makes of an exception. It never changes the verdict on the item.</summary>
public enum DispositionWord
{
    TrueDeviation,
    NotADeviation,

    /// <summary>It shows a risk that the assessment did not have.</summary>
    NewRisk,

    /// <summary>It contradicts another piece of evidence or the assessment of the risk.</summary>
    ContradictsAssessment,
}

/// <summary>A person's disposition of an exception.</summary>
public sealed record Disposition(
    string ExceptionId, string Test, string Account, string Item, DispositionWord Word, string DecidedBy, DateTimeOffset DecidedAt, string? Why = null);

/// <summary>
/// Concludes a control again with a person's answers. An answer resolves NEEDS_REVIEW or worsens the conclusion; nothing that a person says
/// makes a PASS of a conclusion that evidence gave.
/// </summary>
public static class PeopleAnswers
{
    /// <summary>Returns the control's result with the answers and dispositions; the same result if there are none.</summary>
    public static ControlResult Conclude(
        ControlResult collected, Control control, ImmutableArray<PersonAnswer> answers, ImmutableArray<Disposition> dispositions)
    {
        if (answers.IsEmpty && dispositions.IsEmpty)
            return collected;
        var conclusion = Conclude(collected, control, answers);
        return collected with
        {
            Conclusion = conclusion,
            Collected = collected.Conclusion,
            Answers = answers.IsEmpty ? null : [.. answers.OrderBy(a => a.Question, StringComparer.Ordinal)],
            Dispositions = dispositions.IsEmpty ? null
                : [.. dispositions.OrderBy(d => d.ExceptionId, StringComparer.Ordinal).ThenBy(d => d.Test, StringComparer.Ordinal)],
        };
    }

    private static Conclusion Conclude(ControlResult collected, Control control, ImmutableArray<PersonAnswer> answers)
    {
        // A control that was left out stays out: nobody evaluated what the answers are about.
        if (collected.Conclusion == Conclusion.NotApplicable)
            return collected.Conclusion;
        if (answers.Any(a => a.Answer is PersonWord.No or PersonWord.NotFound))
            return Conclusion.Fail;
        var isAnswered = control.HumanAttributes.All(q => answers.Any(a => a.Question == q.Id));
        return collected.Conclusion == Conclusion.NeedsReview && isAnswered && !collected.Tests.IsEmpty
            ? collected.Tests.Min(t => t.Conclusion)
            : collected.Conclusion;
    }
}
