using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors;

/// <summary>Takes a file that management gave into the bundle, byte for byte, and reads the copy as a table.</summary>
internal sealed class InputCollection(BundleWriter bundle, TimeProvider clock)
{
    private const string Source = "file";

    /// <summary>Collects one input. A file that cannot be understood, or has other rows than stated, is in the item returned.</summary>
    /// <exception cref="IOException">The file cannot be read, or the bundle not be written.</exception>
    public async Task<EvidenceItem> CollectAsync(PlannedInput planned, SuppliedInput supplied, CancellationToken cancellationToken)
    {
        var started = clock.GetUtcNow();
        var added = EvidenceColumns.Added(perParent: false, []);
        var id = EvidenceIds.For(Source, planned.Input, Canonical(planned));
        var name = BundlePaths.Segment(supplied.Name);
        var copy = $"data/inputs/{name}/{name}{Path.GetExtension(supplied.Path).ToLowerInvariant()}";
        if (!File.Exists(bundle.PathOf(copy)))
            await CopyAsync(supplied.Path, copy, cancellationToken);

        var failures = new FailureTally();
        using var table = bundle.OpenTable(id, added, planned.Columns);
        try
        {
            Read(copy, planned, table, failures, cancellationToken);
            if (supplied.StatedRows is { } stated && stated != table.Rows)
                failures.Add("StatedRowsDiffer", $"{supplied.Name} was said to have {stated} rows and has {table.Rows}");
        }
        catch (InvalidDataException e)
        {
            failures.Add("InputUnreadable", e.Message);
        }
        var written = table.Complete();
        var item = new EvidenceItem
        {
            EvidenceId = id,
            Names = planned.Names,
            Target = "",
            Account = "",
            Region = "",
            Source = Source,
            Operation = planned.Input,
            Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty,
            Outcome = CollectionOutcome.Complete,
            Code = failures.IsEmpty ? null : failures.Failures[0].Code,
            Pages = 1,
            Items = written.Rows,
            Table = BundlePaths.Table(id),
            TableSha256 = written.Sha256,
            Columns = [.. added, .. planned.Columns],
            Exchanges = [],
            Identity = "",
            Started = started,
            Finished = clock.GetUtcNow(),
        };
        return RequestCollection.Finished(item, failures, anythingRead: written.Rows > 0);
    }

    private async Task CopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        await using var source = File.OpenRead(from);
        await using var target = bundle.OpenFile(to);
        await source.CopyToAsync(target, cancellationToken);
    }

    private void Read(string copy, PlannedInput planned, TableWriter table, FailureTally failures, CancellationToken cancellationToken)
    {
        using var csv = new CsvReader(File.OpenRead(bundle.PathOf(copy)), copy);
        foreach (var row in new InputTable(csv, planned.Columns).Rows())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var reference = $"{copy}#/{row.Number}";
            if ((table.Append(["", "", "", reference], row.Row) ?? row.Misfit) is { } misfit)
                failures.Add(Misfits.Code, $"{misfit.Column}: {misfit.Description} ({copy}:{row.Line})");
        }
    }

    /// <summary>What makes the table: the input, and the columns declared for it.</summary>
    private static JsonObject Canonical(PlannedInput planned) => new()
    {
        ["source"] = Source,
        ["operation"] = planned.Input,
        ["columns"] = new JsonObject(planned.Columns.Select(c => KeyValuePair.Create(c.Name, (JsonNode?)JsonValue.Create(c.Type.ToString())))),
    };
}
