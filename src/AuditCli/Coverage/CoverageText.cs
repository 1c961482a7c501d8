using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Bundles;
using AuditCli.Reports;
using AuditCli.Text;

namespace AuditCli.Coverage;

/// <summary>Writes the text of <c>coverage</c>. Text from a bundle or a library is shortened, and its control characters are escaped.</summary>
internal sealed class CoverageText(TextWriter output, CoverageReport report)
{
    private const int Short = 200;
    private const string Gap = "no control";

    public void Write()
    {
        for (var i = 0; i < report.Bundles.Length; i++)
            Line($"{Number(i)}{Head(report.Bundles[i])}");
        if (report.Pack is { } pack)
            Line($"pack {pack.Name}: {pack.Title}{(pack.StatesClauses ? "" : "; it does not say what it stands for, so whole frameworks are listed")}");
        if (!report.Domains.IsEmpty)
        {
            Line("");
            Line("DOMAINS");
            Rows(report.Domains, "domain");
        }
        foreach (var (framework, rows) in report.Frameworks)
        {
            Line("");
            Line($"{framework.Key.ToUpperInvariant()}  {framework.Title}, {framework.Publisher}, {framework.Version}");
            Line($"  {(framework.Complete ? "complete" : "a selection")}: {framework.Listed}");
            Rows(rows, "clause");
        }
        if (!report.Unreferenced.IsEmpty)
        {
            Line("");
            Line("FRAMEWORKS TO WHICH NO CONTROL REFERS");
            foreach (var framework in report.Unreferenced)
                Line($"  {framework.Key}  {framework.Title}: {Wording.Count(framework.Clauses.Length, "clause")}, {Gap}");
        }
        Line("");
        foreach (var note in report.Notes)
            Line($"note: {note}");
        Line("A control helps to meet a clause; it never meets one alone.");
    }

    private void Rows(ImmutableArray<CoverageRow> rows, string noun)
    {
        var width = rows.SelectMany(r => r.Controls).Select(c => c.Id.Length).DefaultIfEmpty().Max();
        foreach (var row in rows)
        {
            Line($"  {row.Id}  {row.Words}");
            if (row.IsGap)
                Line($"      {Gap}{(report.Pack is { } pack && !row.Controls.IsEmpty ? $" in the pack {pack.Name}; the library has {Names(row)}" : "")}");
            foreach (var control in row.Controls.Where(c => c.InPack))
                Control(control, width);
        }
        Line($"  {Totals(rows, noun)}");
    }

    private void Control(CoveringControl control, int width)
    {
        var id = control.Id.PadRight(width);
        switch (control.Answers)
        {
            case []:
                Line($"      {id}  {control.Title}");
                break;
            case [var only]:
                Line($"      {id}  {only.Shown}  {control.Title}");
                break;
            default:
                Line($"      {id}  {control.Title}");
                foreach (var (answer, i) in control.Answers.Select((a, i) => (a, i)))
                    Line($"        {Number(i)}{answer.Shown}");
                break;
        }
    }

    private string Totals(ImmutableArray<CoverageRow> rows, string noun)
    {
        var gaps = rows.Count(r => r.IsGap);
        var tested = report.Bundles.IsEmpty ? ""
            : string.Create(CultureInfo.InvariantCulture, $", {rows.Count(r => r.IsTested)} with one that was tested");
        return string.Create(
            CultureInfo.InvariantCulture, $"{Wording.Count(rows.Length, noun)}: {rows.Length - gaps} with a control{tested}, {gaps} with {Gap}");
    }

    private static string Names(CoverageRow row) => string.Join(", ", row.Controls.Select(c => c.Id));

    private static string Head(OpenedBundle bundle) => $"{bundle.Id}: {bundle.Record.Entity}, {bundle.Record.Name}, as of {bundle.Record.AsOf}"
        + (bundle.Record.IsReplay ? ", a REPLAY of recorded exchanges" : "");

    /// <summary>Returns the number by which a bundle is called; empty for the only one.</summary>
    private string Number(int index) => report.Bundles.Length == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"[{index + 1}] ");

    private void Line(string text) => output.WriteLine(Terminal.Line(text, Short * 5));
}
