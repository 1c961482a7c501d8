using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>What was found in the files that management gave. Each text begins with file and, where there is one, line.</summary>
/// <param name="Faults">Because of these nothing may be asked.</param>
/// <param name="Remarks">What cannot be judged by these files, or does not count; the run goes on and its results say so.</param>
public sealed record InputFindings(ImmutableArray<string> Faults, ImmutableArray<string> Remarks);

/// <summary>
/// Reads every input before the first request: a run of an hour must not end with a missing column, and a credential must not be
/// found in a file when the bundle is about to be sealed.
/// </summary>
public static class InputCheck
{
    private const int FaultsListed = 20;

    /// <summary>Reads them all; every fault is returned.</summary>
    /// <param name="planned">Which are read as tables, by whom.</param>
    /// <param name="supplied">Every file, by the path that messages show.</param>
    /// <param name="allowSecrets">Whether what looks like a credential is no fault.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static InputFindings Of(
        ImmutableArray<PlannedInput> planned, ImmutableArray<SuppliedInput> supplied, bool allowSecrets, CancellationToken cancellationToken)
    {
        var (faults, remarks) = (ImmutableArray.CreateBuilder<string>(), ImmutableArray.CreateBuilder<string>());
        foreach (var input in supplied)
        {
            try
            {
                if (!allowSecrets && InputSearch.First(input.Path, input.Shown, cancellationToken) is { } found)
                    faults.Add($"{found}; take it out, or say --allow-secrets, which the bundle will record");
                foreach (var read in planned.Where(p => p.Input == input.Name))
                    Read(read, input, faults, remarks, cancellationToken);
            }
            catch (Exception e) when (e is InvalidDataException or System.Xml.XmlException)
            {
                faults.Add($"{input.Shown}: cannot be searched for credentials: {e.Message}; hand it in as text, or say --allow-secrets, which the bundle will record");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                faults.Add($"{input.Shown}: cannot be read: {e.Message}");
            }
        }
        return new([.. faults.Distinct()], [.. remarks.Distinct()]);
    }

    private static void Read(
        PlannedInput planned, SuppliedInput input, ImmutableArray<string>.Builder faults, ImmutableArray<string>.Builder remarks, CancellationToken cancellationToken)
    {
        var reading = new InputReading(planned, input.Shown);
        var rows = 0L;
        var (closed, unlisted) = (new List<string>(), 0L);
        try
        {
            foreach (var row in reading.Rows(File.OpenRead(input.Path)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                rows++;
                // A word that a closed column does not know means that somebody and the control do not speak of the same thing.
                foreach (var misfit in row.Misfits.Where(m => planned.Keys.TryGetValue(m.Column, out var words) && !words.IsEmpty))
                {
                    if (closed.Count < FaultsListed)
                        closed.Add($"{input.Shown}:{row.Line}: {misfit.Column} {misfit.Description}");
                    else
                        unlisted++;
                }
            }
        }
        catch (InvalidDataException e)
        {
            faults.Add(e.Message);
            return;
        }
        faults.AddRange(closed);
        if (unlisted > 0)
            faults.Add($"{input.Shown}: {unlisted} more cells of closed columns hold another word");
        remarks.AddRange(reading.Notes);
        if (closed.Count == 0)
        {
            remarks.AddRange(reading.Failures.Failures.Select(f =>
                f.Count == 1 ? $"{f.Message}; what rests on it is inconclusive" : $"{f.Message}, and {f.Count - 1} more cells; what rests on them is inconclusive"));
        }
        if (input.StatedRows is { } stated && stated != rows)
            remarks.Add($"{input.Shown}: was said to have {stated} rows and has {rows}; what rests on it is inconclusive");
    }
}
