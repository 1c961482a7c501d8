using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Reads Kubernetes clusters page by page: the list of any resource except secrets, or a table computed from several lists.
/// </summary>
/// <remarks>
/// A replay takes the server's address from the recorded exchanges and reads neither kubeconfig nor environment.
/// </remarks>
public sealed class KubernetesCollector : ICollector
{
    private const string Service = "api";
    private readonly ExchangeTransport _transport;
    private readonly TimeProvider _clock;
    private readonly KubernetesCredentials _credentials;
    private readonly int _pageSize;
    private readonly TargetSessions<KubernetesSession> _sessions;

    /// <param name="clock">The clock for waits between attempts.</param>
    /// <param name="credentialExchange">Called for each run of a program that returns credentials, for the run log.</param>
    /// <param name="pageSize">The number of objects per response; a replay must use the recorded number.</param>
    public KubernetesCollector(ExchangeTransport transport, TimeProvider clock, Action<CredentialExchange> credentialExchange, int pageSize = 500)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pageSize);
        _transport = transport;
        _clock = clock;
        _credentials = new(clock, credentialExchange);
        _pageSize = pageSize;
        _sessions = new(OpenAsync);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Every API server belongs to the client, so an endpoint is unusual if it has no TLS or its certificate is not verified.
    /// </remarks>
    public ImmutableArray<string> UnusualEndpoints => _sessions.UnusualEndpoints;

    /// <inheritdoc/>
    /// <exception cref="CollectionException">There are no credentials, or the server refuses the caller.</exception>
    public async Task<ImmutableArray<Connection>> ConnectAsync(Target target, CancellationToken cancellationToken)
    {
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var identity = await KubernetesIdentity.FindAsync(session, _transport.IsReplay, cancellationToken);
        return [new(target, target.Name, identity, KubernetesSource.GlobalRegion, []) { Place = session.Access.Place }];
    }

    /// <inheritdoc/>
    /// <exception cref="CollectionException">
    /// There is no response, or it is incomplete; the code is the server's reason or the collector's.
    /// </exception>
    /// <exception cref="InvalidOperationException">The target was not connected to.</exception>
    public async IAsyncEnumerable<Page> CollectAsync(EvidenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var session = _sessions.Connected(request.Target);
        if (DerivedTable.Find(request.Operation.Name) is { } table)
        {
            if (!request.Parameters.IsEmpty)
            {
                throw new CollectionException(
                    Codes.InvalidParameter, $"{table.Name} takes no parameter {request.Parameters.Keys.First()}; it takes none");
            }
            await foreach (var page in table.ReadAsync(session, cancellationToken))
                yield return page;
            yield break;
        }
        var resource = Find(request.Operation.Name);
        await foreach (var page in session.PagesAsync(resource, request.Parameters, cancellationToken))
            yield return new(ObjectRows.Read(resource, page));
    }

    /// <inheritdoc/>
    Task<JsonElement> ICollector.CallAsync(
        Target target, string operation, ImmutableSortedDictionary<string, JsonElement> parameters, string? place, CancellationToken cancellationToken) =>
        CallAsync(target, operation, parameters, cancellationToken);

    /// <summary>
    /// Reads one complete list: <c>apiVersion</c>, <c>kind</c> and <c>metadata</c> of its first page, without the page token and the
    /// remaining item count, and <c>items</c> of all pages, each with its own version and kind as kubectl prints them. Number literals are
    /// the server's.
    /// </summary>
    /// <param name="operation">The operation in the form used by controls, such as <c>v1/pods</c>.</param>
    /// <exception cref="CollectionException">There is no response, or the operation is refused.</exception>
    public async Task<JsonElement> CallAsync(
        Target target, string operation, ImmutableSortedDictionary<string, JsonElement> parameters, CancellationToken cancellationToken)
    {
        if (DerivedTable.Find(operation) is { } table)
        {
            throw new CollectionException(Codes.InvalidParameter, table.Reads.IsEmpty
                ? $"{operation} is a table, and only lists can be called"
                : $"{operation} is a table made from several lists; call one of those: {string.Join(", ", table.Reads)}");
        }
        var resource = Find(operation);
        var session = await _sessions.OpenAsync(target, cancellationToken);
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            var first = true;
            await foreach (var page in session.PagesAsync(resource, parameters, cancellationToken))
            {
                if (first)
                    WriteHead(writer, page);
                first = false;
                foreach (var item in ObjectRows.Items(page))
                    WriteItem(writer, page, item);
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return JsonElement.Parse(buffer.WrittenSpan, new JsonDocumentOptions { MaxDepth = 256 });
    }

    /// <summary>Closes the clients; the transport remains open.</summary>
    public ValueTask DisposeAsync()
    {
        _sessions.Dispose();
        _credentials.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<KubernetesSession> OpenAsync(Target target, CancellationToken cancellationToken)
    {
        var scope = new ExchangeScope(target.Name, Service, KubernetesSource.GlobalRegion);
        var access = _transport.IsReplay ? Recorded(scope) : await _credentials.ResolveAsync(target, cancellationToken);
        return new(scope, access, _transport, _transport.IsReplay ? null : _clock, _pageSize);
    }

    /// <summary>Returns the recorded server and the cluster's path on it; a replay needs and has nothing else.</summary>
    private ClusterAccess Recorded(ExchangeScope scope)
    {
        var first = _transport.FirstRecorded(scope)
            ?? throw new CollectionException(Codes.NoRecording, $"nothing is recorded for {scope.Target}");
        var path = first.AbsolutePath.EndsWith(KubernetesIdentity.FirstPath, StringComparison.Ordinal)
            ? first.AbsolutePath[..^KubernetesIdentity.FirstPath.Length]
            : "";
        return new(new(first.GetLeftPart(UriPartial.Authority) + path), null);
    }

    private static KubernetesResource Find(string name) => KubernetesResource.TryParse(name, out var resource, out var reason)
        ? resource
        : throw new CollectionException(Codes.RefusedReadOnly, $"{name}: {reason}");

    private static void WriteHead(Utf8JsonWriter writer, JsonElement page)
    {
        writer.WriteStartObject();
        foreach (var member in page.EnumerateObject().Where(m => m.Name is "apiVersion" or "kind").OrderBy(m => m.Name, StringComparer.Ordinal))
            Copy(writer, member);
        writer.WriteStartObject("metadata");
        if (page.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in metadata.EnumerateObject().Where(m => m.Name is not ("continue" or "remainingItemCount")))
                Copy(writer, member);
        }
        writer.WriteEndObject();
        writer.WriteStartArray("items");
    }

    private static void WriteItem(Utf8JsonWriter writer, JsonElement page, JsonElement item)
    {
        writer.WriteStartObject();
        writer.WriteString("apiVersion", ObjectRows.ApiVersion(page, item));
        writer.WriteString("kind", ObjectRows.Kind(page, item));
        foreach (var member in item.EnumerateObject().Where(m => m.Name is not ("apiVersion" or "kind")))
            Copy(writer, member);
        writer.WriteEndObject();
    }

    private static void Copy(Utf8JsonWriter writer, JsonProperty member)
    {
        writer.WritePropertyName(member.Name);
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
    }
}
