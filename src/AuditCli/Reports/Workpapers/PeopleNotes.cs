using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Text;

namespace AuditCli.Reports.Workpapers;

/// <summary>Says what people added to the evidence: their answers, with both conclusions, and their dispositions of exceptions.</summary>
internal static class PeopleNotes
{
    /// <param name="concluded">Null for a bundle to which nobody added anything, which has no notes.</param>
    public static IEnumerable<string> Of(RunConcluded? concluded, EvaluationResults results)
    {
        if (concluded is null)
            yield break;
        yield return $"concluded over bundle {concluded.BundleId} (tag manifest {concluded.TagmanifestSha256[..16]}) at {RunRecord.Second(concluded.At)} "
            + $"by {concluded.User} on {concluded.Machine}, with {Wording.Count(concluded.Sheets.Length, "sheet")}";
        foreach (var note in results.Controls.SelectMany(c => Of(c).Concat((c.Dispositions ?? []).Select(Of))))
            yield return note;
    }

    /// <summary>Says what the answers changed of a control, and gives each.</summary>
    public static IEnumerable<string> Of(ControlResult control)
    {
        if (control.Collected is { } before && before != control.Conclusion)
            yield return $"{control.Id}: {Wording.Name(control.Conclusion)} with people's answers, {Wording.Name(before)} by the evidence alone";
        foreach (var answer in control.Answers ?? [])
        {
            yield return $"{control.Id}: question {answer.Question} is answered {Word(answer.Answer)} by {answer.AnsweredBy} "
                + $"at {Rfc3339.Format(answer.AnsweredAt)}{After("; reference: ", answer.Reference)}{After("; ", answer.Note)}";
        }
    }

    /// <summary>Says what a person makes of an exception.</summary>
    public static string Of(Disposition disposition) =>
        $"{disposition.ExceptionId}: {disposition.DecidedBy} says at {Rfc3339.Format(disposition.DecidedAt)} that it is "
        + $"{Word(disposition.Word)}{After(": ", disposition.Why)}; its verdict stays";

    private static string Word(PersonWord word) => word switch
    {
        PersonWord.Yes => "yes",
        PersonWord.No => "no",
        PersonWord.Na => "not applicable",
        _ => "not found",
    };

    private static string Word(DispositionWord word) => word switch
    {
        DispositionWord.TrueDeviation => "a true deviation",
        DispositionWord.NotADeviation => "not a deviation",
        DispositionWord.NewRisk => "a new risk",
        _ => "a contradiction of the assessment",
    };

    private static string After(string before, string? text) => text is null ? "" : before + text;
}
