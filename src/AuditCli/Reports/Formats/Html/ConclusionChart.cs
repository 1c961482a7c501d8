using AuditCli.Controls;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats.Html;

/// <summary>Draws the conclusions as inline SVG: a ring over all controls and a bar per domain.</summary>
internal static class ConclusionChart
{
    private const double Around = 100;

    /// <summary>Returns the class name of a conclusion in the style sheet.</summary>
    public static string Class(Conclusion conclusion) => Wording.Name(conclusion).ToLowerInvariant().Replace('_', '-');

    public static void Write(HtmlWriter html, Workpaper workpaper)
    {
        html.Markup("<div class=\"chart\"><div class=\"ring\">");
        html.Write($"<svg viewBox=\"0 0 42 42\" role=\"img\" aria-label=\"{workpaper.Controls.Length} controls: {workpaper.TotalsLine}\">");
        html.Markup("<circle class=\"track\" cx=\"21\" cy=\"21\" r=\"15.9155\"/>");
        var begun = 0d;
        foreach (var (conclusion, count) in workpaper.Totals)
        {
            // The circumference at radius 15.9155 is 100, so parts are percentages.
            var part = Around * count / workpaper.Controls.Length;
            var drawn = part >= Around ? Around : Math.Max(part - 0.8, 0.4);
            html.Write($"<circle class=\"arc s-{Class(conclusion)}\" cx=\"21\" cy=\"21\" r=\"15.9155\"");
            html.Write($" stroke-dasharray=\"{drawn} {Around - drawn}\" stroke-dashoffset=\"{25 - begun}\"/>");
            begun += part;
        }
        html.Write($"<text class=\"count\" x=\"21\" y=\"21.5\">{workpaper.Controls.Length}</text>");
        html.Write($"<text class=\"unit\" x=\"21\" y=\"26\">{(workpaper.Controls.Length == 1 ? "control" : "controls")}</text></svg>");
        html.Markup("<ul class=\"legend\">");
        foreach (var (conclusion, count) in workpaper.Totals)
            html.Write($"<li><span class=\"dot b-{Class(conclusion)}\"></span><b>{count}</b> {Wording.Name(conclusion)}</li>");
        html.Markup("</ul></div><dl class=\"bars\">");
        foreach (var domain in workpaper.Domains)
            WriteDomain(html, domain);
        html.Markup("</dl></div>");
    }

    private static void WriteDomain(HtmlWriter html, IGrouping<ItgcDomain, WorkpaperControl> domain)
    {
        var counts = domain.GroupBy(c => c.Result.Conclusion).OrderBy(g => g.Key).Select(g => (Conclusion: g.Key, Count: g.Count())).ToArray();
        var all = domain.Count();
        html.Write($"<div><dt>{Wording.Name(domain.Key)}</dt><dd><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
        var begun = 0d;
        foreach (var (conclusion, count) in counts)
        {
            var part = Around * count / all;
            html.Write($"<rect class=\"f-{Class(conclusion)}\" x=\"{begun}\" y=\"0\" width=\"{Math.Max(part - 0.5, 0.2)}\" height=\"10\"/>");
            begun += part;
        }
        html.Write($"</svg><span>{string.Join(", ", counts.Select(c => $"{c.Count} {Wording.Name(c.Conclusion)}"))}</span></dd></div>");
    }
}
