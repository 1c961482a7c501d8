using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Rest;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;

namespace AuditCli.Collectors.HttpApi;

/// <summary>Reads products with HTTP APIs by the operations of their catalogue files.</summary>
public sealed class HttpApiCollector : ICollector
{
    private readonly RestCatalogue _catalogue = new(HttpApiProducts.Catalogue);
    private readonly TargetSessions<HttpApiSession> _sessions;

    /// <param name="transport">A live or replay transport; the collector does not own it.</param>
    /// <param name="clock">The clock for waits between attempts and for the validity of tokens.</param>
    /// <param name="credentialExchange">Called for each request that returns credentials, for the run log.</param>
    public HttpApiCollector(ExchangeTransport transport, TimeProvider clock, Action<CredentialExchange> credentialExchange)
    {
        var products = HttpApiProducts.Load(_catalogue);
        _sessions = new((target, _) => Task.FromResult(HttpApiSession.Open(products, target, transport, clock, credentialExchange)));
    }

    /// <inheritdoc/>
    public ImmutableArray<string> UnusualEndpoints => _sessions.UnusualEndpoints;

    /// <inheritdoc/>
    /// <exception cref="CollectionException">The target is not valid, has no credentials, or the product does not accept them.</exception>
    public async Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken)
    {
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var account = await session.AccountAsync(target, cancellationToken);
        var identity = await session.IdentityAsync(cancellationToken);
        return
        [
            new(target, account, identity, HttpApiSource.GlobalRegion, [HttpApiSource.GlobalRegion])
            {
                Place = [new("product", session.Product.Title)],
            },
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
        var operation = Find(session, request.Operation.Name);
        await foreach (var rows in session.Reader.RowsAsync(operation, request.Parameters, cancellationToken))
            yield return new(rows);
    }

    /// <summary>
    /// Calls one operation and returns its response: for a list, the elements of all pages in one array as the product wrote them; otherwise
    /// the response itself.
    /// </summary>
    /// <exception cref="CollectionException">There is no response, it is incomplete, or the catalogue does not contain the operation.</exception>
    public async Task<JsonElement> CallAsync(
        Target target, string operation, ImmutableSortedDictionary<string, JsonElement> parameters, string? place, CancellationToken cancellationToken)
    {
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var found = Find(session, operation);
        var pages = session.Reader.PagesAsync(found, parameters, cancellationToken);
        return await JsonAnswer.JoinedAsync(pages.SelectMany(page => page.Elements).Select(e => e.Value), found.Rows is not null);
    }

    /// <summary>Closes the clients; the transport remains open.</summary>
    public ValueTask DisposeAsync()
    {
        _sessions.Dispose();
        return ValueTask.CompletedTask;
    }

    private RestOperation Find(HttpApiSession session, string name)
    {
        var (api, operation) = _catalogue.Find(name)
            ?? throw new CollectionException(Codes.RefusedReadOnly, $"{name} is not in the read-only catalogue");
        return api.Name == session.Product.Name
            ? operation
            : throw new CollectionException(
                HttpApiCodes.UnknownProduct, $"{name} is an operation of another product; {session.Address.Host} is {session.Product.Title}");
    }
}
