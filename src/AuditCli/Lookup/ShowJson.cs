using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;
using AuditCli.Reports;
using AuditCli.Reports.Workpapers;

namespace AuditCli.Lookup;

/// <summary>
/// Writes the JSON of <c>show --output json</c>: one object, with the selection as one member. The JSON is ASCII, so control characters are
/// always escaped. Populations, lists of exchanges and bodies are complete and are streamed; the rows behind an item are limited to those
/// that the text shows, with their total number.
/// </summary>
internal sealed class ShowJson : IDisposable
{
    private const int FlushAt = 64 * 1024;
    private const int MostRows = 5;
    private const int Depth = 1000;
    private readonly OpenedBundle _bundle;
    private readonly AuditHost _host;
    private readonly TextWriter _output;
    private readonly MemoryStream _buffer = new();
    private readonly Utf8JsonWriter _json;
    private readonly ExchangeJson _exchanges;
    private (string Control, ImmutableDictionary<string, string> Said)? _said;

    public ShowJson(TextWriter output, OpenedBundle bundle, AuditHost host)
    {
        (_output, _bundle, _host) = (output, bundle, host);
        // Text that JSON cannot hold (an unpaired surrogate) is replaced; --raw prints the bytes.
        _json = new(_buffer, new JsonWriterOptions { MaxDepth = Depth });
        _exchanges = new(_json, bundle);
    }

    public void Dispose()
    {
        _json.Dispose();
        _buffer.Dispose();
    }

    /// <summary>Writes the object and ends the line.</summary>
    /// <param name="exchange">The exchange of a selection of one; otherwise null.</param>
    /// <exception cref="InvalidDataException">A file is not the one that was sealed.</exception>
    public void Write(Selection selection, FoundExchange? exchange, int mostItems, CancellationToken cancellationToken)
    {
        _json.WriteStartObject();
        Head();
        switch (selection)
        {
            case Selection.Everything:
                Controls();
                break;
            case Selection.OfControl(var control):
                Control(control, cancellationToken);
                break;
            case Selection.OfTest(var control, var test):
                Test(control, test, cancellationToken);
                break;
            case Selection.OfItems(var control, var rows):
                _json.WriteStartArray("items");
                foreach (var row in rows.Take(mostItems))
                    Item(ItemView.Of(_bundle, _host, control, row, cancellationToken));
                _json.WriteEndArray();
                _json.WriteNumber("more_items", Math.Max(0, rows.Length - mostItems));
                break;
            case Selection.OfEvidence(var items):
                _json.WriteStartArray("evidence");
                foreach (var item in items)
                    Evidence(item);
                _json.WriteEndArray();
                break;
            case Selection.OfInput(var file, var row):
                Input(file, row);
                break;
            case Selection.OfExchange(_, var pointer):
                _exchanges.Exchange(exchange!, pointer);
                break;
        }
        _json.WriteEndObject();
        Pass(always: true);
        _output.WriteLine();
    }

    private void Head()
    {
        _json.WriteString("bundle", _bundle.Id);
        _json.WriteString("tagmanifest_sha256", _bundle.Files.TagManifestSha256?.Hex);
        _json.WriteBoolean("signed", _bundle.Files.IsSigned);
        _json.WriteString("mode", _bundle.Record.Mode);
        var record = JsonElement.Parse(_bundle.Record.Write());
        foreach (var member in new[] { "recorded", "entity", "name", "as_of" })
        {
            _json.WritePropertyName(member);
            _exchanges.Value(record.GetProperty(member));
        }
    }

    private void Controls()
    {
        _json.WriteStartArray("controls");
        foreach (var control in _bundle.Results.Controls)
        {
            _json.WriteStartObject();
            _json.WriteString("id", control.Id);
            _json.WriteString("title", control.Title);
            _json.WriteString("conclusion", Wording.Name(control.Conclusion));
            if (control.Population is { } population)
                _json.WriteNumber("population", population);
            else
                _json.WriteNull("population");
            _json.WriteNumber("deviations", control.Deviations);
            _json.WriteNumber("approved", control.Approved);
            _json.WriteNumber("undetermined", control.Undetermined);
            _json.WriteNumber("indicated", control.Indicated);
            _json.WritePropertyName("tests");
            new ControlCounts(control).TestsJson().WriteTo(_json);
            OpenQuestions(control);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteStartArray("not_tested");
        foreach (var not in _bundle.Results.NotTested)
        {
            _json.WriteStartObject();
            _json.WriteString("id", not.Id);
            _json.WriteString("reason", not.Reason);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
    }

    private void Control(ControlResult control, CancellationToken cancellationToken)
    {
        var definition = _bundle.ControlOf(control, _host.Sources);
        _json.WriteStartObject("control");
        foreach (var member in _bundle.ResultOf(control.Id).EnumerateObject())
        {
            _json.WritePropertyName(member.Name);
            if (member.NameEquals("tests"))
                Partitions(control, cancellationToken);
            else
                _exchanges.Value(member.Value);
        }
        _json.WriteString("objective", definition?.Objective);
        _json.WriteString("risk", definition?.Risk);
        OpenQuestions(control);
        _json.WriteEndObject();
        _json.WriteStartArray("exceptions");
        foreach (var test in OpenedBundle.TestsOf(control))
            Rows(_bundle.Rows(control.Id, test).Where(r => r.IsException), cancellationToken);
        _json.WriteEndArray();
        _json.WriteStartArray("evidence");
        foreach (var item in _bundle.Index.Where(i => i.Names.Any(n => n.Control == control.Id)))
        {
            _json.WriteStartObject();
            _json.WriteString("name", item.Names.First(n => n.Control == control.Id).Name);
            _exchanges.Source(item);
            _json.WriteEndObject();
            Pass();
        }
        _json.WriteEndArray();
    }

    /// <summary>Writes the questions that people have not answered.</summary>
    private void OpenQuestions(ControlResult control)
    {
        _json.WritePropertyName("open_questions");
        PeopleNotes.OpenJson(control, _bundle.ControlOf(control, _host.Sources)).WriteTo(_json);
    }

    /// <summary>Writes the results of the tests in each partition, as results of schema 1 have them in the control's own member.</summary>
    private void Partitions(ControlResult control, CancellationToken cancellationToken)
    {
        _json.WriteStartArray();
        foreach (var part in _bundle.Partitions(control))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _exchanges.Value(ResultsJson.Element(part));
            Pass();
        }
        _json.WriteEndArray();
    }

    private void Test(ControlResult control, string test, CancellationToken cancellationToken)
    {
        var procedure = _bundle.ControlOf(control, _host.Sources)?.Tests.FirstOrDefault(t => t.Id == test);
        _json.WriteStartObject("test");
        _json.WriteString("control", control.Id);
        _json.WriteString("id", test);
        _json.WriteString("title", procedure?.Title);
        _json.WriteString("sql", procedure?.Sql);
        OpenQuestions(control);
        if (control.Answers is not null && _bundle.ResultOf(control.Id).TryGetProperty("answers", out var answers))
        {
            _json.WritePropertyName("answers");
            _exchanges.Value(answers);
        }
        _json.WriteEndObject();
        _json.WriteStartArray("items");
        Rows(_bundle.Rows(control.Id, test), cancellationToken);
        _json.WriteEndArray();
    }

    private void Rows(IEnumerable<PopulationRow> rows, CancellationToken cancellationToken)
    {
        foreach (var row in rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _json.WriteStartObject();
            Row(row);
            _json.WriteEndObject();
            Pass();
        }
    }

    private void Row(PopulationRow row)
    {
        _json.WriteString("control", row.Control);
        _json.WriteString("test", row.Test);
        _json.WriteString("target", row.Target);
        _json.WriteString("account", row.Account);
        _json.WriteString("item", row.Item);
        _json.WriteString("verdict", row.Word);
        _json.WriteString("exception_id", row.ExceptionId);
        _json.WriteString("reason", row.Reason);
        if (row.Approval is { } approval)
        {
            _json.WriteStartObject("waiver");
            foreach (var (name, value) in approval.Members)
                _json.WriteString(name, value);
            _json.WriteEndObject();
        }
        else
            _json.WriteNull("waiver");
        _json.WriteString("disposition", row.ExceptionId is { } id ? Said(row.Control).GetValueOrDefault(id) : null);
        _json.WritePropertyName("attributes");
        _exchanges.Value(JsonElement.Parse(row.Attributes.Span));
    }

    /// <summary>Returns what people make of a control's exceptions. Rows come control by control, so only the last one's are kept.</summary>
    private ImmutableDictionary<string, string> Said(string control)
    {
        if (_said is not { } kept || kept.Control != control)
            _said = kept = (control, PeopleNotes.Dispositions(_bundle.Results.Controls.Where(c => c.Id == control)));
        return kept.Said;
    }

    private void Item(ItemView view)
    {
        _json.WriteStartObject();
        Row(view.Row);
        _json.WriteString("test_title", view.TestTitle);
        _json.WriteStartArray("references");
        foreach (var reference in view.Trace.References)
        {
            _json.WriteStartObject();
            _json.WriteString("kind", reference.Kind.ToString().ToLowerInvariant());
            _json.WriteString("name", reference.Evidence);
            _json.WriteString("reference", reference.Reference);
            _json.WriteString("file", reference.File);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteStartArray("tables");
        foreach (var table in view.Tables)
        {
            _json.WriteStartObject();
            _json.WriteString("name", table.Name);
            _exchanges.Source(table.Evidence);
            _json.WriteNumber("rows", table.Rows);
            _json.WriteNumber("matching", table.Matching);
            _json.WriteStartArray("found");
            foreach (var row in table.Found)
            {
                _json.WriteStartObject();
                _json.WriteStartArray("by");
                foreach (var cell in row.Cells)
                {
                    _json.WriteStartObject();
                    _json.WriteString("column", cell.Column);
                    _json.WriteString("pointer", cell.Pointer);
                    _json.WriteString("is", cell.By);
                    _json.WriteEndObject();
                }
                _json.WriteEndArray();
                if (row.Element.Length > 0)
                    _json.WriteString("element", $"/{JsonPointer.Escape(row.Column)}{row.Element}");
                _json.WriteString("reference", row.Reference);
                _json.WritePropertyName("row");
                _exchanges.Value(row.Row);
                _json.WriteEndObject();
            }
            _json.WriteEndArray();
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteStartArray("exchanges");
        foreach (var exchange in view.Exchanges)
        {
            _json.WriteStartObject();
            _exchanges.Facts(exchange);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
        _json.WriteNumber("more_exchanges", view.MoreExchanges);
        _json.WriteEndObject();
        Pass();
    }

    /// <summary>Writes an item of the index of evidence with the first rows of its table.</summary>
    private void Evidence(EvidenceItem item)
    {
        _json.WriteStartObject();
        foreach (var member in JsonElement.Parse(EvidenceIndex.Format(item)).EnumerateObject())
        {
            _json.WritePropertyName(member.Name);
            _exchanges.Value(member.Value);
        }
        _json.WriteStartArray("first_rows");
        if (item.Table is { } table)
        {
            using var rows = new TableReader(_bundle.Files.Open(table), table, item.TableSha256);
            foreach (var row in rows.ReadRows().Take(MostRows))
                _exchanges.Value(row);
        }
        _json.WriteEndArray();
        _json.WriteEndObject();
        Pass();
    }

    private void Input(string file, long? row)
    {
        _json.WriteStartObject("input");
        _json.WriteString("file", file);
        _json.WriteString("sha256", _bundle.Files.DigestOf(file).Hex);
        if (row is { } number)
        {
            _json.WriteNumber("row", number);
            _json.WriteStartObject("values");
            foreach (var (name, value) in _bundle.InputRow(file, number))
                _json.WriteString(name, value);
            _json.WriteEndObject();
        }
        else
            _exchanges.Body("content", _bundle.Files.Read(file));
        _json.WriteEndObject();
    }

    /// <summary>Passes buffered JSON to the output. It is ASCII, so splitting it at any byte is safe.</summary>
    private void Pass(bool always = false)
    {
        if (!always && _json.BytesPending < FlushAt)
            return;
        _json.Flush();
        _output.Write(Encoding.ASCII.GetString(_buffer.GetBuffer(), 0, (int)_buffer.Length));
        _buffer.SetLength(0);
    }
}
