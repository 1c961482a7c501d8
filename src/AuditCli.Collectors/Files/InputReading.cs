using System.Collections.Immutable;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Files;

/// <summary>
/// Reads one input as the rows that tests see, and keeps the remarks: cells that do not fit, approvals that do not count, characters that
/// were removed. Both the check before the first request and the collection use it, so that their findings agree.
/// </summary>
internal sealed class InputReading(PlannedInput planned, SuppliedInput supplied)
{
    private const int NotesListed = 20;
    private readonly string _shown = supplied.Shown;
    private readonly List<string> _notes = [];
    private readonly ImmutableArray<(string Column, string Stated, ColumnTotal Total)> _totals =
    [
        .. planned.Columns.Where(c => ColumnTotal.IsFor(c) && supplied.StatedTotals.ContainsKey(c.Name))
            .Select(c => (c.Name, supplied.StatedTotals[c.Name], new ColumnTotal(c))),
    ];
    private long _unlisted;
    private long _rows;

    /// <summary>The number of rows that were read so far.</summary>
    public long RowsRead => _rows;

    /// <summary>The failures that make the table incomplete.</summary>
    public FailureTally Failures { get; } = new();

    /// <summary>The remarks that do not make the table incomplete: the first ones as text, then the number of the others.</summary>
    public IEnumerable<string> Notes => _unlisted == 0 ? _notes : _notes.Append($"{_shown}: {_unlisted} more remarks of these kinds");

    /// <summary>The keys that the control declares, and the item column of an approval.</summary>
    private ImmutableSortedDictionary<string, ImmutableArray<string>> Keys =>
        planned.Approval is [var item, ..] && !planned.Keys.ContainsKey(item) ? planned.Keys.Add(item, []) : planned.Keys;

    /// <summary>Yields every row in file order.</summary>
    /// <param name="path">The full path of the file.</param>
    /// <exception cref="InvalidDataException">The file is not such a table; the message begins with the file and line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<InputRow> Rows(string path)
    {
        using var file = InputFile.Open(path, _shown, supplied.Layout, planned.Columns);
        foreach (var row in new InputTable(planned.Columns, Keys).Rows(file.Records()))
        {
            foreach (var misfit in row.Misfits)
                Judge(row, misfit);
            foreach (var column in planned.Approval.Where(c => !row.Row.TryGetProperty(c, out _) && row.Misfits.All(m => m.Column != c)))
                Note($"{_shown}:{row.Line}: no {column}; this approval does not count");
            foreach (var column in row.Cleaned)
                Note($"{_shown}:{row.Line}: {column} is read without its invisible characters and the white space at its ends");
            _rows++;
            foreach (var (_, _, total) in _totals)
                total.Add(row.Row);
            yield return row;
        }
        foreach (var remark in file.Remarks)
            Note(remark);
    }

    /// <summary>Returns where the rows contradict what their supplier states.</summary>
    public IEnumerable<(string Code, string Description)> Contradictions()
    {
        if (supplied.StatedRows is { } stated && stated != _rows)
            yield return (Codes.StatedRowsDiffer, $"{stated} rows were stated, but it has {_rows}");
        foreach (var (column, said, total) in _totals)
        {
            if (total.IfNot(said) is { } sum)
                yield return (Codes.StatedTotalsDiffer, $"a total of {said} was stated for {column}, but it is {sum}");
        }
    }

    /// <summary>Records a cell that is not in the row because it does not fit its column.</summary>
    public void Judge(InputRow row, Misfit misfit)
    {
        var message = $"{_shown}:{row.Line}: {misfit.Column} {misfit.Description}";
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
