using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AuditCli.Bundles;
using AuditCli.Controls;
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
        if (Changed(control) is { } changed)
            yield return $"{control.Id}: {changed}";
        foreach (var answer in control.Answers ?? [])
            yield return $"{control.Id}: question {answer.Question} is answered {Of(answer)}";
    }

    /// <summary>Says the same of one control, with the text of each question; every question of an answered control has a line.</summary>
    /// <param name="definition">The control's file; null if it cannot be read.</param>
    public static IEnumerable<string> Answered(ControlResult control, Control? definition)
    {
        if (control.Answers is not { IsEmpty: false } answers)
            yield break;
        if (Changed(control) is { } changed)
            yield return changed;
        foreach (var answer in answers)
            yield return $"question {answer.Question}{TextOf(definition, answer.Question)} is answered {Of(answer)}";
        foreach (var open in Unanswered(control, definition))
            yield return Open(open);
    }

    /// <summary>Returns the questions of a control that nobody answered; none if the control's file cannot be read.</summary>
    public static IEnumerable<HumanQuestion> Unanswered(ControlResult control, Control? definition) =>
        (definition?.HumanAttributes ?? []).Where(q => !(control.Answers ?? []).Any(a => a.Question == q.Id));

    /// <summary>Names the open questions of a control that waits for them, and the command with which they are answered.</summary>
    /// <param name="bundle">The bundle as the command names it.</param>
    /// <param name="concluded">Null for a bundle that nobody concluded. A concluded one is not concluded again.</param>
    public static IEnumerable<string> WaitsFor(ControlResult control, Control? definition, string bundle, RunConcluded? concluded) =>
        control.Conclusion != Conclusion.NeedsReview
            ? []
            : [.. Unanswered(control, definition).Select(Open), $"next: {Next(bundle, concluded)}"];

    /// <summary>Returns the command that writes the sheets in which people answer.</summary>
    /// <inheritdoc cref="WaitsFor" path="/param"/>
    public static string Next(string bundle, RunConcluded? concluded) => concluded is null
        ? $"auditcli conclude {bundle} --sheets DIR"
        : $"auditcli conclude {concluded.BundleId} --sheets DIR (the collected bundle; give all sheets again)";

    /// <summary>Says that a question is open.</summary>
    public static string Open(HumanQuestion question) => $"question {question.Id} is open: {question.Question}";

    /// <summary>Returns the questions that people have not answered, as the member <c>open_questions</c> of JSON output.</summary>
    public static JsonArray OpenJson(ControlResult control, Control? definition) => new([
        .. Unanswered(control, definition).Select(q => (JsonNode)new JsonObject { ["id"] = q.Id, ["question"] = q.Question }),
    ]);

    /// <summary>Returns what people make of the exceptions of controls, by exception id.</summary>
    public static ImmutableDictionary<string, string> Dispositions(params IEnumerable<ControlResult> controls) => controls
        .SelectMany(c => c.Dispositions ?? []).DistinctBy(d => d.ExceptionId)
        .ToImmutableDictionary(d => d.ExceptionId, Said, StringComparer.Ordinal);

    /// <summary>Gives an answer: its word, who gave it and when, and what supports it.</summary>
    public static string Of(PersonAnswer answer) =>
        $"{Word(answer.Answer)} by {answer.AnsweredBy} at {Rfc3339.Format(answer.AnsweredAt)}"
        + $"{After("; reference: ", answer.Reference)}{After("; ", answer.Note)}";

    /// <summary>Says what a person makes of an exception.</summary>
    public static string Of(Disposition disposition) => $"{disposition.ExceptionId}: {Said(disposition)}";

    /// <summary>Says the same without the exception's id, for a place that has it.</summary>
    private static string Said(Disposition disposition) =>
        $"{disposition.DecidedBy} says at {Rfc3339.Format(disposition.DecidedAt)} that it is "
        + $"{Word(disposition.Word)}{After(": ", disposition.Why)}; its verdict stays";

    private static string? Changed(ControlResult control) => control.Collected is { } before && before != control.Conclusion
        ? $"{Wording.Name(control.Conclusion)} with people's answers, {Wording.Name(before)} by the evidence alone"
        : null;

    private static string TextOf(Control? definition, string question) =>
        definition?.HumanAttributes.FirstOrDefault(q => q.Id == question) is { } found ? $" ({found.Question})" : "";

    /// <summary>Returns an answer as reports word it.</summary>
    public static string Word(PersonWord word) => word switch
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
