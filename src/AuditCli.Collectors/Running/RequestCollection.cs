using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Tables;

namespace AuditCli.Collectors.Running;

/// <summary>One step of a request: a page, or the failure to get one, with every attempt made for it.</summary>
internal sealed record Answer(Page? Page, ImmutableArray<ExchangeReference> Exchanges, (string Code, string Message)? Failure)
{
    /// <summary>
    /// The record id of the exchange with the response that holds this page. A response of many rows is several pages, and only the first of
    /// them has exchanges of its own; null before any response.
    /// </summary>
    public string? RecordId { get; init; }

    /// <summary>Returns the <c>_ref</c> of a row of this page: the record id, and the row's place in the response.</summary>
    public string Reference(PageRow row) => $"{RecordId}#{row.Pointer}";
}

/// <summary>The summary of one request.</summary>
/// <param name="Misfit">The first value that did not fit its column; null if all did.</param>
/// <param name="Parts">The failures of parts of the response, while other parts were read.</param>
/// <param name="Stopped">The failure that ended the request; null if it was completed.</param>
/// <param name="NoneCode">The provider's code for "there is none", if that was the response.</param>
internal sealed record Answered(
    long Pages,
    ImmutableArray<ExchangeReference> Exchanges,
    string? Misfit,
    long Misfits,
    ImmutableArray<(string Code, string Message)> Parts,
    (string Code, string Message)? Stopped,
    string? NoneCode);

/// <summary>Collects one request and writes its rows as they arrive.</summary>
internal sealed class RequestCollection(
    ICollector collector, ExchangeTransport transport, BundleWriter bundle, TimeProvider clock, ConcurrencyLimit limit)
{
    /// <summary>Collects a request that has no parent. Every failure to read is part of the item returned.</summary>
    public async Task<EvidenceItem> CollectAsync(RequestPlace place, CancellationToken cancellationToken)
    {
        var item = place.Item(clock.GetUtcNow());
        var failures = new FailureTally();
        using var table = bundle.OpenTable(item.EvidenceId, place.Request.AddedColumns, place.Request.Operation.Columns);
        var keep = Kept(place.Request);
        var answered = await WriteAsync(
            AskAsync(place, place.Request.Parameters, item.EvidenceId, cancellationToken),
            table, [item.Target, item.Account, item.Region, null], place.Request, keep);
        if (answered.Misfit is { } misfit)
            failures.Add(Codes.ValueDoesNotFit, misfit, answered.Misfits);
        foreach (var (code, message) in answered.Parts)
            failures.Add(code, message);
        if (answered.Stopped is { } stopped)
            failures.Add(stopped.Code, stopped.Message);
        AddUnseen(failures, keep, "keep", item.Operation);
        var written = table.Complete();
        var times = new ReadingTimes();
        foreach (var exchange in answered.Exchanges)
            times.Add(exchange);
        return times.Of(Finished(item, failures, anythingRead: answered.Pages > 0) with
        {
            Code = failures.IsEmpty ? answered.NoneCode : failures.Failures[0].Code,
            TakenAsNone = answered.NoneCode is { } none ? [new(none, 1)] : [],
            Pages = answered.Pages,
            Items = written.Rows,
            Table = written.At(BundleLayout.Table(item.EvidenceId)),
            TableSha256 = written.FileSha256,
            Exchanges = answered.Exchanges,
            Redactions = [.. answered.Exchanges.SelectMany(e => e.Redactions).Take(RecordedResponse.MostRedactions)],
            Redacted = answered.Exchanges.Count(e => !e.Redactions.IsEmpty) is > 0 and var redacted ? redacted : null,
            Read = keep?.Read,
            Kept = keep?.Kept,
            Finished = clock.GetUtcNow(),
        });
    }

    /// <summary>Writes the rows of one request as the responses arrive, and returns its summary.</summary>
    /// <param name="added">The values of the columns that AuditCli adds; the fourth becomes each row's <c>_ref</c>.</param>
    /// <param name="asked">
    /// The request, with the codes that mean "there is none". After a page such a code contradicts it and is a failure like any other.
    /// </param>
    /// <param name="keep">The rows to write; null for all.</param>
    /// <param name="written">Is given each row that was written, with its <c>_ref</c>.</param>
    public static async Task<Answered> WriteAsync(
        IAsyncEnumerable<Answer> answers, TableWriter table, string?[] added, PlannedRequest asked, FilteredRows? keep,
        Action<string, JsonElement>? written = null)
    {
        var exchanges = ImmutableArray.CreateBuilder<ExchangeReference>();
        var (pages, misfits) = (0L, 0L);
        string? misfit = null, noneCode = null;
        var parts = ImmutableArray.CreateBuilder<(string Code, string Message)>();
        (string Code, string Message)? stopped = null;
        await foreach (var answer in answers)
        {
            exchanges.AddRange(answer.Exchanges);
            if (answer.Page is { NotRead: { } part })
            {
                parts.Add(part);
            }
            else if (answer.Page is { } page)
            {
                pages++;
                foreach (var row in page.Rows)
                {
                    if (keep?.Takes(row.Value) == false)
                        continue;
                    var reference = added[3] = answer.Reference(row);
                    if (table.Append(added, row.Value) is { } found)
                    {
                        misfits++;
                        misfit ??= Misfits.Describe(found, reference);
                    }
                    written?.Invoke(reference, row.Value);
                }
            }
            else if (answer.Failure is { } failure)
            {
                if (pages == 0 && asked.TakesAsNone(failure.Code))
                    noneCode = failure.Code;
                else
                    stopped = failure;
            }
        }
        return new(pages, exchanges.ToImmutable(), misfit, misfits, parts.ToImmutable(), stopped, noneCode);
    }

    /// <summary>
    /// Yields the pages of one request, and at the end the failure that stopped it, or attempts that returned no page, if any. Throws only
    /// if cancelled.
    /// </summary>
    /// <param name="askedFor">The value of <see cref="Evidence.Warc.HttpExchange.AskedFor"/>.</param>
    public async IAsyncEnumerable<Answer> AskAsync(
        RequestPlace place,
        ImmutableSortedDictionary<string, JsonElement> parameters,
        string askedFor,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = place.Ask(parameters);
        await using var pages = collector.CollectAsync(request, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await collector.ReadyAsync(request, cancellationToken);
        string? record = null;
        while (await StepAsync(place, pages, askedFor, cancellationToken) is { } answer)
        {
            record = answer.Exchanges.LastOrDefault(e => e.Status != 0)?.RecordId ?? record;
            yield return answer with { RecordId = record };
            if (answer.Page is not { } page)
                yield break;
            if (!page.IsLast)
                await collector.ReadyAsync(request, cancellationToken);
        }
    }

    /// <summary>Returns what applies the request's <c>keep</c> to its rows; null if it has none.</summary>
    public static FilteredRows? Kept(PlannedRequest request) => request.Keep is { } keep ? new(keep, request.Operation.Columns) : null;

    /// <summary>Adds a failure for each member that a filter compares and no row has, so that a misspelt path is not an empty table.</summary>
    /// <param name="key">The control's key for the filter.</param>
    /// <param name="operation">The operation whose rows were looked at.</param>
    public static void AddUnseen(FailureTally failures, FilteredRows? rows, string key, string operation)
    {
        foreach (var path in rows?.Unseen ?? [])
            failures.Add(Codes.MemberNotSeen, $"'{key}' compares {path}, which no row of {operation} that it could take has in a form that can match");
    }

    /// <summary>Sets the outcome that the failures imply: complete, incomplete if something was read, or failed.</summary>
    public static EvidenceItem Finished(EvidenceItem item, FailureTally failures, bool anythingRead) => item with
    {
        Outcome = failures.IsEmpty ? CollectionOutcome.Complete
            : anythingRead ? CollectionOutcome.Incomplete
            : CollectionOutcome.Failed,
        Message = failures.IsEmpty ? null : failures.Failures[0].Message,
        Failures = failures.Failures,
    };

    private async Task<Answer?> StepAsync(RequestPlace place, IAsyncEnumerator<Page> pages, string askedFor, CancellationToken cancellationToken)
    {
        // Begin the trail in every step: an execution context does not outlive one step of an asynchronous iterator.
        var trail = transport.BeginTrail(askedFor);
        try
        {
            var more = await limit.RunAsync(place.LimitKey, pages.MoveNextAsync, cancellationToken);
            var exchanges = trail.Drain();
            return more ? new(pages.Current, exchanges, null) : exchanges.IsEmpty ? null : new(null, exchanges, null);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return new(null, trail.Drain(), Failures.Describe(e));
        }
    }
}
