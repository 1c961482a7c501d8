using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Rest;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using Google.Apis.Auth.OAuth2;

namespace AuditCli.Collectors.Gcp;

/// <summary>Reads Google Cloud projects by the operations of the catalogue.</summary>
public sealed class GcpCollector : ICollector
{
    private readonly RestCatalogue _catalogue = new(GcpSource.Catalogue);
    private readonly TargetSessions<GcpSession> _sessions;

    /// <param name="transport">A live or replay transport; the collector does not own it.</param>
    /// <param name="clock">The clock for waits between attempts.</param>
    /// <param name="credentialExchange">Called for each request that returns credentials, for the run log.</param>
    public GcpCollector(ExchangeTransport transport, TimeProvider clock, Action<CredentialExchange> credentialExchange)
    {
        _sessions = new(async (target, cancellationToken) =>
        {
            if (transport.IsReplay)
                return new(target.Name, GoogleCredential.FromAccessToken("replay"), "not recorded", transport, clock, null);
            var route = GcpRoute.Usual();
            var (credential, claimed) = await new GcpCredentials(clock, credentialExchange, route).ResolveAsync(target, cancellationToken);
            return new(target.Name, credential, claimed, transport, clock, route);
        });
    }

    /// <inheritdoc/>
    public ImmutableArray<string> UnusualEndpoints => _sessions.UnusualEndpoints;

    /// <inheritdoc/>
    /// <exception cref="CollectionException">
    /// There are no credentials, the target is not valid, or its projects cannot be listed completely.
    /// </exception>
    public async Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken)
    {
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var projects = await ProjectsAsync(session, target, cancellationToken);
        var identity = await session.IdentityAsync(cancellationToken);
        var whole = GcpWhole.Of(target);
        return
        [
            .. projects.Select(p => new Connection(target, p, identity, GcpSession.GlobalRegion, [GcpSession.GlobalRegion])
            {
                QuotaOwner = session.Payer ?? target.Name,
                IsFound = whole is not null,
            }),
            .. whole is var (kind, account)
                ? [new Connection(target, account, identity, GcpSession.GlobalRegion, [GcpSession.GlobalRegion])
                {
                    QuotaOwner = session.Payer ?? target.Name,
                    Whole = kind,
                }]
                : ImmutableArray<Connection>.Empty,
        ];
    }

    /// <inheritdoc/>
    /// <exception cref="CollectionException">
    /// There is no response, or it is incomplete; the code is the provider's or the collector's.
    /// </exception>
    /// <exception cref="InvalidOperationException">The target was not connected to.</exception>
    public async IAsyncEnumerable<Page> CollectAsync(EvidenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var session = _sessions.Connected(request.Target);
        if (request.Operation.Name == IamBindings.Operation.Name)
        {
            await foreach (var page in IamBindings.CollectAsync(session, _catalogue, request.Account, cancellationToken))
                yield return page;
            yield break;
        }
        var (api, operation) = Find(request.Operation.Name);
        var isWhole = GcpWhole.Is(request.Account);
        var parameters = isWhole ? GcpWhole.Filled(operation, request.Parameters, request.Account) : request.Parameters;
        await foreach (var page in session.PagesAsync(api, operation, parameters, isWhole ? "" : request.Account, cancellationToken))
        {
            var rows = AnswerRows.Read(request.Operation.Name, operation, page);
            if (!isWhole && ProjectId.Foreign(request.Operation.Name, rows, request.Account) is { } another)
                throw another;
            yield return new(rows);
        }
    }

    /// <summary>
    /// Calls one operation and returns its response as the Google Cloud CLI prints it: for a list, or a map of lists, the elements of all
    /// pages in one array; otherwise the response itself. Other members of a list response are omitted. Nothing is added or converted:
    /// int64 values stay texts, and number literals are the provider's.
    /// </summary>
    /// <param name="operation">The operation in the form used by controls, such as <c>iam:projects.serviceAccounts.list</c>.</param>
    /// <param name="place">The project for parameters that need one and are not given; null for the target's only project.</param>
    /// <exception cref="CollectionException">
    /// There is no response, it is incomplete, or the catalogue does not contain the operation.
    /// </exception>
    public async Task<JsonElement> CallAsync(
        Target target, string operation, ImmutableSortedDictionary<string, JsonElement> parameters, string? place, CancellationToken cancellationToken)
    {
        var (api, found) = Find(operation);
        place ??= target.Settings.TryGetValue("projects", out var projects) && projects is [var only] ? only : null;
        if (place is null && GcpWhole.Of(target) is var (kind, account) && GcpWhole.Of(found, parameters) == kind)
            parameters = GcpWhole.Filled(found, parameters, account);
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var pages = session.PagesAsync(api, found, parameters, place ?? "", cancellationToken);
        return await JsonAnswer.JoinedAsync(
            pages.SelectMany(page => AnswerRows.Elements(operation, found, page)).Select(e => e.Value), found.Rows is not null);
    }

    /// <summary>Closes the clients; the transport remains open.</summary>
    public ValueTask DisposeAsync()
    {
        _sessions.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<ImmutableArray<string>> ProjectsAsync(GcpSession session, Target target, CancellationToken cancellationToken)
    {
        string[] ways = [.. new[] { "projects", "folder", "organization" }.Where(target.Settings.ContainsKey)];
        if (ways is not [var way])
        {
            throw new CollectionException(
                GcpCodes.InvalidTarget,
                $"{target.Label} must specify its projects: exactly one of projects, folder and organization");
        }
        var projects = way == "projects"
            ? target.Settings[way].Distinct(StringComparer.Ordinal).ToImmutableArray()
            : await new ProjectList(session, _catalogue).UnderAsync(GcpWhole.Account(way, target.Setting(way)!), cancellationToken);
        return projects.IsEmpty
            ? throw new CollectionException(GcpCodes.NoProjects, $"{target.Label} has no project")
            : projects;
    }

    private (RestApi Api, RestOperation Operation) Find(string name) => _catalogue.Find(name)
        ?? throw new CollectionException(Codes.RefusedReadOnly, $"{name} is not in the read-only catalogue");
}
