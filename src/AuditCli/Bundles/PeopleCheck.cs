using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// Concludes with what people said, and checks that a concluded bundle says what its own sheets and the collected bundle in it say, so that no
/// command prints an answer that nobody gave.
/// </summary>
internal static class PeopleCheck
{
    /// <summary>Returns the results with what people said.</summary>
    public static EvaluationResults Conclude(EvaluationResults collected, ImmutableArray<Control> controls, PeopleSaid said) => collected with
    {
        Controls =
        [
            .. collected.Controls.Select(c => controls.FirstOrDefault(d => d.Id == c.Id) is { } control
                ? PeopleAnswers.Conclude(c, control, said.Answers.GetValueOrDefault(c.Id, []), said.Dispositions.GetValueOrDefault(c.Id, []))
                : c),
        ],
    };

    /// <summary>Returns the first contradiction; null if there is none, or if nobody concluded the bundle.</summary>
    /// <param name="bundle">A bundle whose shards are all here.</param>
    /// <exception cref="InvalidDataException">A file is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static string? WhyNot(OpenedBundle bundle, ImmutableArray<EvidenceSource> sources)
    {
        if (bundle.Record.Concluded is not { } concluded || bundle.Files.Shards is not [var shard])
            return null;
        if (WhyOtherSheets(bundle.Files, concluded) is { } other)
            return other;
        var files = bundle.Files.OpenShard(shard);
        var (again, faults) = Again(OpenedBundle.Open(files, files.Read(BundleLayout.Run)), bundle.Files, concluded, sources);
        return faults is [var fault, ..] ? fault
            : JsonDifference.Between(Json(bundle.Results), Json(again)).FirstOrDefault() is { } difference
                ? $"{difference.Path} is {PrintableText.Of(difference.Before ?? "nothing")}, and the sheets and the collected bundle give "
                    + PrintableText.Of(difference.After ?? "nothing")
            : null;
    }

    /// <summary>Reads the sheets of a bundle again, and concludes with them.</summary>
    /// <param name="collected">The collected bundle.</param>
    /// <param name="files">The concluded one.</param>
    /// <returns>The results, and the lines that do not count.</returns>
    /// <inheritdoc cref="WhyNot" path="/exception"/>
    public static (EvaluationResults Results, ImmutableArray<string> Faults) Again(
        OpenedBundle collected, BundleFolder files, RunConcluded concluded, ImmutableArray<EvidenceSource> sources)
    {
        var controls = collected.Results.Controls.Select(c => collected.ControlOf(c, sources)).OfType<Control>().ToImmutableArray();
        var reader = new SheetReader(collected, collected.Scope(sources).Engagement, controls, RunRecord.Instant(concluded.At, "at"));
        foreach (var sheet in concluded.Sheets.Where(s => files.Has(s.File)))
            reader.Read(new MemoryStream(files.Read(sheet.File)), sheet.Name);
        return (Conclude(collected.Results, controls, reader.Said), reader.Faults);
    }

    /// <summary>Returns the first sheet that is not the one that the record names, is missing, or is not named.</summary>
    public static string? WhyOtherSheets(BundleFolder files, RunConcluded concluded)
    {
        foreach (var sheet in concluded.Sheets)
        {
            if (!files.Has(sheet.File))
                return $"{PrintableText.Of(sheet.File)} is not in the bundle, although {BundleLayout.Run} names it";
            if (files.DigestOf(sheet.File).Hex != sheet.Sha256)
                return $"{PrintableText.Of(sheet.File)} is not the sheet that {BundleLayout.Run} names";
        }
        return files.Below(BundleLayout.PeopleFolder).Except(concluded.Sheets.Select(s => s.File), StringComparer.Ordinal).FirstOrDefault() is { } more
            ? $"{more} is a sheet that {BundleLayout.Run} does not name"
            : null;
    }

    private static JsonElement Json(EvaluationResults results) => JsonElement.Parse(ResultsJson.Write(results));
}
