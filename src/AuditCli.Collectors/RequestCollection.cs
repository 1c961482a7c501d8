using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Http;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors;

/// <summary>One step of asking: a page, or why there is none, with every attempt that was made for it.</summary>
internal sealed record Answer(Page? Page, ImmutableArray<ExchangeReference> Exchanges, (string Code, string Message)? Failure)
{
    /// <summary>The <c>_ref</c> of a row of this page: the exchange that brought it, and where in it the row stands.</summary>
    public string Reference(PageRow row) => $"{Exchanges.LastOrDefault(e => e.Status != 0)?.RecordId}#{row.Pointer}";
}

/// <summary>Asks one request and writes its rows as they come.</summary>
internal sealed class RequestCollection(ICollector collector, ExchangeTransport transport, BundleWriter bundle, TimeProvider clock, ConcurrencyLimit limit)
{
    /// <summary>Collects a request that stands alone. Every failure to read is in the item returned.</summary>
    public async Task<EvidenceItem> CollectAsync(RequestPlace place, CancellationToken cancellationToken)
    {
        var item = place.Item(clock.GetUtcNow());
        var exchanges = ImmutableArray.CreateBuilder<ExchangeReference>();
        var failures = new FailureTally();
        string? allowed = null;
        long pages = 0;
        using var table = bundle.OpenTable(item.EvidenceId, place.AddedColumns, place.Request.Operation.Columns);
        var added = new[] { item.Target, item.Account, item.Region, null };
        await foreach (var answer in AskAsync(place, place.Request.Parameters, cancellationToken))
        {
            exchanges.AddRange(answer.Exchanges);
            if (answer.Page is { } page)
            {
                pages++;
                foreach (var row in page.Rows)
                {
                    added[3] = answer.Reference(row);
                    if (table.Append(added, row.Value) is { } misfit)
                        failures.Add(Misfits.Code, Misfits.Describe(misfit, added[3]));
                }
            }
            else if (answer.Failure is { } failure)
            {
                if (place.Request.AllowErrors.Contains(failure.Code))
                    allowed = failure.Code;
                else
                    failures.Add(failure.Code, failure.Message);
            }
        }
        var written = table.Complete();
        return Finished(item, failures, anythingRead: pages > 0) with
        {
            Code = failures.IsEmpty ? allowed : failures.Failures[0].Code,
            Pages = pages,
            Items = written.Rows,
            Table = BundlePaths.Table(item.EvidenceId),
            TableSha256 = written.Sha256,
            Exchanges = exchanges.ToImmutable(),
            Started = exchanges.Count > 0 ? exchanges[0].Date : item.Started,
            Finished = exchanges.Count > 0 ? exchanges[^1].Date : clock.GetUtcNow(),
        };
    }

    /// <summary>The pages of one question, and at the end the failure that stopped it, if any. Throws only when cancelled.</summary>
    public async IAsyncEnumerable<Answer> AskAsync(
        RequestPlace place,
        ImmutableSortedDictionary<string, JsonElement> parameters,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var pages = collector.CollectAsync(place.Ask(parameters), cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await StepAsync(place, pages, cancellationToken) is { } answer)
        {
            yield return answer;
            if (answer.Failure is not null)
                yield break;
        }
    }

    /// <summary>The outcome that failures make: some of it read, or nothing.</summary>
    public static EvidenceItem Finished(EvidenceItem item, FailureTally failures, bool anythingRead) => item with
    {
        Outcome = failures.IsEmpty ? CollectionOutcome.Complete
            : anythingRead ? CollectionOutcome.Incomplete
            : CollectionOutcome.Failed,
        Message = failures.IsEmpty ? null : failures.Failures[0].Message,
        Failures = failures.Failures,
    };

    private async Task<Answer?> StepAsync(RequestPlace place, IAsyncEnumerator<Page> pages, CancellationToken cancellationToken)
    {
        // Begun in every step: an execution context does not outlive a step of an asynchronous iterator.
        var trail = transport.BeginTrail();
        try
        {
            return await limit.RunAsync(place.LimitKey, pages.MoveNextAsync, cancellationToken)
                ? new Answer(pages.Current, trail.Drain(), null)
                : null;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return new(null, trail.Drain(), Failures.Describe(e));
        }
    }
}
