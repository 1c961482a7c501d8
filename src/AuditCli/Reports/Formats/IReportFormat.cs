using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats;

/// <summary>Writes a workpaper in one format. Equal workpapers give equal bytes.</summary>
internal interface IReportFormat
{
    /// <summary>The name of the format for <c>--format</c>.</summary>
    string Name { get; }

    /// <summary>The file name, in <c>data/reports/</c> and wherever else the report is written.</summary>
    string FileName { get; }

    /// <summary>Whether the report is UTF-8 text, which can be written to stdout.</summary>
    bool IsText { get; }

    /// <summary>Writes the whole report and leaves the stream open.</summary>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read, or the report cannot be written.</exception>
    void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken);
}
