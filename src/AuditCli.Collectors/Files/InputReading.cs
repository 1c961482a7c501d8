using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Reads one input as the rows that tests see, and keeps the remarks: cells that do not fit, approvals that do not count, characters that
/// were removed. Both the check before the first request and the collection use it, so that their findings agree.
/// </summary>
/// <param name="shown">The file name used in messages.</param>
internal sealed class InputReading(PlannedInput planned, string shown)
{
    private const int NotesListed = 20;
    private readonly List<string> _notes = [];
    private long _unlisted;

    /// <summary>The failures that make the table incomplete.</summary>
    public FailureTally Failures { get; } = new();

    /// <summary>The remarks that do not make the table incomplete: the first ones as text, then the number of the others.</summary>
    public IEnumerable<string> Notes => _unlisted == 0 ? _notes : _notes.Append($"{shown}: {_unlisted} more remarks of these kinds");

    /// <summary>The keys that the control declares, and the item column of an approval.</summary>
    private ImmutableSortedDictionary<string, ImmutableArray<string>> Keys =>
        planned.Approval is [var item, ..] && !planned.Keys.ContainsKey(item) ? planned.Keys.Add(item, []) : planned.Keys;

    /// <summary>Yields every row in file order.</summary>
    /// <param name="file">Disposed by this method.</param>
    /// <exception cref="InvalidDataException">The file is not such a table; the message begins with the file and line.</exception>
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
            Note($"{shown}: {csv.EmptyAtEnd} empty rows at the end are ignored");
        if (csv.UnnamedColumns > 0)
            Note($"{shown}:1: {csv.UnnamedColumns} empty columns without a name are ignored");
    }

    /// <summary>Records a cell that is not in the row because it does not fit its column.</summary>
    public void Judge(InputRow row, Misfit misfit)
    {
        var message = $"{shown}:{row.Line}: {misfit.Column} {misfit.Description}";
        if (planned.Approval.IsEmpty)
            Failures.Add(Codes.ValueDoesNotFit, message);
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
