using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Builds evidence tables from a fixture case. Values that the case does not give are invented: where a row came from, and that
/// every call was made.
/// </summary>
internal sealed class FixtureTables(Control control, FixtureCase fixture)
{
    private const string Region = "fixture-region";
    private readonly List<string> _faults = [];

    /// <summary>The faults of the case itself; complete after <see cref="Partitions"/>.</summary>
    public IReadOnlyList<string> Faults => _faults;

    private DateTimeOffset Moment => FixtureRunner.AsOf(fixture);

    public ImmutableArray<Partition> Partitions()
    {
        _faults.Clear();
        foreach (var name in fixture.Inputs.Keys.Where(n => !control.Evidence.Any(e => e.Name == n && e.IsFile)))
            _faults.Add($"the control has no file evidence {name}");
        // A control with only inputs still needs one partition in which it is tested.
        var partitions = fixture.Partitions.IsEmpty
            ? [new FixturePartition("fixture", ImmutableSortedDictionary<string, FixtureTable>.Empty)]
            : fixture.Partitions;
        return [.. partitions.Select(Partition)];
    }

    private Partition Partition(FixturePartition partition)
    {
        foreach (var name in partition.Evidence.Keys.Where(n => !control.Evidence.Any(e => e.Name == n && !e.IsFile)))
            _faults.Add($"partition {partition.Name}: the control has no evidence {name} that is read from a target");
        var tables = ImmutableSortedDictionary.CreateBuilder<string, EvidenceTable>(StringComparer.Ordinal);
        foreach (var need in control.Evidence)
        {
            if (need.IsFile)
            {
                if (fixture.Inputs.TryGetValue(need.Name, out var input))
                    tables[need.Name] = Input(need, input, partition);
            }
            else
            {
                var given = partition.Evidence.GetValueOrDefault(need.Name) ?? new FixtureTable([], CollectionOutcome.Complete, null, []);
                tables[need.Name] = Table(need, given, partition.Name, Region, partition);
            }
        }
        return new Partition(partition.Name, partition.Name, tables.ToImmutable());
    }

    /// <summary>
    /// Builds a file's table as a run reads it: invisible characters are removed from cells, and values that do not fit are left
    /// out.
    /// </summary>
    private EvidenceTable Input(EvidenceNeed need, FixtureTable given, FixturePartition partition)
    {
        var misfits = new List<string>();
        var table = Table(need, given with { Rows = [.. given.Rows.Select(r => Cells(need, r, misfits))] }, "", "", partition);
        // In a register of approvals, a row that does not fit approves nothing, and the register is complete without it.
        if (misfits.Count == 0 || control.Waivers?.From == need.Name)
            return table with { Notes = [.. misfits] };
        return table with
        {
            Complete = false,
            Limitations = [new(need.Name, "", "", "", need.Operation, CollectionOutcome.Incomplete, Misfit.Code, misfits[0], misfits.Count)],
        };
    }

    /// <summary>
    /// Returns the words that are allowed in a key column, empty for any text; null where the column is not a key.
    /// </summary>
    private ImmutableArray<string>? Key(EvidenceNeed need, string column) => need.Keys.TryGetValue(column, out var words) ? words
        : control.Waivers is { } rule && rule.From == need.Name && rule.Item == column ? []
        : null;

    private JsonElement Cells(EvidenceNeed need, JsonElement row, List<string> misfits)
    {
        if (row.ValueKind != JsonValueKind.Object)
            return row;
        var cells = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var cell in row.EnumerateObject())
        {
            if (cell.Value.ValueKind != JsonValueKind.String)
            {
                cells[cell.Name] = cell.Value;
                continue;
            }
            var text = cell.Value.GetString()!;
            var isPersonal = need.Personal.Contains(cell.Name);
            if (isPersonal)
                text = InputTable.Digested(text, "fixture"u8);
            var (value, fault) = Key(need, cell.Name) is { } words ? InputTable.Key(text, words) : (isPersonal && text.Length == 0 ? null : text, null);
            if (value is not null)
                cells[cell.Name] = JsonSerializer.SerializeToElement(value);
            if (fault is not null)
                misfits.Add($"{need.Name}: {cell.Name} {fault}");
        }
        return JsonSerializer.SerializeToElement(cells);
    }

    private EvidenceTable Table(EvidenceNeed need, FixtureTable given, string place, string region, FixturePartition partition)
    {
        ImmutableArray<Column> columns = [.. need.AddedColumns, .. need.Columns];
        CheckFilters(need, given, partition);
        var lines = given.Rows
            .SelectMany((row, n) => Added(need, row, n, place, region, partition).Select(added => Line(need.Name, columns, row, added))).ToArray();
        var complete = given.Outcome == CollectionOutcome.Complete;
        var limitation = new Limitation(
            need.Name, place, place, region, need.Operation, given.Outcome, given.Code ?? given.Outcome.ToString(), "as the fixture says", 1);
        return new EvidenceTable(
            columns, complete, complete ? [] : [limitation], need.IsFile ? null : fixture.ReadFrom ?? Moment, need.IsFile ? null : fixture.ReadUntil ?? Moment,
            TableRows.Of(lines), need.ForEach is null ? null : Calls(need, given, place, region, partition), TimeSpan.Zero);
    }

    /// <summary>Reports rows that a run could not collect, because <c>keep</c> or <c>where</c> leaves them out.</summary>
    private void CheckFilters(EvidenceNeed need, FixtureTable given, FixturePartition partition)
    {
        if (need.Keep is { } keep)
        {
            foreach (var (n, row) in given.Rows.Index().Where(r => !new FilteredRows(keep, need.Columns).Takes(r.Item)))
                _faults.Add($"{need.Name}: row {n + 1} can never be in the table, because 'keep' takes only rows with {keep}");
        }
        if (need.Where is not { } where)
            return;
        var (asked, leftOut) = (Parents(need, partition).ToArray(), Parents(need, partition, asked: false).ToArray());
        foreach (var (kind, rows) in new[] { ("row", given.Rows), ("call", given.Calls) })
        {
            foreach (var (n, row) in rows.Index().Where(r => leftOut.Any(p => IsOf(p, r.Item)) && !asked.Any(p => IsOf(p, r.Item))))
                _faults.Add($"{need.Name}: {kind} {n + 1} can never be there, because 'where' asks only for rows of {need.ForEach} with {where}");
        }

        bool IsOf((string? Reference, Dictionary<string, string?> With) parent, JsonElement row) => Text(row, "_parent") is { } given
            ? given == parent.Reference
            : need.With.Keys.All(k => parent.With[k] == Text(row, "_with_" + k));
    }

    /// <summary>
    /// Returns the added columns of a row, once for each row of the parent that asks the question to which it is an answer, as in a run;
    /// once if the row names its parent, or if its parent cannot be told.
    /// </summary>
    private IEnumerable<Dictionary<string, string?>> Added(
        EvidenceNeed need, JsonElement row, int number, string place, string region, FixturePartition partition)
    {
        var added = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["_target"] = place,
            ["_account"] = place,
            ["_region"] = region,
            ["_ref"] = Reference(number),
        };
        if (need.ForEach is null)
            return [added];
        var parents = Parents(need, partition).Where(p => need.With.Keys.All(k => p.With[k] == Text(row, "_with_" + k)))
            .DistinctBy(p => p.Reference).ToArray();
        return parents is [_, _, ..] && Text(row, "_parent") is null && parents[0].With.Values.All(v => v is not null)
            ? parents.Select(p => new Dictionary<string, string?>(added, StringComparer.Ordinal) { ["_parent"] = p.Reference })
            : [new(added, StringComparer.Ordinal) { ["_parent"] = parents.FirstOrDefault().Reference }];
    }

    private CallTable Calls(EvidenceNeed need, FixtureTable given, string place, string region, FixturePartition partition)
    {
        var columns = need.CallColumns;
        Dictionary<string, string?> Call(string? parent, IEnumerable<KeyValuePair<string, string?>> with)
        {
            var call = with.ToDictionary(w => "_with_" + w.Key, w => w.Value, StringComparer.Ordinal);
            call["_target"] = place;
            call["_account"] = place;
            call["_region"] = region;
            call["_parent"] = parent;
            call["outcome"] = given.Outcome.ToString().ToLowerInvariant();
            call["code"] = given.Outcome == CollectionOutcome.Complete ? null : given.Code;
            return call;
        }
        using var nothing = JsonDocument.Parse("{}");
        var empty = nothing.RootElement;
        IEnumerable<string> lines;
        if (given.Calls.IsEmpty)
        {
            // One line per parent row, as in a run, and one for each set of parameters that only the rows mention.
            var parents = Parents(need, partition)
                .DistinctBy(p => JsonSerializer.Serialize(Values(p.With).Append(p.With.ContainsValue(null) ? null : p.Reference))).ToArray();
            var known = parents.Select(p => JsonSerializer.Serialize(Values(p.With))).ToHashSet(StringComparer.Ordinal);
            var asked = parents.Concat(given.Rows
                .Select(r => (Reference: Text(r, "_parent"), With: need.With.Keys.ToDictionary(k => k, k => Text(r, "_with_" + k))))
                .Where(r => known.Add(JsonSerializer.Serialize(Values(r.With)))));
            lines = [.. asked.Select(c => Line(CompiledControl.CallsName(need.Name), columns, empty, Call(c.Reference, c.With)))];
        }
        else
        {
            var unset = need.With.Keys.Select(k => KeyValuePair.Create(k, (string?)null)).ToArray();
            lines = [.. given.Calls.Select(c => Line(CompiledControl.CallsName(need.Name), columns, c, Call(null, unset)))];
        }
        return new CallTable(columns, TableRows.Of(lines));

        IEnumerable<string?> Values(Dictionary<string, string?> with) => need.With.Keys.Select(k => with[k]);
    }

    /// <summary>
    /// Returns the parent's rows for which calls of a <c>for_each</c> evidence are made, or those that <c>where</c> leaves out: their
    /// reference, and the parameters of the call.
    /// </summary>
    private IEnumerable<(string? Reference, Dictionary<string, string?> With)> Parents(EvidenceNeed need, FixturePartition partition, bool asked = true)
    {
        var parent = control.Evidence.Single(e => e.Name == need.ForEach);
        ImmutableArray<Column> columns = [.. parent.AddedColumns, .. parent.Columns];
        var with = need.With.ToDictionary(w => w.Key, w => MemberPath.Of(w.Value, name => columns.Any(c => c.Name == name)));
        var rows = partition.Evidence.GetValueOrDefault(need.ForEach!)?.Rows ?? [];
        return rows.Index()
            .Where(r => r.Item.ValueKind == JsonValueKind.Object
                && (need.Where is not { } where ? asked : new FilteredRows(where, columns).Takes(r.Item) == asked))
            .Select(r => (
                (string?)(Text(r.Item, "_ref") ?? Reference(r.Index)),
                with.ToDictionary(w => w.Key, w => w.Value.In(r.Item) is { } value ? JsonMember.TextOrRaw(value) : null)));
    }

    private string Line(string table, ImmutableArray<Column> columns, JsonElement row, Dictionary<string, string?> added)
    {
        if (row.ValueKind != JsonValueKind.Object)
        {
            _faults.Add($"{table}: a row is not an object");
            return "{}";
        }
        foreach (var member in row.EnumerateObject().Where(m => !columns.Any(c => c.Name == m.Name)))
            _faults.Add($"{table}: there is no column {member.Name}");
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var column in columns)
            {
                if (row.TryGetProperty(column.Name, out var value))
                {
                    json.WritePropertyName(column.Name);
                    value.WriteTo(json);
                }
                else if (added.TryGetValue(column.Name, out var made) && made is not null)
                {
                    json.WriteString(column.Name, made);
                }
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string Reference(int number) => $"fixture:{number}";

    private static string? Text(JsonElement row, string name) =>
        row.ValueKind == JsonValueKind.Object && row.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? JsonMember.TextOrRaw(value)
            : null;
}
