using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors;

/// <summary>
/// Reads one input as the rows that tests see, and keeps what a reader must know of it: cells that do not fit, approvals that do not
/// count, characters that were taken out. The check before the first request and the collection read through it, so that they cannot
/// say different things.
/// </summary>
/// <param name="shown">How messages call the file.</param>
internal sealed class InputReading(PlannedInput planned, string shown)
{
    private const int NotesListed = 20;
    private readonly List<string> _notes = [];
    private long _unlisted;

    /// <summary>What makes the table incomplete.</summary>
    public FailureTally Failures { get; } = new();

    /// <summary>What does not, the first of it word for word.</summary>
    public IEnumerable<string> Notes => _unlisted == 0 ? _notes : _notes.Append($"{shown}: {_unlisted} more remarks of these kinds");

    /// <summary>What the control declares, and the item that an approval names.</summary>
    private ImmutableSortedDictionary<string, ImmutableArray<string>> Keys =>
        planned.Approval is [var item, ..] && !planned.Keys.ContainsKey(item) ? planned.Keys.Add(item, []) : planned.Keys;

    /// <summary>Every row, in file order.</summary>
    /// <param name="file">Owned by the reading.</param>
    /// <exception cref="InvalidDataException">The file is no such table; the message begins with file and line.</exception>
    public IEnumerable<InputRow> Rows(Stream file)
    {
        using var csv = new CsvReader(file, shown);
        foreach (var row in new InputTable(csv, planned.Columns, Keys).Rows())
        {
            foreach (var misfit in row.Misfits)
                Judge(row, misfit);
            foreach (var column in planned.Approval.Where(c => !row.Row.TryGetProperty(c, out _) && row.Misfits.All(m => m.Column != c)))
                Note($"{shown}:{row.Line}: no {column}; this approval does not count");
            foreach (var column in row.Cleaned)
                Note($"{shown}:{row.Line}: {column} is read without its invisible characters and the white space at its ends");
            yield return row;
        }
        if (csv.EmptyAtEnd > 0)
            Note($"{shown}: {csv.EmptyAtEnd} empty rows at the end are left out");
        if (csv.UnnamedColumns > 0)
            Note($"{shown}:1: {csv.UnnamedColumns} empty columns without a name are left out");
    }

    /// <summary>Takes note of a cell that is not in the row because it does not fit.</summary>
    public void Judge(InputRow row, Misfit misfit)
    {
        var message = $"{shown}:{row.Line}: {misfit.Column} {misfit.Description}";
        if (planned.Approval.IsEmpty)
            Failures.Add(Misfits.Code, message);
        else
            Note(planned.Approval.Contains(misfit.Column) ? $"{message}; this approval does not count" : message);
    }

    private void Note(string text)
    {
        if (_notes.Count < NotesListed)
            _notes.Add(text);
        else
            _unlisted++;
    }
}
