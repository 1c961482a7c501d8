using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Files;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors.Running;

/// <summary>
/// Copies a file that management supplied into the bundle, byte for byte but for the values of personal columns, and reads the copy as a
/// table.
/// </summary>
internal sealed class InputCollection(BundleWriter bundle, TimeProvider clock)
{
    private const string Source = "file";

    /// <summary>
    /// Copies every file into the bundle, including those that no control reads: every supplied file is part of what was relied on.
    /// </summary>
    /// <exception cref="IOException">A file cannot be read, or the bundle cannot be written.</exception>
    public static async Task<ImmutableArray<BundledInput>> BundleAsync(
        BundleWriter bundle, ImmutableArray<SuppliedInput> supplied, ImmutableArray<PlannedInput> planned, CancellationToken cancellationToken)
    {
        var read = planned.Select(p => p.Input).ToHashSet(StringComparer.Ordinal);
        var inputs = ImmutableArray.CreateBuilder<BundledInput>();
        foreach (var input in supplied)
        {
            var copy = BundleLayout.Input(BundlePaths.Segment(input.Name), input.Path);
            var personal = PersonalCopy.ColumnsOf(input.Name, planned);
            if (personal.IsEmpty)
            {
                inputs.Add(new(input.Name, copy, await CopyAsync(bundle, input.Path, copy, cancellationToken), read.Contains(input.Name)));
                continue;
            }
            PersonalCopy.Write(input, bundle.PathOf(copy), personal, input.RedactionKey);
            var (kept, original) = (await Sha256Async(bundle.PathOf(copy), cancellationToken), await Sha256Async(input.Path, cancellationToken));
            inputs.Add(new(input.Name, copy, kept, read.Contains(input.Name)) { Personal = personal, Original = kept == original ? null : original });
        }
        return inputs.ToImmutable();
    }

    /// <summary>
    /// Reads the copy of one input. If the file cannot be parsed or its row count differs from the stated one, the item returned says so.
    /// </summary>
    /// <exception cref="IOException">The copy cannot be read, or the bundle cannot be written.</exception>
    public EvidenceItem Collect(PlannedInput planned, SuppliedInput supplied, string copy, CancellationToken cancellationToken)
    {
        var started = clock.GetUtcNow();
        var added = EvidenceColumns.Added(perParent: false, []);
        var id = EvidenceIds.For(Source, planned.Input, Canonical(planned));
        var reading = new InputReading(planned, supplied);
        using var table = bundle.OpenTable(id, added, planned.Columns);
        try
        {
            foreach (var row in reading.Rows(bundle.PathOf(copy)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (table.Append(["", "", "", $"{copy}#/{row.Number}"], row.Row) is { } misfit)
                    reading.Judge(row, misfit);
            }
            foreach (var (code, description) in reading.Contradictions())
                reading.Failures.Add(code, $"{supplied.Name}: {description}");
        }
        catch (InvalidDataException e)
        {
            reading.Failures.Add(Codes.InputUnreadable, e.Message);
        }
        var written = table.Complete();
        var failures = reading.Failures;
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
            Table = written.At(BundleLayout.Table(id)),
            TableSha256 = written.FileSha256,
            Columns = [.. added, .. planned.Columns],
            Exchanges = [],
            Identity = "",
            Started = started,
            Finished = clock.GetUtcNow(),
            Notes = [.. reading.Notes, .. planned.Personal.IsEmpty ? [] : new[] { Replaced(planned, supplied) }],
        };
        return RequestCollection.Finished(item, failures, anythingRead: written.Rows > 0);
    }

    private static string Replaced(PlannedInput planned, SuppliedInput supplied) =>
        $"{supplied.Shown}: the values of {string.Join(", ", planned.Personal)} are personal; "
            + "keyed digests are kept in their place, in the copy of the file too";

    private static async Task<Digest> CopyAsync(BundleWriter bundle, string from, string to, CancellationToken cancellationToken)
    {
        await using var source = RegularFile.OpenRead(from);
        await using (var target = bundle.OpenFile(to))
            await source.CopyToAsync(target, cancellationToken);
        return await Sha256Async(bundle.PathOf(to), cancellationToken);
    }

    private static async Task<Digest> Sha256Async(string path, CancellationToken cancellationToken)
    {
        await using var file = RegularFile.OpenRead(path);
        return Digest.FromHash(await SHA256.HashDataAsync(file, cancellationToken));
    }

    /// <summary>The properties that identify the table: the input and the columns declared for it.</summary>
    private static JsonObject Canonical(PlannedInput planned)
    {
        var form = new JsonObject
        {
            ["source"] = Source,
            ["operation"] = planned.Input,
            ["columns"] = new JsonObject(planned.Columns.Select(c => KeyValuePair.Create(c.Name, (JsonNode?)JsonValue.Create(c.TypeWithScale)))),
        };
        if (!planned.Keys.IsEmpty)
        {
            form["keys"] = new JsonObject(planned.Keys.Select(o =>
                KeyValuePair.Create(o.Key, (JsonNode?)new JsonArray([.. o.Value.Select(w => (JsonNode?)JsonValue.Create(w))]))));
        }
        if (!planned.Personal.IsEmpty)
            form["personal"] = new JsonArray([.. planned.Personal.Select(p => (JsonNode?)JsonValue.Create(p))]);
        return form;
    }
}
