using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.HttpApi;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.HttpApi;

/// <summary>A collector on a transport with its own bundle folder, for one product at a loopback server.</summary>
internal sealed class Session : IAsyncDisposable
{
    public const string Variable = "AUDITCLI_TEST_TOKEN";
    private readonly TemporaryFolder _folder = new();
    private readonly EvidenceSource _source = HttpApiSource.Create();

    private Session(Func<string, ExchangeTransport> transport, Target target, TimeProvider clock)
    {
        Transport = transport(_folder.Path);
        Target = target;
        Collector = new(Transport, clock, CredentialExchanges.Add);
    }

    public static RestCatalogue Catalogue { get; } = new(HttpApiProducts.Catalogue);

    public string Folder => _folder.Path;
    public ExchangeTransport Transport { get; }
    public Target Target { get; }
    public HttpApiCollector Collector { get; }
    public List<CredentialExchange> CredentialExchanges { get; } = [];

    /// <summary>Returns a live session; settings are added to the product's address and a working token.</summary>
    public static Session Live(string product, Uri address, params (string Name, string Value)[] settings) => Live(product, address, null, settings);

    public static Session Live(string product, Uri address, TimeProvider? clock, params (string Name, string Value)[] settings) =>
        Live(product, address, clock, _ => { }, settings);

    /// <param name="told">Called for each wait that the product asks for.</param>
    public static Session Live(
        string product, Uri address, TimeProvider? clock, Action<RequestedWait> told, params (string Name, string Value)[] settings)
    {
        Environment.SetEnvironmentVariable(Variable, "test-token");
        return new(
            folder => new LiveTransport(Path.Combine(folder, "bundle"), "test-bundle", TimeProvider.System) { Waiting = told },
            TargetOf(product, address, settings), clock ?? TimeProvider.System);
    }

    public static Target TargetOf(string product, Uri address, params (string Name, string Value)[] settings) => new(
        "product", "http",
        new[] { ("url", address.AbsoluteUri), ("product", product) }
            .Concat(settings.Length > 0 ? settings : product is "jira" or "servicenow"
                ? [("user", "test-user"), ("password_env", Variable)]
                : [("token_env", Variable)])
            .ToImmutableSortedDictionary(s => s.Item1, s => ImmutableArray.Create(s.Item2), StringComparer.Ordinal));

    /// <summary>Replays another session's exchanges.</summary>
    public static Session Replay(Session recorded) => new(
        folder => new ReplayTransport(
            Path.Combine(recorded.Folder, "bundle", BundleLayout.ExchangesFolder), Path.Combine(folder, "bundle"), "replay-bundle"),
        recorded.Target, TimeProvider.System);

    /// <summary>Returns parameters for an operation: the required ones without a default, with a value of their type.</summary>
    public static ImmutableSortedDictionary<string, JsonElement> Required(RestOperation operation) => operation.Parameters
        .Where(p => p.Required && p.Fill is null)
        .ToImmutableSortedDictionary(
            p => p.Name,
            p => p.Type == ColumnType.Integer ? JsonElement.Parse("7") : JsonSerializer.SerializeToElement(
                p.Type == ColumnType.Timestamp ? "2026-09-01T00:00:00Z" : "some-1"),
            StringComparer.Ordinal);

    /// <summary>Connects, and returns the rows of an operation as text.</summary>
    public async Task<List<string>> RowsAsync(string operation, ImmutableSortedDictionary<string, JsonElement>? parameters = null)
    {
        var rows = new List<string>();
        await CollectAsync(rows, operation, parameters);
        return rows;
    }

    /// <summary>Connects, and adds the rows to the list as they arrive, so that those before a failure are kept.</summary>
    public async Task CollectAsync(List<string> rows, string operation, ImmutableSortedDictionary<string, JsonElement>? parameters = null)
    {
        Assert.Single(await Collector.ConnectAsync(Target, CancellationToken.None));
        await ReadAsync(rows, operation, parameters);
    }

    /// <summary>Adds the rows of an operation to the list, once the target is connected.</summary>
    public async Task ReadAsync(List<string> rows, string operation, ImmutableSortedDictionary<string, JsonElement>? parameters = null)
    {
        var found = _source.FindOperation(operation) ?? throw new ArgumentException($"{operation} is not in the catalogue");
        var request = new EvidenceRequest(
            Target.Name, new Uri(Target.Setting("url")!).Authority, HttpApiSource.GlobalRegion, found,
            parameters ?? Required(Catalogue.Find(operation)!.Value.Operation));
        await foreach (var page in Collector.CollectAsync(request, CancellationToken.None))
            rows.AddRange(page.Rows.Select(r => $"{r.Pointer} {r.Value.GetRawText()}"));
    }

    /// <summary>Returns the content of the bundle's folder, with exchanges decompressed.</summary>
    public async Task<string> StoredAsync()
    {
        await Transport.DisposeAsync();
        return Aws.MotoTests.Stored(Path.Combine(Folder, "bundle"));
    }

    public async ValueTask DisposeAsync()
    {
        await Collector.DisposeAsync();
        await Transport.DisposeAsync();
        _folder.Dispose();
    }
}
