using AuditCli.Reports.Workpapers;

namespace AuditCli.Reports.Formats;

/// <summary>Writes a workpaper in one form. Equal workpapers give equal bytes.</summary>
internal interface IReportFormat
{
    /// <summary>The word of <c>--format</c>.</summary>
    string Name { get; }

    /// <summary>The file's name, below <c>data/reports/</c> and wherever a report is written to.</summary>
    string FileName { get; }

    /// <summary>Whether it is text in UTF-8, which a terminal or a pipe can take.</summary>
    bool IsText { get; }

    /// <summary>Writes the whole report; the stream stays open.</summary>
    /// <exception cref="InvalidDataException">A file of the bundle is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read, or the report cannot be written.</exception>
    void Write(Workpaper workpaper, Stream output, CancellationToken cancellationToken);
}
