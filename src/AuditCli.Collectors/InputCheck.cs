using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors;

/// <summary>What a run would find in a file that management gave.</summary>
/// <param name="Path">Of the file, as given.</param>
/// <param name="Rows">How many records could be read.</param>
/// <param name="Faults">At most <see cref="InputCheck.MostFaults"/>, each with the file's line.</param>
/// <param name="FaultCount">All of them.</param>
public sealed record CheckedInput(PlannedInput Planned, string Path, long Rows, ImmutableArray<string> Faults, long FaultCount);

/// <summary>Opens inputs as a run would, before there is one, and keeps nothing of them.</summary>
public static class InputCheck
{
    /// <summary>Of each file, so that a wrong column does not fill the screen.</summary>
    public const int MostFaults = 5;

    /// <summary>Reads the file: its columns, the types of its cells, and the number of its rows.</summary>
    public static CheckedInput Check(PlannedInput planned, SuppliedInput supplied, CancellationToken cancellationToken)
    {
        var faults = ImmutableArray.CreateBuilder<string>();
        var (rows, count) = (0L, 0L);
        void Fault(string message)
        {
            if (++count <= MostFaults)
                faults.Add(message);
        }
        try
        {
            using var csv = CsvReader.Open(supplied.Path);
            foreach (var row in new InputTable(csv, planned.Columns).Rows())
            {
                cancellationToken.ThrowIfCancellationRequested();
                rows++;
                if (row.Misfit is { } misfit)
                    Fault($"{misfit.Column}: {misfit.Description}");
            }
            if (supplied.StatedRows is { } stated && stated != rows)
                Fault($"it was said to have {stated} rows and has {rows}");
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Fault(e.Message);
        }
        return new(planned, supplied.Path, rows, faults.ToImmutable(), count);
    }
}
