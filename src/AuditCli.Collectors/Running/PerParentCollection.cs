using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Running;

/// <summary>
/// Calls one operation for every row of a parent table (<c>for_each</c>). Calls overlap, but rows and calls are written in the order of the
/// parent's rows, so that live and replayed tables have the same bytes. At most <see cref="Window"/> calls, with a few pages each, are held
/// in memory.
/// </summary>
internal sealed class PerParentCollection(RequestCollection requests, BundleWriter bundle, Action<CollectionEvent> tell)
{
    private const int Window = 32;
    private const int PagesAhead = 2;
    private const int CallsPerNotice = 100;

    /// <summary>Collects for every row of the parent. An incomplete parent makes this evidence incomplete too.</summary>
    public async Task<EvidenceItem> CollectAsync(RequestPlace place, EvidenceItem parent, CancellationToken cancellationToken)
    {
        // If there is no parent row to call for, the item's time is the time at which the parent was read.
        var item = place.Item(parent.Finished);
        var with = place.Request.With.Keys.ToImmutableArray();
        using var table = bundle.OpenTable(item.EvidenceId, place.Request.AddedColumns, place.Request.Operation.Columns);
        using var calls = bundle.OpenCallsTable(item.EvidenceId, EvidenceColumns.CallNames(with), EvidenceColumns.CallDetails);
        var writing = new Writing(item, table, calls, new FailureTally());
        if (parent.Outcome != CollectionOutcome.Complete)
            writing.Failures.Add(Codes.ParentNotRead, $"{parent.Operation} is {parent.Outcome.ToString().ToLowerInvariant()} ({parent.Code})");

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var children = Channel.CreateBounded<Child>(new BoundedChannelOptions(Window) { SingleReader = true, SingleWriter = true });
        var starting = Task.Run(() => StartAllAsync(place, parent, item.EvidenceId, children.Writer, stop.Token), stop.Token);
        try
        {
            await foreach (var child in children.Reader.ReadAllAsync(stop.Token))
                await WriteAsync(writing, child, place, stop.Token);
            await starting;
        }
        finally
        {
            await stop.CancelAsync();
        }
        var (rows, calledFor) = (table.Complete(), calls.Complete());
        return writing.Times.Of(RequestCollection.Finished(item, writing.Failures, anythingRead: writing.Pages > 0) with
        {
            Code = writing.Failures.IsEmpty ? null : writing.Failures.Failures[0].Code,
            Pages = writing.Pages,
            Items = rows.Rows,
            Table = BundleLayout.Table(item.EvidenceId),
            TableSha256 = rows.Sha256,
            Calls = BundleLayout.Calls(item.EvidenceId),
            CallsSha256 = calledFor.Sha256,
            Redactions = [.. writing.Redactions],
            Redacted = writing.Redacted > 0 ? writing.Redacted : null,
            TakenAsNone = [.. writing.TakenAsNone.Select(n => new NoneAnswer(n.Key, n.Value))],
        });
    }

    private async Task StartAllAsync(
        RequestPlace place, EvidenceItem parent, string evidenceId, ChannelWriter<Child> children, CancellationToken cancellationToken)
    {
        try
        {
            if (parent.Table is { } path)
            {
                using var rows = new TableReader(bundle.PathOf(path), parent.TableSha256);
                foreach (var row in rows.ReadRows())
                    await children.WriteAsync(Start(place, row, evidenceId, cancellationToken), cancellationToken);
            }
            children.Complete();
        }
        catch (Exception e)
        {
            children.Complete(e);
            throw;
        }
    }

    private Child Start(RequestPlace place, JsonElement row, string evidenceId, CancellationToken cancellationToken)
    {
        var parameters = place.Request.Parameters;
        var asked = ImmutableArray.CreateBuilder<string?>(place.Request.With.Count);
        string? missing = null;
        foreach (var (parameter, column) in place.Request.With)
        {
            if (row.TryGetProperty(column, out var value))
                parameters = parameters.SetItem(parameter, value.Clone());
            else
                missing = column;
            asked.Add(value.ValueKind switch
            {
                JsonValueKind.Undefined => null,
                JsonValueKind.String => value.GetString(),
                _ => value.GetRawText(),
            });
        }
        var answers = Channel.CreateBounded<Answer>(new BoundedChannelOptions(PagesAhead) { SingleReader = true, SingleWriter = true });
        var child = new Child(row.GetProperty("_ref").GetString()!, asked.ToImmutable(), answers.Reader);
        _ = Task.Run(
            () => AskAsync(
                place,
                parameters,
                $"{evidenceId} {Digest.Of(Encoding.UTF8.GetBytes(child.Parent)).Hex[..16]}",
                missing,
                answers.Writer,
                cancellationToken),
            CancellationToken.None);
        return child;
    }

    private async Task AskAsync(
        RequestPlace place, ImmutableSortedDictionary<string, JsonElement> parameters, string askedFor, string? missing,
        ChannelWriter<Answer> answers, CancellationToken cancellationToken)
    {
        try
        {
            if (missing is not null)
                await answers.WriteAsync(new(null, [], (Codes.NoParentValue, $"a parent row has no {missing}")), cancellationToken);
            else
                await foreach (var answer in requests.AskAsync(place, parameters, askedFor, cancellationToken))
                    await answers.WriteAsync(answer, cancellationToken);
            answers.Complete();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Rethrown where the answers are read.
            answers.Complete(e);
        }
    }

    private async Task WriteAsync(Writing writing, Child child, RequestPlace place, CancellationToken cancellationToken)
    {
        var rowsBefore = writing.Table.Rows;
        var answered = await RequestCollection.WriteAsync(
            child.Answers.ReadAllAsync(cancellationToken), writing.Table,
            [writing.Item.Target, writing.Item.Account, writing.Item.Region, null, child.Parent, .. child.Asked], place.Request);
        (string Code, string Message)? failure = answered.Stopped
            ?? (answered.Parts is [var part, ..] ? part
                : answered.Misfit is { } misfit ? (Codes.ValueDoesNotFit, misfit) : ((string, string)?)null);
        // A response that means "there is none" was read and counts as a page.
        var pages = answered.NoneCode is null ? answered.Pages : 1;
        var items = writing.Table.Rows - rowsBefore;
        writing.Pages += pages;
        if (answered.NoneCode is { } none)
            writing.TakenAsNone[none] = writing.TakenAsNone.GetValueOrDefault(none) + 1;
        var outcome = failure is null ? CollectionOutcome.Complete : pages > 0 ? CollectionOutcome.Incomplete : CollectionOutcome.Failed;
        if (failure is { } f)
            writing.Failures.Add(f.Code, f.Message);
        foreach (var exchange in answered.Exchanges)
            writing.Times.Add(exchange);
        foreach (var redacted in answered.Exchanges.Where(e => !e.Redactions.IsEmpty))
        {
            writing.Redacted++;
            writing.Redactions.AddRange(redacted.Redactions.Take(RecordedResponse.MostRedactions - writing.Redactions.Count));
        }
        string?[] call =
        [
            writing.Item.Target, writing.Item.Account, writing.Item.Region, child.Parent, .. child.Asked,
            outcome.ToString().ToLowerInvariant(), failure?.Code ?? answered.NoneCode,
        ];
        writing.Calls.Append(call, CallDetail(failure?.Message, pages, items, answered.Exchanges));
        if (writing.Calls.Rows % CallsPerNotice == 0)
            tell(new CollectionEvent.CallsMade(writing.Item.Operation, writing.Item.Account, writing.Item.Region, writing.Calls.Rows));
    }

    private static JsonElement CallDetail(string? message, long pages, long items, ImmutableArray<ExchangeReference> exchanges) =>
        JsonSerializer.SerializeToElement(new Dictionary<string, object?>
        {
            ["message"] = message,
            ["pages"] = pages,
            ["items"] = items,
            ["exchanges"] = exchanges.Select(e => new Dictionary<string, object?>
            {
                ["file"] = e.File,
                ["record_id"] = e.RecordId,
                ["request_id"] = e.RequestId,
                ["status"] = e.Status,
                ["date"] = Rfc3339.Format(e.Date),
            }).ToArray(),
        });

    /// <summary>A call in progress for one parent row.</summary>
    private sealed record Child(string Parent, ImmutableArray<string?> Asked, ChannelReader<Answer> Answers);

    private sealed class Writing(EvidenceItem item, TableWriter table, TableWriter calls, FailureTally failures)
    {
        public EvidenceItem Item { get; } = item;
        public TableWriter Table { get; } = table;
        public TableWriter Calls { get; } = calls;
        public FailureTally Failures { get; } = failures;
        public long Pages { get; set; }
        public long Redacted { get; set; }
        public SortedDictionary<string, long> TakenAsNone { get; } = new(StringComparer.Ordinal);
        public List<RedactedValue> Redactions { get; } = [];
        public ReadingTimes Times { get; } = new();
    }
}
