using System.Globalization;
using System.Text;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Workpapers;
using AuditCli.Text;

namespace AuditCli.Reports.Formats;

/// <summary>
/// Writes a summary in GitHub-flavoured Markdown, for example as the summary of a CI job: conclusions per domain, reasons, and the first
/// exceptions of each control.
/// </summary>
internal sealed class MarkdownReport : IReportFormat
{
    private const int ExceptionsShown = 20;
    private const int TextShown = 300;
    private const int PersonShown = 2000;

    public string Name => "md";

    public string FileName => "summary.md";

    public bool IsText => true;

    public void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken)
    {
        using var text = new StreamWriter(output, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        if (workpaper.Run.ReplayLine is { } replay)
            text.WriteLine($"**{Escape(replay)}**\n");
        text.WriteLine($"# {Escape(workpaper.Title)}\n");
        text.WriteLine($"**{workpaper.TotalsLine}**\n");
        text.WriteLine("| | |\n|---|---|");
        foreach (var (label, value) in workpaper.Identification)
            text.WriteLine($"| {Escape(label)} | {Escape(value)} |");
        WriteScope(text, workpaper);
        foreach (var domain in workpaper.Domains)
            WriteDomain(text, domain);
        WriteExceptions(text, workpaper, cancellationToken);
        text.WriteLine("\n## What the controls are\n");
        text.WriteLine("| control | version | origin | holds for | SHA-256 |\n|---|---|---|---|---|");
        foreach (var control in workpaper.Controls)
        {
            var result = control.Result;
            text.WriteLine($"| {Escape(result.Id)} | {Escape(result.Version)} | {result.Origin.ToString().ToLowerInvariant()} | "
                + $"{Escape(workpaper.SpanOf(control))} | `{result.Sha256}` |");
        }
    }

    private static void WriteScope(TextWriter text, Workpaper workpaper)
    {
        text.WriteLine("\n## Scope, and what narrows it\n");
        foreach (var note in workpaper.Notes)
            text.WriteLine($"- {(note.Narrows ? "**!** " : "")}{Escape(note.Text)}");
        if (workpaper.Notes.IsEmpty)
            text.WriteLine("Nothing narrows it.");
    }

    private static void WriteDomain(TextWriter text, IGrouping<ItgcDomain, WorkpaperControl> domain)
    {
        text.WriteLine($"\n## {Wording.Name(domain.Key)}\n");
        text.WriteLine("| control | title | conclusion | population | exceptions | approved | rows of its evidence |\n|---|---|---|--:|--:|--:|---|");
        foreach (var control in domain)
        {
            var (result, counts) = (control.Result, control.Counts);
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {Escape(result.Id)} | {Escape(result.Title)} | **{Escape(control.Conclusion)}** | {Escape(counts.PopulationWords)} | "
                + $"{counts.Exceptions} | {counts.Approved} | {Escape(control.TableRowsLine)} |"));
        }
        var reasons = domain
            .SelectMany(c => c.Reasons.Concat(ControlReasons.Remarks(c.Result)).Select(r => (c.Result.Id, Reason: r))).ToArray();
        if (reasons.Length > 0)
            text.WriteLine();
        foreach (var (id, reason) in reasons)
            text.WriteLine($"- {Escape(id)}: {Escape(reason)}");
    }

    private static void WriteExceptions(TextWriter text, Workpaper workpaper, CancellationToken cancellationToken)
    {
        foreach (var control in workpaper.Controls)
        {
            var (answered, isListed) = (control.Answered, control.Counts.Exceptions + control.Counts.Indicated + control.Counts.Undetermined > 0);
            if (!isListed && answered.IsEmpty)
                continue;
            text.WriteLine($"\n### Exceptions of {Escape(control.Result.Id)}\n");
            text.WriteLine($"{Escape(control.Counts.Words)}. {Escape(control.Conclusion)}: {Escape(control.Meaning)}.\n");
            foreach (var answer in answered)
                text.WriteLine($"- {Markdown.Escape(answer, PersonShown)}");
            if (!answered.IsEmpty)
                text.WriteLine();
            if (!isListed)
                continue;
            var isConcluded = workpaper.Run.Concluded is not null;
            text.WriteLine($"| exception | test | account | item | result | reason |{(isConcluded ? " a person says |" : "")}");
            text.WriteLine($"|---|---|---|---|---|---|{(isConcluded ? "---|" : "")}");
            var count = 0L;
            foreach (var test in control.Tests)
            {
                foreach (var row in workpaper.Bundle.Rows(control.Result.Id, test))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    // An approved exception is listed only for what a person says of it.
                    if (row.Verdict == ItemVerdict.Pass || (row.Verdict == ItemVerdict.Approved && control.SaidOf(row) is null)
                        || ++count > ExceptionsShown)
                        continue;
                    text.WriteLine($"| {Escape(row.ExceptionId ?? "")} | {Escape(test)} | {Escape(Wording.Place(row.Target, row.Account))} | "
                        + $"{Code(row.Item)} | {row.Result} | {Escape(row.Reason ?? "")} |"
                        + $"{(isConcluded ? $" {Markdown.Escape(control.SaidOf(row) ?? "", PersonShown)} |" : "")}");
                }
            }
            if (count > ExceptionsShown)
                text.WriteLine($"\n{ExceptionsShown} of {count} are shown; all are in {BundleLayout.ResultsFolder}, and in the other reports.");
        }
    }

    private static string Escape(string value) => Markdown.Escape(value, TextShown);

    /// <summary>Returns an item as a code element, with every character that could be markup encoded.</summary>
    private static string Code(string value)
    {
        var shown = Terminal.Line(value, TextShown);
        var text = new StringBuilder("<code>");
        foreach (var c in shown)
        {
            if (char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c) && c is not (' ' or '/' or '-' or '.' or ','))
                text.Append(CultureInfo.InvariantCulture, $"&#{(int)c};");
            else
                text.Append(c);
        }
        return text.Append("</code>").ToString();
    }
}
