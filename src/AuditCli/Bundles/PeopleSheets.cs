using System.Collections.Immutable;
using System.Text;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Makes the sheets that people fill in for a bundle: one line per open question of a control, and one per exception. The columns before
/// the first empty one say what a line is about; they are compared when the sheet comes back.
/// </summary>
internal static class PeopleSheets
{
    /// <summary>The words for an answer.</summary>
    public static readonly ImmutableSortedDictionary<string, PersonWord> Answers =
        ControlWords.Answers.ToImmutableSortedDictionary(a => a.Word, a => a.Value, StringComparer.Ordinal);

    /// <summary>The words for a disposition.</summary>
    public static readonly ImmutableSortedDictionary<string, DispositionWord> Dispositions = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal,
    [
        KeyValuePair.Create("true_deviation", DispositionWord.TrueDeviation), new("not_a_deviation", DispositionWord.NotADeviation),
        new("new_risk", DispositionWord.NewRisk), new("contradicts_assessment", DispositionWord.ContradictsAssessment),
    ]);

    /// <summary>Returns an answer as sheets spell it.</summary>
    public static string WordOf(PersonWord word) => ControlWords.Of(ControlWords.Answers, word);

    /// <summary>Returns a disposition as sheets spell it.</summary>
    public static string WordOf(DispositionWord word) => Dispositions.First(d => d.Value == word).Key;

    /// <summary>The columns of a sheet of answers: what each line is about, then what a person writes.</summary>
    public static readonly SheetColumns AnswerColumns = new(
        ["bundle", "tagmanifest_sha256", "control", "question_id", "question"], ["answer", "reference", "note", "answered_by", "answered_at"]);

    /// <summary>The columns of a sheet of dispositions.</summary>
    public static readonly SheetColumns DispositionColumns = new(
        ["bundle", "tagmanifest_sha256", "exception_id", "control", "test", "account", "item", "verdict", "reason"],
        ["disposition", "why", "decided_by", "decided_at"]);

    /// <summary>Returns the lines of the sheet of answers: every question of the bundle's controls.</summary>
    public static IEnumerable<SheetLine> Questions(OpenedBundle bundle, IEnumerable<Control> controls) => controls.SelectMany(c => c.HumanAttributes.Select(
        q => new SheetLine($"{c.Id} {q.Id}", [bundle.Id, bundle.Files.TagManifestSha256!.Value.Hex, c.Id, q.Id, q.Question])));

    /// <summary>Returns the lines of the sheet of dispositions: every exception, approved or not.</summary>
    public static IEnumerable<SheetLine> Exceptions(OpenedBundle bundle) => bundle.Results.Controls
        .SelectMany(c => OpenedBundle.TestsOf(c).SelectMany(t => bundle.Rows(c.Id, t)))
        .Where(r => r.IsException)
        .Select(r => new SheetLine(
            r.Id,
            [
                bundle.Id, bundle.Files.TagManifestSha256!.Value.Hex, r.Id, r.Control, r.Test, r.Account, r.Item,
                r.Verdict.ToString().ToLowerInvariant(), r.Reason ?? "",
            ]));

    /// <summary>Returns a sheet to be filled in, in CSV.</summary>
    public static string Write(SheetColumns columns, IEnumerable<SheetLine> lines)
    {
        var text = new StringBuilder().AppendJoin(',', columns.All).Append("\r\n");
        foreach (var line in lines)
            text.AppendJoin(',', line.Given.Select(Csv.Cell).Concat(columns.Asked.Select(_ => ""))).Append("\r\n");
        return text.ToString();
    }
}

/// <summary>The columns of a sheet.</summary>
/// <param name="Given">What a line is about. A person does not change them.</param>
/// <param name="Asked">What a person writes.</param>
internal sealed record SheetColumns(ImmutableArray<string> Given, ImmutableArray<string> Asked)
{
    public IEnumerable<string> All => Given.Concat(Asked);
}

/// <summary>A line of a sheet before a person fills it in.</summary>
/// <param name="Key">What identifies it among the lines of its sheet.</param>
internal sealed record SheetLine(string Key, ImmutableArray<string> Given);
