using System.Collections.Immutable;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Files;

/// <summary>The findings on the files that management supplied. Each text begins with the file and, if there is one, the line.</summary>
/// <param name="Faults">Findings that prevent the run; no request may be sent.</param>
/// <param name="Remarks">
/// Findings on content that cannot be judged or does not count; the run continues and its results repeat them.
/// </param>
/// <param name="Checked">The inputs of the engagement, in its order.</param>
public sealed record InputFindings(ImmutableArray<string> Faults, ImmutableArray<string> Remarks, ImmutableArray<CheckedInput> Checked);

/// <summary>An input that was opened.</summary>
/// <param name="Shown">The file as messages show it.</param>
/// <param name="Rows">The number of rows; null if no control reads it as a table.</param>
/// <param name="IsLimited">Whether tests that depend on it are inconclusive.</param>
public sealed record CheckedInput(string Name, string Shown, long? Rows, bool IsLimited);

/// <summary>
/// Checks every input before the first request, so that a run of an hour does not end because of a missing column, and a credential in a
/// file is not found only when the bundle is about to be sealed.
/// </summary>
public static class InputCheck
{
    private const int FaultsListed = 20;

    /// <summary>Reads all inputs and returns every finding.</summary>
    /// <param name="planned">The inputs that are read as tables, with the columns that controls declare for them.</param>
    /// <param name="supplied">Every supplied file, with the path that messages show.</param>
    /// <param name="allowSecrets">Whether text that looks like a credential is accepted.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static InputFindings Of(
        ImmutableArray<PlannedInput> planned, ImmutableArray<SuppliedInput> supplied, bool allowSecrets, CancellationToken cancellationToken)
    {
        var (faults, remarks) = (ImmutableArray.CreateBuilder<string>(), ImmutableArray.CreateBuilder<string>());
        var opened = ImmutableArray.CreateBuilder<CheckedInput>();
        foreach (var input in supplied)
        {
            try
            {
                if (!allowSecrets && InputSearch.First(input.Path, input.Shown, cancellationToken) is { } secret)
                    faults.Add($"{secret}; remove it, or use --allow-secrets, which the bundle records");
                var tables = planned.Where(p => p.Input == input.Name).ToArray();
                var numbers = tables.SelectMany(t => t.Columns).Where(ColumnTotal.IsFor).Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
                if (tables.Length > 0)
                {
                    faults.AddRange(input.StatedTotals.Keys.Where(c => !numbers.Contains(c))
                        .Select(c => $"{input.Shown}: stated_totals names '{c}', which no control reads as a number"));
                }
                if (PersonalCopy.Refusal(input, PersonalCopy.ColumnsOf(input.Name, planned)) is { } refusal)
                    faults.Add($"{input.Shown}: {refusal}");
                var found = tables.Select(t => Read(t, input, faults, remarks, cancellationToken)).ToArray();
                // The engagement is searched like an input, and has no name.
                if (input.Name.Length > 0)
                    opened.Add(new(input.Name, input.Shown, found is [var (rows, _), ..] ? rows : null, found.Any(f => f.IsLimited)));
            }
            catch (Exception e) when (e is InvalidDataException or System.Xml.XmlException)
            {
                faults.Add(
                    $"{input.Shown}: cannot be searched for credentials: {e.Message}; "
                        + "supply it as text, or use --allow-secrets, which the bundle records");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                faults.Add($"{input.Shown}: cannot be read: {e.Message}");
            }
        }
        // Messages quote cells and headings, and these may be what must not be printed.
        return new([.. faults.Select(InputSearch.Clean).Distinct()], [.. remarks.Select(InputSearch.Clean).Distinct()], opened.ToImmutable());
    }

    /// <summary>Reads a table; returns how many rows it has, and whether its content makes tests inconclusive.</summary>
    private static (long Rows, bool IsLimited) Read(
        PlannedInput planned, SuppliedInput input, ImmutableArray<string>.Builder faults, ImmutableArray<string>.Builder remarks,
        CancellationToken cancellationToken)
    {
        var reading = new InputReading(planned, input);
        var (closed, unlisted) = (new List<string>(), 0L);
        try
        {
            foreach (var row in reading.Rows(input.Path))
            {
                cancellationToken.ThrowIfCancellationRequested();
                // An unknown word in a column with a closed list means that the file and the control use different vocabularies.
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
            return (reading.RowsRead, true);
        }
        faults.AddRange(closed);
        if (unlisted > 0)
            faults.Add($"{input.Shown}: {unlisted} more cells of columns with a fixed list of words contain another word");
        remarks.AddRange(reading.Notes);
        if (closed.Count == 0)
        {
            remarks.AddRange(reading.Failures.Failures.Select(f =>
                f.Count == 1
                    ? $"{f.Message}; tests that depend on it are inconclusive"
                    : $"{f.Message}, and {f.Count - 1} more {(f.Count == 2 ? "cell" : "cells")}; tests that depend on them are inconclusive"));
        }
        var contradictions = reading.Contradictions().ToArray();
        remarks.AddRange(contradictions.Select(c => $"{input.Shown}: {c.Description}; tests that depend on it are inconclusive"));
        return (reading.RowsRead, contradictions.Length > 0 || !reading.Failures.IsEmpty);
    }
}
