using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using AuditCli.Bundles;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;
using AuditCli.Reports;

namespace AuditCli.Lookup;

/// <summary>What SQL over a bundle can name: the tables of each control, the results, the index of evidence, and the moments of its run.</summary>
internal static class QueryTables
{
    private const string Results = "results";
    private const string Evidence = "evidence";

    /// <summary>Returns everything that a query may name. Reads no file; a table is read when a query names it.</summary>
    public static QueryScope Of(OpenedBundle bundle)
    {
        var moment = bundle.Results.Parameters;
        return new(
            new(moment.AsOf, moment.PeriodStart, moment.PeriodEnd, TimeSpan.FromSeconds(moment.AsOfToleranceSeconds))
            {
                TimeZone = bundle.Record.Period.TimeZone,
            },
            Tables(bundle));
    }

    private static ImmutableArray<QueryTable> Tables(OpenedBundle bundle) =>
    [
        .. bundle.Index.SelectMany(i => i.Names.Select(n => (Name: n, Item: i))).GroupBy(n => (n.Name.Control, n.Name.Name), n => n.Item)
            .OrderBy(g => g.Key.Control, StringComparer.Ordinal).ThenBy(g => g.Key.Name, StringComparer.Ordinal)
            .SelectMany(g => OfEvidence(bundle, g.Key.Control, g.Key.Name, [.. g])),
        .. OfResults(bundle),
        .. OfIndex(bundle),
    ];

    /// <summary>
    /// Yields a control's table over all accounts and regions and, if it was read once per row of a parent table, also the table of calls.
    /// </summary>
    private static IEnumerable<QueryTable> OfEvidence(OpenedBundle bundle, string control, string name, ImmutableArray<EvidenceItem> items)
    {
        var columns = items.Select(i => i.Columns).FirstOrDefault(c => !c.IsEmpty, []);
        if (columns.IsEmpty)
            yield break;  // no target could be entered, so the columns are not known
        yield return new(
            control,
            name,
            columns,
            items.Sum(i => i.Items),
            [.. items.Where(i => i.Table is not null).Select(i => Rows(bundle, i.Table!, i.TableSha256))]);
        if (items.Any(i => i.IsPerParent))
        {
            var with = columns.Where(c => c.Name.StartsWith("_with_", StringComparison.Ordinal)).Select(c => c.Name["_with_".Length..]);
            yield return new(
                control, $"{name}__calls", EvidenceColumns.Calls(with), null,
                [.. items.Where(i => i.Calls is not null).Select(i => Rows(bundle, i.Calls!, i.CallsSha256))]);
        }
    }

    private static Func<IEnumerable<ReadOnlyMemory<byte>>> Rows(OpenedBundle bundle, string path, Digest? sha256) => () => Lines(bundle, path, sha256);

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(OpenedBundle bundle, string path, Digest? sha256)
    {
        using var table = new TableReader(bundle.Files.Open(path), path, sha256);
        while (table.TryRead(out var line))
            yield return line;
    }

    private static IEnumerable<QueryTable> OfResults(OpenedBundle bundle)
    {
        var controls = bundle.Results.Controls;
        yield return Made(
            Results, "controls", controls.Length, controls,
            Text("control"), Text("version"), Text("title"), Text("domain"), Text("conclusion"),
            Count("population"), Count("exceptions"), Count("deviations"), Count("approved"), Count("undetermined"), Count("indicated"),
            Text("sha256"), Text("origin"))
            (c =>
            [
                c.Id, c.Version, c.Title, Wording.Name(c.Domain), Wording.Name(c.Conclusion),
                c.Population, new ControlCounts(c).Exceptions, c.Deviations, c.Approved, c.Undetermined, c.Indicated,
                c.Sha256.Hex, c.Origin.ToString().ToLowerInvariant(),
            ]);
        var tests = controls.SelectMany(c => c.Tests.Select(t => (c.Id, Test: t))).ToImmutableArray();
        yield return Made(
            Results, "tests", tests.Sum(t => t.Test.Conclusions.Values.Sum()), controls.SelectMany(c => bundle.Partitions(c).Select(t => (c.Id, Test: t))),
            Text("control"), Text("test"), Text("target"), Text("account"), Text("conclusion"),
            Count("population"), Text("unit"), Count("deviations"), Count("approved"), Count("undetermined"), Count("indicated"), Text("error"))
            (t =>
            [
                t.Id, t.Test.Id, t.Test.Partition.Target, t.Test.Partition.Account, Wording.Name(t.Test.Conclusion),
                t.Test.Population, t.Test.Unit, t.Test.Deviations, t.Test.Approved, t.Test.Undetermined, t.Test.Indicated, t.Test.Error,
            ]);
        yield return Made(
            Results, "items", tests.Sum(t => t.Test.Population),
            tests.SelectMany(t => bundle.Rows(t.Id, t.Test.Id)),
            Text("control"), Text("test"), Text("target"), Text("account"), Text("item"), Text("verdict"), Text("exception_id"), Text("reason"),
            Json("waiver"), Json("attributes"))
            (r => [r.Control, r.Test, r.Target, r.Account, r.Item, r.Word, r.ExceptionId, r.Reason, Waiver(r), JsonElement.Parse(r.Attributes.Span)]);
        var limitations = controls.SelectMany(c => c.Limitations.Select(l => (c.Id, Limitation: l))).ToImmutableArray();
        yield return Made(
            Results, "limitations", limitations.Length, limitations,
            Text("control"), Text("evidence"), Text("target"), Text("account"), Text("region"), Text("operation"),
            Text("outcome"), Text("code"), Text("message"), Count("count"))
            (l =>
            [
                l.Id, l.Limitation.Evidence, l.Limitation.Target, l.Limitation.Account, l.Limitation.Region, l.Limitation.Operation,
                l.Limitation.Outcome.ToString().ToLowerInvariant(), l.Limitation.Code, l.Limitation.Message, l.Limitation.Count,
            ]);
        var parameters = controls.SelectMany(c => c.Parameters.Select(p => (c.Id, Parameter: p))).ToImmutableArray();
        yield return Made(
            Results, "parameters", parameters.Length, parameters,
            Text("control"), Text("name"), Json("value"), Text("set_by"), Text("why"))
            (p => [p.Id, p.Parameter.Name, p.Parameter.Value, p.Parameter.By, p.Parameter.Why]);
        var answers = controls.SelectMany(c => (c.Answers ?? []).Select(a => (c.Id, Answer: a))).ToImmutableArray();
        yield return Made(
            Results, "answers", answers.Length, answers,
            Text("control"), Text("question"), Text("answer"), Text("answered_by"), Instant("answered_at"), Text("reference"), Text("note"))
            (a =>
            [
                a.Id, a.Answer.Question, PeopleSheets.WordOf(a.Answer.Answer), a.Answer.AnsweredBy, a.Answer.AnsweredAt,
                a.Answer.Reference, a.Answer.Note,
            ]);
        var dispositions = controls.SelectMany(c => (c.Dispositions ?? []).Select(d => (c.Id, Said: d))).ToImmutableArray();
        yield return Made(
            Results, "dispositions", dispositions.Length, dispositions,
            Text("control"), Text("exception_id"), Text("test"), Text("account"), Text("item"), Text("disposition"),
            Text("why"), Text("decided_by"), Instant("decided_at"))
            (d =>
            [
                d.Id, d.Said.ExceptionId, d.Said.Test, d.Said.Account, d.Said.Item, PeopleSheets.WordOf(d.Said.Word),
                d.Said.Why, d.Said.DecidedBy, d.Said.DecidedAt,
            ]);
    }

    private static IEnumerable<QueryTable> OfIndex(OpenedBundle bundle)
    {
        yield return Made(
            Evidence, "items", bundle.Index.Length, bundle.Index,
            Text("evidence_id"), Text("target"), Text("account"), Text("region"), Text("source"), Text("operation"),
            Json("parameters"), Text("outcome"), Text("code"), Text("message"), Count("pages"), Count("items"),
            Text("identity"), Instant("started"), Instant("finished"), Json("used_by"))
            (i =>
            [
                i.EvidenceId, i.Target, i.Account, i.Region, i.Source, i.Operation,
                JsonSerializer.SerializeToElement(i.Parameters), i.Outcome.ToString().ToLowerInvariant(), i.Code, i.Message, i.Pages, i.Items,
                i.Identity, i.Started, i.Finished,
                JsonSerializer.SerializeToElement(i.Names.Select(n => new Dictionary<string, string> { ["control"] = n.Control, ["name"] = n.Name })),
            ]);
        yield return Made(
            Evidence, "exchanges", null, bundle.Index.SelectMany(i => Attempt.Of(bundle, i).Select(a => (Item: i, Attempt: a))),
            Text("evidence_id"), Text("target"), Text("account"), Text("region"), Text("operation"),
            Text("file"), Text("record_id"), Text("request_id"), Count("status"), Instant("date"))
            (e =>
            [
                e.Item.EvidenceId, e.Item.Target, e.Item.Account, e.Item.Region, e.Item.Operation,
                e.Attempt.File, e.Attempt.RecordId, e.Attempt.RequestId, (long)e.Attempt.Status, e.Attempt.Date,
            ]);
    }

    /// <summary>
    /// Returns a function that makes a table of objects, in memory or streamed, given the function that turns an object into the values of
    /// a row.
    /// </summary>
    private static Func<Func<T, object?[]>, QueryTable> Made<T>(string schema, string name, long? rows, IEnumerable<T> things, params Column[] columns) =>
        row => new(schema, name, [.. columns], rows, [() => things.Select(t => Line(columns, row(t)))]);

    private static ReadOnlyMemory<byte> Line(Column[] columns, object?[] values)
    {
        var line = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var (column, value) in columns.Zip(values))
            {
                json.WritePropertyName(column.Name);
                switch (value)
                {
                    case null:
                        json.WriteNullValue();
                        break;
                    case string text:
                        json.WriteStringValue(text);
                        break;
                    case long number:
                        json.WriteNumberValue(number);
                        break;
                    case DateTimeOffset moment:
                        json.WriteStringValue(Rfc3339.Format(moment));
                        break;
                    case JsonElement element:
                        element.WriteTo(json);
                        break;
                    default:
                        throw new ArgumentException($"a value of {column.Name} cannot be written", nameof(values));
                }
            }
            json.WriteEndObject();
        }
        return line.WrittenMemory;
    }

    private static JsonElement? Waiver(PopulationRow row) => row.Approval is { } approval
        ? JsonSerializer.SerializeToElement(approval.Members.ToDictionary(m => m.Name, m => m.Value))
        : null;

    private static Column Text(string name) => new(name, ColumnType.Text);

    private static Column Count(string name) => new(name, ColumnType.Integer);

    private static Column Json(string name) => new(name, ColumnType.Json);

    private static Column Instant(string name) => new(name, ColumnType.Timestamp);
}
