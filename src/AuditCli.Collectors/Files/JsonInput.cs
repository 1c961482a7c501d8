using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Files;

/// <summary>The rows of one JSON document, read as a stream: only one row is in memory.</summary>
internal sealed class JsonInput : InputFile
{
    /// <summary>The step of a path that stands for every element or member.</summary>
    public const string Each = "*";

    private readonly JsonTokens _tokens;
    private readonly ImmutableArray<string> _path;
    private readonly JsonCells _cells;
    private readonly string _shown;
    private readonly bool _isWhole;

    /// <param name="file">The content; the reader disposes it.</param>
    /// <param name="rows">See <see cref="InputLayout.Rows"/>.</param>
    /// <param name="copy">Receives the document as it is read; null for none.</param>
    public JsonInput(Stream file, string shown, string? rows, ImmutableArray<Column> columns, JsonCopy? copy = null)
    {
        _tokens = new(file, shown, copy);
        _path = [.. (rows ?? "/*").Split('/').Skip(1).Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
        _cells = new(shown, columns);
        _shown = shown;
        _isWhole = rows is null;
    }

    public override IEnumerable<string> Remarks => [];

    public override IEnumerable<InputRecord> Records()
    {
        foreach (var record in Below(0, null))
            yield return record;
        _tokens.RequireEnd();
        _cells.RequireColumns();
    }

    protected override void Dispose(bool disposing) => _tokens.Dispose();

    /// <summary>Yields the rows of the value that comes next, which is at that step of the path.</summary>
    /// <param name="key">The name of the member that the value is; null for an element.</param>
    private IEnumerable<InputRecord> Below(int step, string? key)
    {
        if (step == _path.Length)
        {
            var row = _tokens.Value();
            yield return _cells.Record(_tokens.Begin, row, key);
            yield break;
        }
        var (segment, here) = (_path[step], $"/{string.Join('/', _path.Take(step))}");
        var type = _tokens.Read();
        var line = _tokens.Begin;
        if (step == 0 && _isWhole && type == JsonTokenType.StartObject)
            throw new InvalidDataException($"{_shown}:{line}: the document is an object; say with 'rows' where its rows are, such as /items/*");
        switch (type)
        {
            case JsonTokenType.StartArray when segment == Each:
                while (!_tokens.AtEnd())
                {
                    foreach (var record in Below(step + 1, null))
                        yield return record;
                }
                break;
            case JsonTokenType.StartObject:
                var found = segment == Each;
                while (!_tokens.AtEnd())
                {
                    var name = _tokens.Name(isKey: segment == Each && step + 1 == _path.Length);
                    if (segment == Each || (name == segment && !found))
                    {
                        foreach (var record in Below(step + 1, name))
                            yield return record;
                        found = true;
                    }
                    else if (name == segment)
                    {
                        throw new InvalidDataException($"{_shown}:{_tokens.Line}: {here} has the member '{name}' twice");
                    }
                    else
                    {
                        _tokens.Skip();
                    }
                }
                if (!found)
                    throw new InvalidDataException($"{_shown}:{line}: {here} has no member '{segment}', which 'rows' names");
                break;
            default:
                throw new InvalidDataException(
                    $"{_shown}:{line}: {here} is {JsonTokens.Word(type)}, in which '{segment}' of 'rows' finds nothing");
        }
    }
}

/// <summary>The rows of a file with one JSON object on each line.</summary>
internal sealed class NdjsonInput(Stream file, string shown, ImmutableArray<Column> columns) : InputFile
{
    private readonly JsonCells _cells = new(shown, columns);

    public override IEnumerable<string> Remarks => [];

    public override IEnumerable<InputRecord> Records()
    {
        foreach (var (index, (content, _)) in NdjsonFile.Lines(file, shown, JsonTokens.LargestRow).Index())
        {
            var text = index == 0 ? JsonTokens.WithoutMark(content.Span) : content.Span;
            if (text.ContainsAnyExcept(" \t\r"u8))
                yield return _cells.Record(index + 1, JsonTokens.Row(text, shown, index + 1), null);
        }
        _cells.RequireColumns();
    }

    protected override void Dispose(bool disposing) => file.Dispose();
}

/// <summary>Makes records of JSON objects: scalars become the text that a CSV file would have.</summary>
internal sealed class JsonCells(string shown, ImmutableArray<Column> columns)
{
    /// <summary>The column that holds the name of a row that is a member of an object.</summary>
    public const string Key = "_key";

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private string _first = "";
    private long _rows;

    /// <param name="key">The name under which the row is a member; null if it is an element.</param>
    public InputRecord Record(long line, JsonElement row, string? key)
    {
        if (row.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{shown}:{line}: a row is {JsonTokens.Word(row.ValueKind)} and must be an object");
        try
        {
            return Read(line, row, key);
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"{shown}:{line}: the name of a member is not well-formed Unicode", e);
        }
    }

    private InputRecord Read(long line, JsonElement row, string? key)
    {
        if (_rows++ == 0)
            _first = string.Join(", ", row.EnumerateObject().Select(m => $"'{m.Name}'"));
        var cells = ImmutableArray.CreateBuilder<InputCell>(columns.Length);
        foreach (var column in columns)
        {
            if (column.Name == Key && key is not null)
            {
                _seen.Add(Key);
                cells.Add(new(key));
            }
            else if (row.TryGetProperty(column.Name, out var value))
            {
                _seen.Add(column.Name);
                cells.Add(Cell(value));
            }
            else
            {
                cells.Add(default);
            }
        }
        return new(_rows, line, cells.MoveToImmutable());
    }

    /// <summary>Throws if no row had a column: a name that is written wrongly would otherwise be a column of NULL.</summary>
    public void RequireColumns()
    {
        if (_rows > 0 && columns.Where(c => !_seen.Contains(c.Name)).Select(c => $"'{c.Name}'").ToArray() is { Length: > 0 } missing)
            throw new InvalidDataException($"{shown}: no row has {string.Join(", ", missing)}; the first row has {_first}");
    }

    private static InputCell Cell(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return default;
            case JsonValueKind.String:
                try
                {
                    return new(value.GetString());
                }
                catch (InvalidOperationException)
                {
                    return new(null, "is not well-formed Unicode");
                }
            case JsonValueKind.Object or JsonValueKind.Array:
                return new(null, $"is {JsonTokens.Word(value.ValueKind)}, and a column holds a text, number or boolean");
            default:
                return new(value.GetRawText());
        }
    }
}
