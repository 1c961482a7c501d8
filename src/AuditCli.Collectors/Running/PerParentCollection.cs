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
/// Calls one operation for the rows of a parent table (<c>for_each</c>), once for each distinct question: rows that pass on the same values
/// share one call, and each of them has its rows and its line in the table of calls. Calls overlap, but rows and calls are written in the
/// order of the parent's rows, so that live and replayed tables have the same bytes. At most <see cref="Window"/> calls, with a few pages
/// each, are held in memory, and a digest of each distinct question.
/// </summary>
internal sealed class PerParentCollection(RequestCollection requests, BundleWriter bundle, ScratchFile scratch, Action<CollectionEvent> tell)
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
        using var repeated = new RepeatedAnswers(scratch);
        var writing = new Writing(item, table, calls, new FailureTally(), RequestCollection.Kept(place.Request), repeated);
        if (parent.Outcome != CollectionOutcome.Complete)
            writing.Failures.Add(Codes.ParentNotRead, $"{parent.Operation} is {parent.Outcome.ToString().ToLowerInvariant()} ({parent.Code})");

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var children = Channel.CreateBounded<Child>(new BoundedChannelOptions(Window) { SingleReader = true, SingleWriter = true });
        var asking = place.Request.Where is { } filter ? new FilteredRows(filter, parent.Columns) : null;
        var starting = Task.Run(() => StartAllAsync(place, parent, asking, item.EvidenceId, children.Writer, stop.Token), stop.Token);
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
        RequestCollection.AddUnseen(writing.Failures, asking, "where", parent.Operation);
        RequestCollection.AddUnseen(writing.Failures, writing.Keep, "keep", item.Operation);
        var (rows, calledFor) = (table.Complete(), calls.Complete());
        return writing.Times.Of(RequestCollection.Finished(item, writing.Failures, anythingRead: writing.Pages > 0) with
        {
            Code = writing.Failures.IsEmpty ? null : writing.Failures.Failures[0].Code,
            Pages = writing.Pages,
            Items = rows.Rows,
            Table = rows.At(BundleLayout.Table(item.EvidenceId)),
            TableSha256 = rows.FileSha256,
            Calls = calledFor.At(BundleLayout.Calls(item.EvidenceId)),
            CallsSha256 = calledFor.FileSha256,
            Redactions = [.. writing.Redactions],
            Redacted = writing.Redacted > 0 ? writing.Redacted : null,
            Read = writing.Keep is { } keep ? keep.Read + writing.ReadAgain : null,
            Kept = writing.Keep is null ? null : rows.Rows,
            TakenAsNone = [.. writing.TakenAsNone.Select(n => new NoneAnswer(n.Key, n.Value))],
        });
    }

    private async Task StartAllAsync(
        RequestPlace place, EvidenceItem parent, FilteredRows? asking, string evidenceId, ChannelWriter<Child> children,
        CancellationToken cancellationToken)
    {
        try
        {
            var values = new ParentValues(place.Request, parent.Columns);
            var repeated = Repeated(place, parent, values, cancellationToken);
            var (asked, rows) = (new HashSet<QuestionKey>(), new HashSet<QuestionKey>());
            foreach (var row in RowsOf(parent).Where(r => asking?.Takes(r) != false))
            {
                var (question, reference, key) = (values.In(row), row.GetProperty("_ref").GetString()!, (QuestionKey?)null);
                if (repeated.Count > 0 && values.KeyOf(row) is var own && repeated.Contains(own))
                {
                    // The parent's table has a row several times if it is itself the answer for several rows. It is one row to its children,
                    // or a join by _parent would find the children of each copy.
                    if (!rows.Add(values.KeyOf(row, reference)))
                        continue;
                    key = question.Failure is null ? own : null;
                }
                var child = new Child(reference, question, key, key is not { } known || asked.Add(known));
                if (child.IsFirst)
                    Ask(place, child, evidenceId, cancellationToken);
                await children.WriteAsync(child, cancellationToken);
            }
            children.Complete();
        }
        catch (Exception e)
        {
            children.Complete(e);
            throw;
        }
    }

    /// <summary>Returns the questions that more than one row asks; only their answers are kept for later rows.</summary>
    private HashSet<QuestionKey> Repeated(RequestPlace place, EvidenceItem parent, ParentValues values, CancellationToken cancellationToken)
    {
        var asking = place.Request.Where is { } filter ? new FilteredRows(filter, parent.Columns) : null;
        var (seen, repeated) = (new HashSet<QuestionKey>(), new HashSet<QuestionKey>());
        foreach (var row in RowsOf(parent).Where(r => asking?.Takes(r) != false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (values.KeyOf(row) is var key && !seen.Add(key))
                repeated.Add(key);
        }
        return repeated;
    }

    private IEnumerable<JsonElement> RowsOf(EvidenceItem parent)
    {
        if (parent.Table is not { } path)
            yield break;
        using var rows = new TableReader(bundle.PathOf(path), parent.TableSha256);
        foreach (var row in rows.ReadRows())
            yield return row;
    }

    private void Ask(RequestPlace place, Child child, string evidenceId, CancellationToken cancellationToken) => _ = Task.Run(
        () => AskAsync(
            place, child.Question, $"{evidenceId} {Digest.Of(Encoding.UTF8.GetBytes(child.Parent)).Hex[..16]}", child.Answers.Writer, cancellationToken),
        CancellationToken.None);

    private async Task AskAsync(
        RequestPlace place, ParentQuestion question, string askedFor, ChannelWriter<Answer> answers, CancellationToken cancellationToken)
    {
        try
        {
            if (question.Failure is not null)
                await answers.WriteAsync(new(null, [], question.Failure), cancellationToken);
            else
                await foreach (var answer in requests.AskAsync(place, question.Parameters, askedFor, cancellationToken))
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
        if (child is { IsFirst: false, Key: { } question })
            WriteAgain(writing, child, question);
        else
            await WriteAnswerAsync(writing, child, place, cancellationToken);
        if (writing.Calls.Rows % CallsPerNotice == 0)
            tell(new CollectionEvent.CallsMade(writing.Item.Operation, writing.Item.Account, writing.Item.Region, writing.Calls.Rows));
    }

    private static async Task WriteAnswerAsync(Writing writing, Child child, RequestPlace place, CancellationToken cancellationToken)
    {
        var rowsBefore = writing.Table.Rows;
        var readBefore = writing.Keep?.Read ?? 0;
        if (child.Key is { } repeated)
            writing.Repeated.Begin(repeated);
        var answered = await RequestCollection.WriteAsync(
            child.Answers.Reader.ReadAllAsync(cancellationToken), writing.Table, writing.Added(child), place.Request, writing.Keep,
            child.Key is null ? null : writing.Repeated.Add);
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
        var end = new CallEnd(outcome, failure?.Code ?? answered.NoneCode, CallDetail(failure?.Message, pages, items, answered.Exchanges));
        writing.Called(child, end);
        if (child.Key is not null)
            writing.Repeated.End(end, (writing.Keep?.Read ?? 0) - readBefore);
    }

    /// <summary>
    /// Writes the answer that an earlier row had to the same question. Only what was sent counts: the item's pages, failures and answers
    /// "there is none" are those of calls, and a value that does not fit was reported with the first.
    /// </summary>
    private static void WriteAgain(Writing writing, Child child, QuestionKey question)
    {
        var added = writing.Added(child);
        var (end, read) = writing.Repeated.Replay(question, (reference, row) =>
        {
            added[3] = reference;
            writing.Table.Append(added, row);
        });
        writing.ReadAgain += read;
        writing.Called(child, end);
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

    /// <summary>A parent row whose answer is to be written, and the call in progress for it.</summary>
    /// <param name="Key">The question, if other rows ask it too.</param>
    /// <param name="IsFirst">Whether it is asked for this row; otherwise an earlier row has the answer.</param>
    private sealed record Child(string Parent, ParentQuestion Question, QuestionKey? Key, bool IsFirst)
    {
        public Channel<Answer> Answers { get; } =
            Channel.CreateBounded<Answer>(new BoundedChannelOptions(PagesAhead) { SingleReader = true, SingleWriter = true });
    }

    private sealed class Writing(
        EvidenceItem item, TableWriter table, TableWriter calls, FailureTally failures, FilteredRows? keep, RepeatedAnswers repeated)
    {
        public EvidenceItem Item { get; } = item;
        public TableWriter Table { get; } = table;
        public TableWriter Calls { get; } = calls;
        public FailureTally Failures { get; } = failures;
        public FilteredRows? Keep { get; } = keep;
        public RepeatedAnswers Repeated { get; } = repeated;
        public long Pages { get; set; }
        public long ReadAgain { get; set; }
        public long Redacted { get; set; }
        public SortedDictionary<string, long> TakenAsNone { get; } = new(StringComparer.Ordinal);
        public List<RedactedValue> Redactions { get; } = [];
        public ReadingTimes Times { get; } = new();

        /// <summary>Returns the values of the columns that AuditCli adds to a row for this parent row; the fourth is its <c>_ref</c>.</summary>
        public string?[] Added(Child child) => [Item.Target, Item.Account, Item.Region, null, child.Parent, .. child.Question.Texts];

        /// <summary>Writes the line of the table of calls for a parent row.</summary>
        public void Called(Child child, CallEnd end) => Calls.Append(
            [
                Item.Target, Item.Account, Item.Region, child.Parent, .. child.Question.Texts,
                end.Outcome.ToString().ToLowerInvariant(), end.Code,
            ],
            end.Detail);
    }
}
