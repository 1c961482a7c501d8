using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Reads the fixtures of a control. Cells become JSON by their column's type, so that a text stays text even when it looks
/// like a number; an empty cell is absent.
/// </summary>
public sealed class FixtureLoader
{
    private static readonly ImmutableArray<(string Word, CollectionOutcome Value)> Outcomes =
        [("complete", CollectionOutcome.Complete), ("incomplete", CollectionOutcome.Incomplete), ("failed", CollectionOutcome.Failed)];

    private readonly FaultList _faults = new();
    private readonly Control _control;

    private FixtureLoader(Control control) => _control = control;

    /// <summary>Reads the cases; returns null with every fault of the file.</summary>
    public static (FixtureFile? Fixtures, ImmutableArray<Diagnostic> Faults) Load(LibraryFile file, Control control)
    {
        ArgumentNullException.ThrowIfNull(file);
        var loader = new FixtureLoader(control);
        var fixtures = loader.Read(file);
        return (loader._faults.Count == 0 ? fixtures : null, loader._faults.InOrder());
    }

    private FixtureFile? Read(LibraryFile file)
    {
        var (root, faults) = YamlDocument.Parse(file.ShownAs, file.Content.Span, escapes: true);
        _faults.AddRange(faults);
        if (root is null || MapReader.Of(root, "a file of fixtures", _faults) is not { } map)
            return null;
        var cases = ImmutableArray.CreateBuilder<FixtureCase>();
        foreach (var item in map.Items("cases", atLeast: 1))
        {
            if (MapReader.Of(item, "a case", _faults) is not { } reader)
                continue;
            var read = Case(reader);
            if (read.Name.Length > 0 && cases.Any(c => c.Name == read.Name))
                _faults.Meaning(reader.Map.Find("name")!.Position, $"a case above already has the name '{read.Name}'");
            cases.Add(read);
        }
        map.Close();
        return new(file.ShownAs, cases.ToImmutable());
    }

    private FixtureCase Case(MapReader reader)
    {
        var name = reader.Text("name");
        var parameters = Parameters(reader);
        var asOf = reader.Optional("as_of") is { } moment ? NodeReader.Timestamp(moment, "'as_of'", _faults) : null;
        var (start, end) = Period(reader);
        var (readFrom, readUntil) = Read(reader);
        var partitions = reader.Entries("partitions", TextForm.Name, atLeast: 1).Select(Partition).OfType<FixturePartition>();
        var read = new FixtureCase(name, parameters, asOf, start, end, [.. partitions], Inputs(reader), Expect(reader),
            reader.Map.Position.Line)
        {
            ReadFrom = readFrom,
            ReadUntil = readUntil,
            Answers = Answers(reader),
        };
        reader.Close();
        return read;
    }

    private ImmutableSortedDictionary<string, JsonElement> Parameters(MapReader reader)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, value) in reader.OptionalEntries("parameters", TextForm.Parameter))
        {
            var parameter = _control.Parameters.FirstOrDefault(p => p.Name == name.Text);
            if (parameter is null)
            {
                var hint = NearMiss.Hint(name.Text, _control.Parameters.Select(p => p.Name));
                _faults.Meaning(name.Position, $"{_control.Id} has no parameter '{name.Text}'{hint}");
            }
            else if (ParameterValue.Read(value, parameter.Column, parameter.Form, $"parameter '{name.Text}' of {_control.Id}", _faults) is { } typed)
                values[name.Text] = typed;
        }
        return values.ToImmutable();
    }

    private ImmutableSortedDictionary<string, PersonWord> Answers(MapReader reader)
    {
        var answers = ImmutableSortedDictionary.CreateBuilder<string, PersonWord>(StringComparer.Ordinal);
        foreach (var (question, value) in reader.OptionalEntries("answers", TextForm.PartId))
        {
            if (_control.HumanAttributes.All(q => q.Id != question.Text))
            {
                var hint = NearMiss.Hint(question.Text, _control.HumanAttributes.Select(q => q.Id));
                _faults.Meaning(question.Position, $"{_control.Id} has no question '{question.Text}' in its human_attributes{hint}");
            }
            if (NodeReader.Word(value, $"the answer to '{question.Text}'", ControlWords.Answers, _faults) is { } word)
                answers[question.Text] = word;
        }
        return answers.ToImmutable();
    }

    private (DateOnly? Start, DateOnly? End) Period(MapReader reader)
    {
        if (reader.OptionalMap("period") is not { } period)
            return (null, null);
        var (start, end) = (period.Date("start"), period.Date("end"));
        period.Close();
        if (start > end)
            _faults.Meaning(period.Map.Find("end")!.Position, $"the period ends on {end:yyyy-MM-dd}, before it starts on {start:yyyy-MM-dd}");
        return (start, end);
    }

    private (DateTimeOffset? From, DateTimeOffset? Until) Read(MapReader reader)
    {
        if (reader.OptionalMap("read") is not { } read)
            return (null, null);
        DateTimeOffset? Moment(string key) => read.Required(key) is { } node ? NodeReader.Timestamp(node, $"'{key}'", _faults) : null;
        var (from, until) = (Moment("from"), Moment("until"));
        read.Close();
        if (from > until)
            _faults.Meaning(read.Map.Find("until")!.Position, "'until', when the last evidence was read, is before 'from'");
        return (from, until);
    }

    private FixturePartition? Partition(YamlEntry entry)
    {
        if (MapReader.Of(entry.Value, $"partition '{entry.Key.Text}'", _faults) is not { } reader)
            return null;
        var tables = Tables(reader.OptionalEntries("evidence", TextForm.Name), files: false);
        reader.Close();
        return new(entry.Key.Text, tables);
    }

    private ImmutableSortedDictionary<string, FixtureTable> Inputs(MapReader reader) =>
        Tables(reader.OptionalEntries("inputs", TextForm.Name), files: true);

    private ImmutableSortedDictionary<string, FixtureTable> Tables(ImmutableArray<YamlEntry> entries, bool files)
    {
        var tables = ImmutableSortedDictionary.CreateBuilder<string, FixtureTable>(StringComparer.Ordinal);
        foreach (var (name, value) in entries)
        {
            if (MapReader.Of(value, $"'{name.Text}'", _faults) is not { } reader)
                continue;
            var need = _control.Evidence.FirstOrDefault(e => e.Name == name.Text);
            if (need is null)
            {
                var hint = NearMiss.Hint(name.Text, _control.Evidence.Select(e => e.Name));
                _faults.Meaning(name.Position, $"{_control.Id} has no evidence '{name.Text}'{hint}");
            }
            else if (need.IsFile != files)
                _faults.Meaning(name.Position, files
                    ? $"'{name.Text}' is read from {need.Source}, so it belongs under a partition's 'evidence'"
                    : $"'{name.Text}' is a file, which every partition sees, so it belongs under the case's 'inputs'");
            tables[name.Text] = Table(reader, need is { } known && known.IsFile == files ? known : null, files);
        }
        return tables.ToImmutable();
    }

    private FixtureTable Table(MapReader reader, EvidenceNeed? need, bool file)
    {
        var items = reader.OptionalItems("rows");
        var rows = Rows(items, "row", need is null ? null : file ? need.Columns : [.. need.Columns, .. need.AddedColumns], file);
        if (file)
        {
            if (reader.Map.Find("rows") is null)
                _faults.Form(reader.Map.Position, "the key 'rows' is missing");
            reader.Close();
            return new(rows, CollectionOutcome.Complete, null, []);
        }
        var outcome = reader.OptionalWord("outcome", Outcomes) ?? CollectionOutcome.Complete;
        var code = reader.OptionalText("code");
        var callItems = reader.OptionalItems("calls");
        var calls = Rows(callItems, "call", need?.CallColumns, file: false);
        reader.Close();
        if (need is { ForEach: null } && reader.Map.Find("calls") is { } stray)
            _faults.Meaning(stray.Position, $"'{need.Name}' has no 'for_each', so it has no calls");
        if (outcome == CollectionOutcome.Failed && !items.IsEmpty)
            _faults.Meaning(reader.Map.Find("rows")!.Position, "a failed request returns no rows; remove them, or write 'outcome: incomplete'");
        if (outcome != CollectionOutcome.Complete && code is null && reader.Map.Find("code") is null)
            _faults.Meaning(reader.Map.Find("outcome")!.Position, "give the provider's error in 'code', such as AccessDenied");
        return new(rows, outcome, code, calls);
    }

    private ImmutableArray<JsonElement> Rows(ImmutableArray<YamlNode> items, string label, ImmutableArray<Column>? columns, bool file)
    {
        var rows = ImmutableArray.CreateBuilder<JsonElement>();
        foreach (var item in items)
        {
            if (item is not YamlMap map)
            {
                _faults.Form(item.Position, $"a {label} must be a map of columns, but is {item.Described}");
                continue;
            }
            if (columns is { } known)
                rows.Add(Row(map, known, file));
        }
        return rows.ToImmutable();
    }

    private JsonElement Row(YamlMap map, ImmutableArray<Column> columns, bool file)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in map.Entries)
            {
                var column = columns.FirstOrDefault(c => c.Name == name.Text);
                if (column is null)
                {
                    _faults.Meaning(name.Position, $"there is no column '{name.Text}'{NearMiss.Hint(name.Text, columns.Select(c => c.Name))}");
                    continue;
                }
                // An empty cell of a CSV file is NULL; an API can send an empty text, which is different from an absent one.
                if (TypedValue.IsNull(value) || (file && value is YamlScalar { Text: "" })
                    || TypedValue.ReadCell(value, column, $"'{name.Text}'", _faults) is not { } typed)
                    continue;
                writer.WritePropertyName(name.Text);
                typed.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        using var document = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, checked((int)buffer.Length)));
        return document.RootElement.Clone();
    }

    private FixtureExpectation Expect(MapReader reader)
    {
        if (reader.RequiredMap("expect") is not { } expect)
            return new(default, [], [], []);
        var read = new FixtureExpectation(expect.Word("conclusion", ControlWords.Conclusions) ?? default,
            expect.OptionalTexts("deviations"), expect.OptionalTexts("approved"), expect.OptionalTexts("undetermined"))
        {
            Indicated = expect.Map.Find("indicated") is null ? null : expect.OptionalTexts("indicated"),
            Unmatched = Unmatched(expect.OptionalEntries("unmatched", TextForm.Name)),
            Rows = ExpectedRows(expect.OptionalEntries("rows", keys: null)),
        };
        expect.Close();
        return read;
    }

    private ImmutableSortedDictionary<string, ImmutableArray<string>> Unmatched(ImmutableArray<YamlEntry> registers)
    {
        var read = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        var listed = _control.Evidence.Where(n => n.Unmatched is not null).Select(n => n.Name).ToImmutableArray();
        foreach (var (name, value) in registers)
        {
            if (!listed.Contains(name.Text))
                _faults.Meaning(name.Position, $"{_control.Id} lists no unmatched rows of '{name.Text}'{NearMiss.Hint(name.Text, listed)}");
            read[name.Text] = NodeReader.Texts(value, $"the unmatched rows of '{name.Text}'", 0, _faults);
        }
        return read.ToImmutable();
    }

    private ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string?>> ExpectedRows(ImmutableArray<YamlEntry> items)
    {
        var rows = ImmutableSortedDictionary.CreateBuilder<string, ImmutableSortedDictionary<string, string?>>(StringComparer.Ordinal);
        foreach (var (item, value) in items)
        {
            if (value is not YamlMap map)
            {
                _faults.Form(value.Position, $"the expected row of '{item.Text}' must be a map of columns, but is {value.Described}");
                continue;
            }
            var columns = ImmutableSortedDictionary.CreateBuilder<string, string?>(StringComparer.Ordinal);
            foreach (var (column, said) in map.Entries)
            {
                if (said is YamlScalar scalar)
                    columns[column.Text] = TypedValue.IsNull(scalar) ? null : scalar.Text;
                else
                    _faults.Form(said.Position, $"'{column.Text}' must be one value, but is {said.Described}");
            }
            rows[item.Text] = columns.ToImmutable();
        }
        return rows.ToImmutable();
    }
}
