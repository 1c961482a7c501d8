using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>Obtains evidence from one kind of system, reading only.</summary>
/// <remarks>
/// Failures propagate: <see cref="CollectionException"/> where the provider or the collector gave a code, anything else as it
/// comes. The run records them as part of the evidence. Recording of exchanges happens below, in the transport.
/// </remarks>
public interface ICollector : IAsyncDisposable
{
    /// <summary>
    /// Every endpoint used so far that is not the provider's own over https, as scheme and authority, in order; the first page of
    /// every report names them.
    /// </summary>
    ImmutableArray<string> UnusualEndpoints { get; }

    /// <summary>
    /// Finds out whom a target's credentials are taken for, and which accounts and regions they reach: one connection for each account,
    /// at least one, each account once, those that were found and are not read included. <see cref="EvidenceRequest.Account"/> says later
    /// which of them a question is about.
    /// </summary>
    Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken);

    /// <summary>Asks, and yields the answer page by page. A repeated page token ends with <see cref="CollectionException"/>.</summary>
    IAsyncEnumerable<Page> CollectAsync(EvidenceRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until the provider's own limit leaves room for the next page of a question, where that limit is known. Awaited before a place among
    /// the requests at once is taken: what waits here keeps nobody else waiting.
    /// </summary>
    Task ReadyAsync(EvidenceRequest request, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>An account that a target turned out to be, or to reach.</summary>
/// <param name="Account">AWS account, Google project, or the target's own name for a cluster.</param>
/// <param name="Identity">Whom the provider took the caller for, such as an ARN.</param>
/// <param name="GlobalRegion">The word for what exists once for an account, such as <c>aws-global</c>.</param>
/// <param name="Regions">The regions that will be read.</param>
public sealed record Connection(
    Target Target,
    string Account,
    string Identity,
    string GlobalRegion,
    ImmutableArray<string> Regions)
{
    /// <summary>How an identity begins that only the credentials name: the provider did not confirm it, and no exchange says it.</summary>
    public const string Claimed = "claimed:";

    /// <summary>Whether an identity is one that only the credentials name.</summary>
    public static bool IsClaimed(string? identity) => identity?.StartsWith(Claimed, StringComparison.Ordinal) == true;

    /// <summary>Where the account is, where its name does not say it, by name in order: a cluster's name and context in the kubeconfig, and its server.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Place { get; init; } = [];

    /// <summary>As whom the account is read, and where.</summary>
    public string ReadAs => $"read as {Identity}{string.Concat(Place.Select(p => $", {p.Key} {p.Value}"))}";

    /// <summary>Whose quota its requests count against, where that is not the account's own: Google counts by the project that asks.</summary>
    public string? QuotaOwner { get; init; }

    /// <summary>Regions that the account has and cannot use until somebody switches them on.</summary>
    public ImmutableArray<string> NotEnabled { get; init; } = [];

    /// <summary>The element of the provider's list in which the account was found; null where the target names it.</summary>
    public JsonElement? Listed { get; init; }

    /// <summary>Why the account is not read, in words: it was excluded, or it is closed. Null where it is to be read.</summary>
    public string? LeftOut { get; init; }

    /// <summary>
    /// Why the account's regions are not known, where it was entered: what is asked once for the account is read, and what is asked in
    /// every region is a scope limitation.
    /// </summary>
    public ReadFailure? RegionsUnread { get; init; }

    /// <summary>Whether it is the engagement that leaves the account out, although it could be read.</summary>
    public bool Excluded { get; init; }

    /// <summary>Why the account could not be entered: what is planned for it is a scope limitation. With no account, why it is not certain that these are all.</summary>
    public ReadFailure? Failure { get; init; }
}

/// <summary>A request that hands out credentials: that it was made is noted, what it said is not.</summary>
/// <param name="Endpoint">Without query.</param>
/// <param name="Status">The HTTP status; 0 when there was no answer.</param>
public sealed record CredentialExchange(DateTimeOffset Date, Uri Endpoint, string Operation, int Status);

/// <summary>One page of an answer, as rows in the source's order.</summary>
public sealed record Page(ImmutableArray<PageRow> Rows)
{
    /// <summary>Whether the source says that no page follows; false where it is only known after asking on.</summary>
    public bool IsLast { get; init; }

    /// <summary>
    /// A part of the answer that could not be read, where others go on: the evidence is not whole, and what was read stays. Such a page has
    /// no rows. Null for a page that was read.
    /// </summary>
    public (string Code, string Message)? NotRead { get; init; }

    /// <summary>The page that stands for a part that was not read.</summary>
    public static Page Without(CollectionException failure) => new([]) { NotRead = (failure.Code, failure.Message) };
}

/// <summary>One row, and where in the response it stands (RFC 6901, over the typed JSON form of the body).</summary>
public readonly record struct PageRow(JsonElement Value, string Pointer);

/// <summary>A call that did not give its answer, with the provider's own code and words, or the collector's.</summary>
public sealed class CollectionException(string code, string message, Exception? inner = null) : Exception(Http.CredentialText.Clean(message), inner)
{
    /// <summary>The code of every collector for a parameter that the operation does not take, lacks, or takes in another form.</summary>
    public const string InvalidParameter = "InvalidParameter";

    public string Code { get; } = code;
}
