using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence.Text;
using AuditCli.Reports;
using AuditCli.Reports.Workpapers;
using AuditCli.Running;
using AuditCli.Text;
using Spectre.Console;

namespace AuditCli.Commands;

/// <summary>Formats the summary of a run: per ITGC domain, each control with its counts, its conclusion and its first limitation.</summary>
internal static class RunSummary
{
    private const int PopulationWidth = 21;
    private const int CountsWidth = PopulationWidth + 11 + 9;
    private const int ConclusionWidth = 30;
    private const int MinTitleWidth = 34;
    private const int MaxTitleWidth = 66;

    /// <summary>Writes the summary as text that fits the width of the console, as far as possible.</summary>
    public static void Write(IAnsiConsole console, FinishedRun run)
    {
        var (engagement, facts, results) = (run.Prepared.Engagement, run.Facts, run.Results);
        if (run.Record.ReplayLine is { } replay)
            Line(console, replay, "bold yellow");
        Line(console, $"{engagement.Entity}, {engagement.Name}", "bold");
        Line(
            console,
            $"period {engagement.Period.Start:yyyy-MM-dd} to {engagement.Period.End:yyyy-MM-dd} ({engagement.Period.TimeZone}), "
            + $"as of {Second(facts.AsOf)}");
        foreach (var domain in results.Controls.GroupBy(c => c.Domain).OrderBy(g => g.Key))
        {
            console.WriteLine();
            WriteDomain(console, run, Wording.Name(domain.Key), [.. domain]);
        }
        WriteScope(console, run);
        console.WriteLine();
        Line(console, Totals(results), "bold");
        Line(console, $"bundle {run.Path}");
        Line(console, $"tagmanifest sha256 {run.Bundle.TagManifestSha256}");
        foreach (var line in run.Signed is { } signed ? Commands.SealCommand.Describe(signed) : ["not signed"])
            Line(console, line);
        if (results.Controls.Any(c => c.Conclusion == Conclusion.NeedsReview))
            Line(console, $"next: {PeopleNotes.Next(run.Path, run.Record.Concluded)}");
    }

    /// <summary>Returns the summary as one JSON object, for <c>--output json</c>.</summary>
    public static string Json(FinishedRun run) => new JsonObject
    {
        ["bundle"] = run.Path,
        ["tagmanifest_sha256"] = run.Bundle.TagManifestSha256.Hex,
        ["mode"] = run.Facts.Mode,
        ["signed"] = run.Signed is { } signed
            ? new JsonObject
            {
                ["head"] = signed.Head.Hex,
                ["sequence"] = signed.Sequence,
                ["stamped"] = signed.Stamped is { } at ? Rfc3339.Format(at) : null,
                ["time_stamp_failures"] = new JsonArray([.. signed.TimeStampFailures.Select(f => (JsonNode)f)]),
            }
            : null,
        ["conclusions"] = new JsonObject(Enum.GetValues<Conclusion>()
            .Select(c => (c, run.Results.Controls.Count(r => r.Conclusion == c)))
            .Where(c => c.Item2 > 0).Select(c => KeyValuePair.Create(Wording.Name(c.c), (JsonNode?)c.Item2))),
        ["controls"] = new JsonArray([.. run.Results.Controls.Select(c => (JsonNode)new JsonObject
        {
            ["id"] = c.Id,
            ["title"] = c.Title,
            ["conclusion"] = Wording.Name(c.Conclusion),
            ["population"] = c.Population,
            ["deviations"] = c.Deviations,
            ["approved"] = c.Approved,
            ["tests"] = new ControlCounts(c).TestsJson(),
            ["limitations"] = new JsonArray([.. ControlReasons.Of(c, run.Partitions(c)).Select(r => (JsonNode)r)]),
            ["open_questions"] = PeopleNotes.OpenJson(c, Definition(run, c)),
        })]),
    }.ToJsonString(PrintedJson.Options);

    private static void WriteDomain(IAnsiConsole console, FinishedRun run, string name, ImmutableArray<ControlResult> controls)
    {
        var idWidth = Math.Max(7, controls.Max(c => c.Id.Length)) + 2;
        var titleWidth = Math.Min(MaxTitleWidth, console.Profile.Width - idWidth - CountsWidth - ConclusionWidth);
        Line(console, name.ToUpperInvariant(), "bold");
        if (titleWidth >= MinTitleWidth)
        {
            Line(
                console,
                $"{"control".PadRight(idWidth)}{"title".PadRight(titleWidth)}{"population",PopulationWidth}{"exceptions",11}{"approved",9} conclusion",
                "dim");
        }
        foreach (var control in controls)
        {
            var counts = new ControlCounts(control);
            if (titleWidth >= MinTitleWidth)
            {
                console.Write(new Spectre.Console.Text(
                    $"{control.Id.PadRight(idWidth)}{Cut(PrintableText.Of(control.Title), titleWidth - 1).PadRight(titleWidth)}"
                    + $"{Cut(counts.PopulationCell, PopulationWidth - 1),PopulationWidth}{counts.Exceptions,11}{counts.Approved,9} "));
            }
            else
            {
                // On a narrow console the title gets a line of its own, so that counts and conclusion are never cut off.
                Line(console, $"{control.Id.PadRight(idWidth)}{Cut(control.Title, console.Profile.Width - idWidth - 1)}");
                if (!counts.Tests.IsEmpty && control.Population is not null)
                    Line(console, $"{"".PadRight(idWidth)}{counts.Words}");
                console.Write(new Spectre.Console.Text("".PadRight(idWidth)));
            }
            Line(console, ControlReasons.Conclusion(control), Style(control.Conclusion));
            if (control.Population is null)
            {
                foreach (var (test, count) in counts.Tests)
                    Line(console, $"{"".PadRight(idWidth)}{test}: {count.Words}");
            }
            if (ControlReasons.Of(control, run.Partitions(control)).FirstOrDefault() is { } reason)
                Line(console, $"{"".PadRight(idWidth)}{Cut(reason, console.Profile.Width - idWidth - 1)}", "dim");
            if (control.Conclusion == Conclusion.NeedsReview)
            {
                foreach (var question in PeopleNotes.Unanswered(control, Definition(run, control)))
                    Line(console, $"{"".PadRight(idWidth)}{PeopleNotes.Open(question)}", "dim");
            }
        }
    }

    private static Control? Definition(FinishedRun run, ControlResult control) =>
        run.Prepared.Plan.Controls.Select(c => c.Control).FirstOrDefault(c => c.Id == control.Id);

    /// <summary>Writes everything that narrows the scope or differs from the shipped library, so that a weakened run is visible.</summary>
    private static void WriteScope(IAnsiConsole console, FinishedRun run)
    {
        var notes = ScopeNotes.Of(run.Record, run.Results);
        if (notes.IsEmpty)
            return;
        console.WriteLine();
        Line(console, "SCOPE", "bold");
        foreach (var note in notes)
            Line(console, note.Text);
    }

    private static string Totals(EvaluationResults results) => string.Join(", ", Enum.GetValues<Conclusion>()
        .Select(c => (Conclusion: c, Count: results.Controls.Count(r => r.Conclusion == c)))
        .Where(c => c.Count > 0).Select(c => $"{c.Count} {Wording.Name(c.Conclusion)}"));

    private static string Second(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static string Cut(string text, int width)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= width ? line : line[..(width - 1)] + "…";
    }

    private static string Style(Conclusion conclusion) => conclusion switch
    {
        Controls.Conclusion.Fail or Controls.Conclusion.Error => "bold red",
        Controls.Conclusion.Inconclusive or Controls.Conclusion.NeedsReview => "bold yellow",
        Controls.Conclusion.Pass => "bold green",
        _ => "bold",
    };

    private static void Line(IAnsiConsole console, string text, string style = "default")
    {
        // Escape control characters: the text may come from a provider or from an untrusted control.
        console.Write(new Spectre.Console.Text(PrintableText.Of(text), Spectre.Console.Style.Parse(style)));
        console.WriteLine();
    }
}
