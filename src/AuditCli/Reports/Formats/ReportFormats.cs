using System.Collections.Immutable;
using AuditCli.Evidence.Bundles;
using AuditCli.Reports.Formats.Html;
using AuditCli.Reports.Formats.Workbook;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats;

/// <summary>All report formats.</summary>
internal static class ReportFormats
{
    public static ImmutableArray<IReportFormat> All { get; } =
    [
        new WorkbookReport(),
        new HtmlReport(),
        new MarkdownReport(),
        new CsvReport(),
        new OscalReport(),
        new SarifReport(),
        new JunitReport(),
    ];

    /// <summary>Writes every report into a bundle that is about to be sealed.</summary>
    /// <inheritdoc cref="IReportFormat.Write" path="/exception"/>
    public static void Seal(Workpaper workpaper, BundleWriter bundle, CancellationToken cancellationToken)
    {
        foreach (var format in All)
        {
            using var file = bundle.OpenFile(BundleLayout.ReportsFolder + format.FileName);
            format.Write(workpaper, file, cancellationToken);
        }
    }
}
