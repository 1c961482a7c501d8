using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Collectors.Running;

/// <summary>
/// Writes the accounts of a target that lists its accounts, as evidence of the population: one row for each account, sorted by account id.
/// The item is complete if every account that should be read was entered and the collector reports no doubt that the list is whole.
/// </summary>
internal sealed class AccountPopulation(BundleWriter bundle)
{
    /// <summary>The operation name of the item in the evidence index. A control cannot request it.</summary>
    public const string Operation = "accounts";

    private static readonly ImmutableArray<Column> Columns =
    [
        new("account", ColumnType.Text), new("outcome", ColumnType.Text), new("through", ColumnType.Text), new("identity", ColumnType.Text),
        new("regions", ColumnType.Json), new("regions_not_enabled", ColumnType.Json), new("listed", ColumnType.Json),
    ];

    /// <summary>Writes the table and returns the evidence item.</summary>
    /// <param name="reached">Every entry of this target, including those that were not entered.</param>
    public EvidenceItem Write(Target target, ImmutableArray<ReachedTarget> reached)
    {
        var id = EvidenceIds.For(target.Source, Operation, new JsonObject { ["source"] = target.Source, ["operation"] = Operation, ["target"] = target.Name });
        var added = EvidenceColumns.Added(perParent: false, []);
        var failures = new FailureTally();
        using var table = bundle.OpenTable(id, added, Columns);
        foreach (var account in reached.Where(t => t.Account.Length > 0).OrderBy(t => t.Account, StringComparer.Ordinal))
        {
            table.Append([target.Name, account.Account, "", null], Row(account));
            if (account.Failure is not null)
                failures.Add(Codes.AccountNotEntered, $"could not connect to account {account.Account}");
        }
        foreach (var doubt in reached.Where(t => t.Account.Length == 0).Select(t => t.Failure).OfType<ReadFailure>())
            failures.Add(doubt.Code, doubt.Message);
        var written = table.Complete();
        var exchanges = reached[0].Exchanges;
        var item = new EvidenceItem
        {
            EvidenceId = id,
            Names = [],
            Target = target.Name,
            Account = "",
            Region = "",
            Source = target.Source,
            Operation = Operation,
            Parameters = ImmutableSortedDictionary<string, JsonElement>.Empty,
            Outcome = CollectionOutcome.Complete,
            Code = failures.IsEmpty ? null : failures.Failures[0].Code,
            Pages = 1,
            Items = written.Rows,
            Table = written.At(BundleLayout.Table(id)),
            TableSha256 = written.FileSha256,
            Columns = [.. added, .. Columns],
            Exchanges = exchanges,
            Identity = reached.FirstOrDefault(IsRead)?.Connection!.Identity ?? "",
            Started = default,
            Finished = default,
        };
        // A list of accounts always comes from a recorded request, so the exchanges supply start and end times.
        var times = new ReadingTimes();
        foreach (var exchange in exchanges)
            times.Add(exchange);
        return times.Of(RequestCollection.Finished(item, failures, anythingRead: true));
    }

    private static bool IsRead(ReachedTarget account) => account.IsEntered && account.ReadThrough is null;

    private static JsonElement Row(ReachedTarget account) => JsonSerializer.SerializeToElement(new Dictionary<string, object?>
    {
        ["account"] = account.Account,
        ["outcome"] = account.ReadThrough is not null ? "read through another target"
            : account.Connection!.LeftOut is not null ? "left out"
            : account.Failure is not null ? "not entered" : "read",
        ["through"] = account.ReadThrough,
        ["identity"] = IsRead(account) ? account.Connection!.Identity : null,
        ["regions"] = IsRead(account) ? account.Connection!.Regions : null,
        ["regions_not_enabled"] = IsRead(account) ? account.Connection!.NotEnabled : null,
        ["listed"] = account.Connection!.Listed,
    });
}
