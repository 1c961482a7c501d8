using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Lists the accounts of an organization and connects to each: the caller's own account with the target's credentials (the management
/// account seldom has the role that its members have), every other one with a role of the same name. The list of accounts is compared with
/// the organization's tree, which enumerates them independently.
/// </summary>
/// <param name="session">The session with credentials of the management account or a delegated administrator.</param>
internal sealed class Organization(AwsCatalogue catalogue, AwsSession session)
{
    private const string Accounts = "organizations:ListAccounts";
    private const string Roots = "organizations:ListRoots";
    private const string Units = "organizations:ListOrganizationalUnitsForParent";
    private const string InUnit = "organizations:ListAccountsForParent";
    private const int EnteredAtOnce = 8;
    private static readonly ImmutableSortedDictionary<string, JsonElement> NoParameters = ImmutableSortedDictionary<string, JsonElement>.Empty;

    /// <summary>The operations called, in the form used by controls.</summary>
    public static ImmutableArray<string> Operations { get; } = [Accounts, InUnit, Units, Roots];

    /// <summary>Returns the ARN of a target's role in one account, in the partition of the caller.</summary>
    public static string RoleArn(Target target, string caller, string account) =>
        $"arn:{caller.Split(':')[1]}:iam::{account}:role/{target.Setting("role_name")}";

    /// <summary>
    /// Returns one connection for each account of the organization, sorted by account id, including those that are left out or could not be
    /// entered; and one without an account if it is not certain that the list is whole.
    /// </summary>
    /// <param name="own">The connection of the target's own credentials.</param>
    /// <param name="enter">Connects to another account; its failure becomes the failure of that account.</param>
    /// <exception cref="CollectionException">The accounts cannot be listed.</exception>
    public async Task<ImmutableArray<Connection>> ConnectAsync(
        Target target, Connection own, Func<string, Task<Connection>> enter, CancellationToken cancellationToken)
    {
        var listed = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        await foreach (var account in RowsAsync(Accounts, NoParameters, cancellationToken))
        {
            var id = AccountId.Of(Text(account, "Id"), Accounts);
            // The ARN of an account ends with its id, after the organization's: arn:aws:organizations::<management>:account/<organization>/<id>.
            if (account.TryGetProperty("Arn", out var arn) && arn.GetString() is { Length: > 0 } named && !named.EndsWith("/" + id, StringComparison.Ordinal))
                throw new CollectionException(AwsCodes.AnotherAccount, $"{Accounts} lists account {id} as {named}, which is a different account");
            listed[id] = account;
        }
        var doubt = await DoubtAsync(listed.Keys.ToImmutableSortedSet(StringComparer.Ordinal), cancellationToken);
        var excluded = target.Settings.GetValueOrDefault("exclude_accounts", []);
        var connections = new Connection[listed.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = EnteredAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(listed.Values.Index(), options, async (at, _) =>
        {
            var (place, account) = at;
            var id = Text(account, "Id");
            var unread = new Connection(target, id, "", AwsSession.GlobalRegion, []) { Listed = account };
            var status = account.TryGetProperty("Status", out var given) ? given.GetString() : null;
            connections[place] = excluded.Contains(id) ? unread with { LeftOut = $"account {Named(account)} is left out by exclude_accounts", Excluded = true }
                : status != "ACTIVE"
                    ? unread with
                    {
                        LeftOut = $"account {Named(account)} is {status?.ToLowerInvariant().Replace('_', ' ') ?? "of unknown status"}, "
                            + "and cannot be read",
                    }
                : id == own.Account ? own with { Listed = account }
                : await EnterAsync(unread, account, enter, cancellationToken);
        });
        // An excluded account that does not exist may be a typing error, which would leave the intended account in the population.
        var unknown = excluded.Where(id => !listed.ContainsKey(id)).Order(StringComparer.Ordinal)
            .Select(id => new Connection(target, id, "", AwsSession.GlobalRegion, [])
            {
                LeftOut = $"exclude_accounts names {id}, which is not an account of the organization",
            });
        return
        [
            .. connections, .. unknown,
            .. doubt is null ? Array.Empty<Connection>() : [new Connection(target, "", "", AwsSession.GlobalRegion, []) { Failure = doubt }],
        ];
    }

    private static async Task<Connection> EnterAsync(
        Connection unread, JsonElement account, Func<string, Task<Connection>> enter, CancellationToken cancellationToken)
    {
        try
        {
            return (await enter(unread.Account)) with { Listed = account };
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var (code, message) = Failures.Describe(e);
            return unread with { Failure = new(code, $"could not connect to account {Named(account)}: {message}", 1) };
        }
    }

    /// <summary>Returns why the list may not be the whole population; null if the tree has the same accounts.</summary>
    private async Task<ReadFailure?> DoubtAsync(ImmutableSortedSet<string> listed, CancellationToken cancellationToken)
    {
        try
        {
            var inTree = new SortedSet<string>(StringComparer.Ordinal);
            var open = new Queue<string>();
            await foreach (var root in RowsAsync(Roots, NoParameters, cancellationToken))
                open.Enqueue(Text(root, "Id"));
            while (open.TryDequeue(out var parent))
            {
                var under = ImmutableSortedDictionary<string, JsonElement>.Empty.Add("ParentId", JsonSerializer.SerializeToElement(parent));
                await foreach (var account in RowsAsync(InUnit, under, cancellationToken))
                    inTree.Add(AccountId.Of(Text(account, "Id"), InUnit));
                await foreach (var unit in RowsAsync(Units, under, cancellationToken))
                    open.Enqueue(Text(unit, "Id"));
            }
            return inTree.SetEquals(listed)
                ? null
                : new(
                    AwsCodes.AccountsDisagree,
                    $"the organization's list has {listed.Count} accounts and its tree {inTree.Count}; only one of them has "
                        + $"{string.Join(", ", inTree.Except(listed).Concat(listed.Except(inTree)).Order(StringComparer.Ordinal))}",
                    1);
        }
        catch (CollectionException e)
        {
            return new(e.Code, $"the organization's list of accounts could not be compared with its tree: {e.Message}", 1);
        }
    }

    private async IAsyncEnumerable<JsonElement> RowsAsync(
        string name, ImmutableSortedDictionary<string, JsonElement> parameters,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (service, operation) = catalogue.Find(name)!.Value;
        await foreach (var page in session.PagesAsync(service, operation, parameters, AwsSession.GlobalRegion, cancellationToken))
        {
            foreach (var row in AnswerRows.Whole(service, operation, page.Content))
                yield return row.Value;
        }
    }

    private static string Named(JsonElement account) => account.TryGetProperty("Name", out var name) && name.GetString() is { Length: > 0 } text
        ? $"{Text(account, "Id")} ({text})"
        : Text(account, "Id");

    private static string Text(JsonElement row, string name) => JsonAnswer.Text(row, name, Codes.MalformedResponse, of: "an element of the response");
}
