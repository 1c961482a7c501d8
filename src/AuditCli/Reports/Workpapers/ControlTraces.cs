using AuditCli.Bundles;

namespace AuditCli.Reports.Workpapers;

/// <summary>Computes the traces of a bundle's items once for all reports: exceptions first, then other items up to the limit.</summary>
internal sealed class ControlTraces(OpenedBundle bundle)
{
    /// <summary>The maximum number of traced items per control.</summary>
    public const int Most = 1000;
    private readonly Dictionary<string, IReadOnlyDictionary<(string Test, long Line), ItemTrace>> _traces = new(StringComparer.Ordinal);

    /// <summary>
    /// Returns the traces of a control by test and line of its rows file; without items beyond the first <see cref="Most"/>.
    /// </summary>
    /// <exception cref="InvalidDataException">A file is not what it should be; the message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public IReadOnlyDictionary<(string Test, long Line), ItemTrace> Of(WorkpaperControl control, CancellationToken cancellationToken)
    {
        if (_traces.TryGetValue(control.Result.Id, out var known))
            return known;
        PopulationRow[] rows = [.. Items(control, cancellationToken)];
        var traces = EvidenceTrace.Of(bundle, control.Result.Id, control.Definition, rows, keepRows: false, cancellationToken);
        return _traces[control.Result.Id] = rows.Zip(traces).ToDictionary(t => (t.First.Test, t.First.Line), t => t.Second);
    }

    /// <summary>Returns the items that are traced: those that do not pass, then others.</summary>
    public IEnumerable<PopulationRow> Items(WorkpaperControl control, CancellationToken cancellationToken) =>
        Rows(control, cancellationToken).Where(r => r.Verdict != ItemVerdict.Pass)
            .Concat(Rows(control, cancellationToken).Where(r => r.Verdict == ItemVerdict.Pass)).Take(Most);

    private IEnumerable<PopulationRow> Rows(WorkpaperControl control, CancellationToken cancellationToken)
    {
        foreach (var row in control.Tests.SelectMany(t => bundle.Rows(control.Result.Id, t)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return row;
        }
    }
}
