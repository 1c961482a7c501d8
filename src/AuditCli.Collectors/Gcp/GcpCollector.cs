using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Gcp.Client;
using AuditCli.Collectors.Http;
using AuditCli.Evidence;
using Google.Apis.Auth.OAuth2;

namespace AuditCli.Collectors.Gcp;

/// <summary>Reads Google Cloud projects through the catalogue's operations.</summary>
/// <param name="transport">Live or replay; the collector does not own it.</param>
/// <param name="clock">For waits between attempts.</param>
/// <param name="credentialExchange">Told about each request that hands out credentials, for the run's log.</param>
public sealed class GcpCollector(ExchangeTransport transport, TimeProvider clock, Action<CredentialExchange> credentialExchange) : ICollector
{
    private readonly GcpCatalogue _catalogue = new();
    private readonly GcpCredentials _credentials = new(clock, credentialExchange);
    private readonly ConcurrentDictionary<string, GcpSession> _sessions = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ImmutableArray<string> UnusualEndpoints =>
        [.. _sessions.Values.SelectMany(s => s.UnusualEndpoints).Select(e => e.GetLeftPart(UriPartial.Authority)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    /// <exception cref="CollectionException">There are no credentials, the target is not one, or its projects cannot all be listed.</exception>
    public async Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken)
    {
        var session = await SessionAsync(target, cancellationToken);
        var projects = await ProjectsAsync(session, target, cancellationToken);
        var identity = await session.IdentityAsync(cancellationToken);
        return [.. projects.Select(p => new Connection(target, p, identity, GcpSession.GlobalRegion, [GcpSession.GlobalRegion]))];
    }

    /// <inheritdoc/>
    /// <exception cref="CollectionException">There is no answer, or it is not whole; the code is the provider's or ours.</exception>
    /// <exception cref="InvalidOperationException">The target was not connected to.</exception>
    public async IAsyncEnumerable<Page> CollectAsync(EvidenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var session = _sessions.GetValueOrDefault(request.Target) ?? throw new InvalidOperationException($"{request.Target} is not connected to");
        if (request.Operation.Name == IamBindings.Operation.Name)
        {
            await foreach (var page in IamBindings.CollectAsync(session, _catalogue, request.Account, cancellationToken))
                yield return page;
            yield break;
        }
        var (api, operation) = Find(request.Operation.Name);
        await foreach (var page in session.PagesAsync(api, operation, request.Parameters, request.Account, cancellationToken))
            yield return new(AnswerRows.Read(request.Operation.Name, operation, page));
    }

    /// <summary>Calls one operation and returns all its pages as the provider wrote them, in order.</summary>
    /// <param name="operation">As control authors write it, such as <c>iam:projects.serviceAccounts.list</c>.</param>
    /// <param name="project">Stands where a parameter needs a project and none is given.</param>
    /// <exception cref="CollectionException">There is no answer, or the catalogue does not list the operation.</exception>
    public async Task<ImmutableArray<JsonElement>> CallAsync(
        Target target, string operation, ImmutableSortedDictionary<string, JsonElement> parameters, string project, CancellationToken cancellationToken)
    {
        var (api, found) = Find(operation);
        var session = await SessionAsync(target, cancellationToken);
        var pages = ImmutableArray.CreateBuilder<JsonElement>();
        await foreach (var page in session.PagesAsync(api, found, parameters, project, cancellationToken))
            pages.Add(page);
        return pages.ToImmutable();
    }

    /// <summary>Closes the clients; the transport stays.</summary>
    public ValueTask DisposeAsync()
    {
        foreach (var session in _sessions.Values)
            session.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<GcpSession> SessionAsync(Target target, CancellationToken cancellationToken)
    {
        if (_sessions.TryGetValue(target.Name, out var known))
            return known;
        var (credential, claimed) = transport.IsReplay
            ? (GoogleCredential.FromAccessToken("replay"), "not recorded")
            : await _credentials.ResolveAsync(target, cancellationToken);
        return _sessions.GetOrAdd(target.Name, name => new(name, credential, claimed, transport, clock));
    }

    private async Task<ImmutableArray<string>> ProjectsAsync(GcpSession session, Target target, CancellationToken cancellationToken)
    {
        string[] ways = [.. new[] { "projects", "folder", "organization" }.Where(target.Settings.ContainsKey)];
        if (ways is not [var way])
            throw new CollectionException(GcpFailures.InvalidTarget, $"target {target.Name} must say which projects it is: exactly one of projects, folder and organization");
        var projects = way == "projects"
            ? target.Settings[way].Distinct(StringComparer.Ordinal).ToImmutableArray()
            : await new ProjectList(session, _catalogue).UnderAsync(Parent(way, target.Setting(way)!), cancellationToken);
        return projects.IsEmpty
            ? throw new CollectionException(GcpFailures.NoProjects, $"target {target.Name} has no project")
            : projects;
    }

    private static string Parent(string way, string id) => id.Contains('/', StringComparison.Ordinal) ? id : $"{way}s/{id}";

    private (ApiModel Api, OperationModel Operation) Find(string name) => _catalogue.Find(name)
        ?? throw new CollectionException(ExchangeRefusedException.ReadOnly, $"{name} is not in the read-only catalogue");
}
