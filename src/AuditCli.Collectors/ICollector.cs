using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors;

/// <summary>Obtains evidence from one kind of system by read-only requests.</summary>
/// <remarks>
/// Failures propagate: as <see cref="CollectionException"/> if the provider or the collector gave a code, otherwise unchanged. The run
/// records them as part of the evidence. The transport below the collector records the exchanges.
/// </remarks>
public interface ICollector : IAsyncDisposable
{
    /// <summary>
    /// Every endpoint used so far that is not the provider's own over https, as scheme and authority, sorted; the first page of every
    /// report names them.
    /// </summary>
    ImmutableArray<string> UnusualEndpoints { get; }

    /// <summary>
    /// Connects and returns one connection per account reached, at least one, each account once, including accounts that were found but are
    /// not read. <see cref="EvidenceRequest.Account"/> later selects the account of a request.
    /// </summary>
    Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken);

    /// <summary>
    /// Sends the request and yields the response page by page. Throws <see cref="CollectionException"/> on a repeated page token.
    /// </summary>
    IAsyncEnumerable<Page> CollectAsync(EvidenceRequest request, CancellationToken cancellationToken);

    /// <summary>Sends one request outside a run and returns its response, all pages joined, in the provider's own form.</summary>
    /// <param name="place">The region or project of the request; null for the target's default.</param>
    /// <exception cref="CollectionException">There is no complete response, or the operation is refused.</exception>
    Task<JsonElement> CallAsync(
        Target target, string operation, ImmutableSortedDictionary<string, JsonElement> parameters, string? place, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until the provider's own rate limit allows the next page of a request, if that limit is known. It is awaited before a request
    /// slot is taken, so that a call waiting here does not block others.
    /// </summary>
    Task ReadyAsync(EvidenceRequest request, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>An account that a target is or reaches.</summary>
/// <param name="Account">The AWS account id, the Google project id, or the target's own name for a cluster.</param>
/// <param name="Identity">The identity that the provider reports for the caller, such as an ARN.</param>
/// <param name="GlobalRegion">The region name for resources that exist once per account, such as <c>aws-global</c>.</param>
/// <param name="Regions">The regions that will be read.</param>
public sealed record Connection(
    Target Target,
    string Account,
    string Identity,
    string GlobalRegion,
    ImmutableArray<string> Regions)
{
    /// <summary>
    /// The prefix of an identity that only the credentials name: the provider did not confirm it, and no exchange contains it.
    /// </summary>
    public const string Claimed = "claimed:";

    /// <summary>Whether an identity is one that only the credentials name.</summary>
    public static bool IsClaimed(string? identity) => identity?.StartsWith(Claimed, StringComparison.Ordinal) == true;

    /// <summary>
    /// Where the account is, if its name does not say so, sorted by name: for a cluster its name and context in the kubeconfig, and its
    /// server.
    /// </summary>
    public ImmutableArray<KeyValuePair<string, string>> Place { get; init; } = [];

    /// <summary>
    /// The kind of whole that this is, such as <c>organization</c>: only what is asked once of the whole is asked there. Null for an account.
    /// </summary>
    public string? Whole { get; init; }

    /// <summary>The identity with which the account is read, and its place, as text for messages.</summary>
    public string ReadAs => $"read as {Identity}{string.Concat(Place.Select(p => $", {p.Key} {p.Value}"))}";

    /// <summary>The owner of the quota, if it is not the account itself: Google counts against the project of the caller.</summary>
    public string? QuotaOwner { get; init; }

    /// <summary>The regions that the account has but cannot use until they are enabled.</summary>
    public ImmutableArray<string> NotEnabled { get; init; } = [];

    /// <summary>The element of the provider's list in which the account was found; null if the target names the account.</summary>
    public JsonElement? Listed { get; init; }

    /// <summary>
    /// Whether the target names a whole in which the provider lists the account, and not the account itself. A target that names the account
    /// reads it in preference.
    /// </summary>
    public bool IsFound { get; init; }

    /// <summary>Why the account is not read, as text: it is excluded or closed. Null if it is to be read.</summary>
    public string? LeftOut { get; init; }

    /// <summary>
    /// Why the regions of an entered account are not known. Operations that are called once per account are still read; those called in
    /// every region become a scope limitation.
    /// </summary>
    public ReadFailure? RegionsUnread { get; init; }

    /// <summary>Whether the engagement excludes the account, although it could be read.</summary>
    public bool Excluded { get; init; }

    /// <summary>
    /// Why the account could not be entered; everything planned for it becomes a scope limitation. If the account is empty, why the list of
    /// accounts may not be whole.
    /// </summary>
    public ReadFailure? Failure { get; init; }
}

/// <summary>A request that returns credentials. Only the fact of the request is recorded, never the response.</summary>
/// <param name="Endpoint">The URL without its query.</param>
/// <param name="Status">The HTTP status; 0 if there was no response.</param>
public sealed record CredentialExchange(DateTimeOffset Date, Uri Endpoint, string Operation, int Status);

/// <summary>One page of a response, as rows in the source's order.</summary>
public sealed record Page(ImmutableArray<PageRow> Rows)
{
    /// <summary>Whether the source says that no page follows; false if this is only known after the next request.</summary>
    public bool IsLast { get; init; }

    /// <summary>
    /// The part of the response that could not be read while the others continue: the evidence is incomplete, and what was read is kept.
    /// Such a page has no rows. Null for a page that was read.
    /// </summary>
    public (string Code, string Message)? NotRead { get; init; }

    /// <summary>Returns the page that represents a part which was not read.</summary>
    public static Page Without(CollectionException failure) => new([]) { NotRead = (failure.Code, failure.Message) };
}

/// <summary>One row and its place in the response, as an RFC 6901 JSON Pointer into the typed JSON form of the body.</summary>
public readonly record struct PageRow(JsonElement Value, string Pointer);

/// <summary>A call that failed, with the provider's or the collector's code and message. The message is cleaned of credentials.</summary>
public sealed class CollectionException(string code, string message, Exception? inner = null) : Exception(Redaction.CredentialText.Clean(message), inner)
{
    public string Code { get; } = code;
}
