using System.Collections.Concurrent;
using System.Security.Cryptography;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>Sends requests over the network and records every attempt in the bundle; without a bundle nothing is stored.</summary>
public sealed class LiveTransport : ExchangeTransport
{
    private const int RedactionKeyBytes = 32;
    private readonly TimeProvider _clock;
    private readonly ExchangeLimits _limits;
    private readonly ExchangePolicy _policy = ExchangePolicy.Default;
    private readonly ConcurrentDictionary<Route, Lazy<(SocketsHttpHandler Handler, ServerCertificates Certificates)>> _networks = new();
    private readonly Lazy<Route> _usual = new(Route.Usual);
    private readonly ConnectionBudget _connections;
    private readonly BodyRedaction? _redaction;

    /// <param name="bundleFolder">The folder of the bundle under construction; null for a call without a bundle.</param>
    /// <param name="seed">The bundle's id, which makes record identifiers unique.</param>
    /// <param name="redactionKey">
    /// The key under which secrets in responses are replaced by digests; null to generate one that is discarded.
    /// </param>
    /// <param name="connections">The limit of open connections over all hosts; null for the default.</param>
    public LiveTransport(
        string? bundleFolder, string seed, TimeProvider clock, ExchangeLimits? limits = null, ReadOnlyMemory<byte>? redactionKey = null,
        int? connections = null)
        : base(bundleFolder, seed)
    {
        _redaction = bundleFolder is null ? null : new(redactionKey ?? RandomNumberGenerator.GetBytes(RedactionKeyBytes));
        _clock = clock;
        _limits = limits ?? ExchangeLimits.Default;
        _connections = new(connections ?? RequestLimits.Default.Connections);
    }

    public override bool IsReplay => false;

    public override Uri? FirstRecorded(ExchangeScope scope) => null;

    public override string? RecordedField(ExchangeScope scope, string name) => null;

    internal override HttpMessageHandler Open(
        ExchangeScope scope, Func<HttpRequestMessage, string?> refusal, Func<HttpRequestMessage, AnswerPlaces?>? places = null, Route? route = null) =>
        Chain(scope, refusal, places, route ?? _usual.Value);

    private ReadOnlyGuard Chain(
        ExchangeScope scope, Func<HttpRequestMessage, string?> refusal, Func<HttpRequestMessage, AnswerPlaces?>? places, Route route)
    {
        var (network, certificates) = _networks.GetOrAdd(route, way => new(() => Connected(way))).Value;
        var file = scope.BundlePath;
        return new ReadOnlyGuard(refusal, new ExchangeRecorder(KeepAsync, _policy, _limits, _clock, _redaction, places, scope.HasVouchedFiles, network));

        async ValueTask KeepAsync(HttpExchange exchange, AnswerPlaces? said, CancellationToken cancellationToken)
        {
            MeasureClock(exchange);
            if (Logs is not { } logs)
                return;
            // A received response is recorded even if the caller has just cancelled.
            var ids = await logs.Of(file).AppendAsync(
                exchange with { AskedFor = AskedFor, ServerCertificates = certificates.Of(exchange.Uri) }, CancellationToken.None);
            Note(RecordedResponse.Reference(file, ids.Answer, exchange, said));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private (SocketsHttpHandler, ServerCertificates) Connected(Route way)
    {
        var certificates = new ServerCertificates();
        return (way.Connect(_limits.Connect, (c, t) => _connections.ConnectAsync(c, way.Socket, t), certificates), certificates);
    }

    private protected override ValueTask CloseAsync()
    {
        foreach (var network in _networks.Values.Where(n => n.IsValueCreated))
            network.Value.Handler.Dispose();
        _connections.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Identifies the software that writes the files of exchanges.</summary>
internal static class RecordingSoftware
{
    public static string Name { get; } = $"auditcli/{typeof(RecordingSoftware).Assembly.GetName().Version?.ToString(3)}";
}
