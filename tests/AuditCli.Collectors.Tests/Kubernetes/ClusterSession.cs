using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Kubernetes;
using AuditCli.Collectors.Running;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>A collector on a transport with its own bundle folder. A kubeconfig directs it to a cluster.</summary>
internal sealed class ClusterSession : IAsyncDisposable
{
    public const string Token = "MARKERbearerTokenMARKER0123456789";
    private readonly TemporaryFolder _folder = new();

    private ClusterSession(Target target, Func<string, ExchangeTransport> transport, TimeProvider clock, int pageSize)
    {
        Named = target;
        Transport = transport(Path.Combine(_folder.Path, "bundle"));
        Collector = new(Transport, clock, CredentialExchanges.Add, pageSize);
    }

    /// <summary>The folder for the exchanges; the kubeconfig is elsewhere.</summary>
    public string Folder => Path.Combine(_folder.Path, "bundle");
    public ExchangeTransport Transport { get; }
    public KubernetesCollector Collector { get; }

    /// <summary>The target that names the kubeconfig.</summary>
    public Target Named { get; }
    public List<CredentialExchange> CredentialExchanges { get; } = [];

    public static ClusterSession Live(
        string kubeconfig, TimeProvider? clock = null, ExchangeLimits? limits = null, int pageSize = 500, string? context = null,
        Action<RequestedWait>? told = null)
    {
        var files = new TemporaryFolder();
        var target = Target(("kubeconfig", files.Write("kubeconfig", kubeconfig)), ("context", context));
        var session = new ClusterSession(
            target,
            folder => new LiveTransport(folder, "test-bundle", clock ?? TimeProvider.System, limits) { Waiting = told ?? (_ => { }) },
            clock ?? TimeProvider.System, pageSize);
        session.Owned = files;
        return session;
    }

    /// <summary>Returns a live session with an existing kubeconfig.</summary>
    public static ClusterSession Live(Target target, TimeProvider clock) => new(target, folder => new LiveTransport(folder, "test-bundle", clock), clock, 500);

    /// <summary>Replays another session's exchanges. The kubeconfig that its target names does not exist.</summary>
    public static ClusterSession Replay(ClusterSession recorded, int pageSize = 500) => new(
        Target(("kubeconfig", "/nowhere/kubeconfig"), ("context", "nobody")),
        folder => new ReplayTransport(Path.Combine(recorded.Folder, BundleLayout.ExchangesFolder), folder, "replay-bundle"), TimeProvider.System, pageSize);

    /// <summary>A kubeconfig for a loopback server without TLS.</summary>
    public static string Kubeconfig(Uri server, string user = "{ token: " + Token + " }") => $$"""
        apiVersion: v1
        kind: Config
        current-context: test
        contexts: [{ name: test, context: { cluster: test, user: test } }]
        clusters: [{ name: test, cluster: { server: "{{server.AbsoluteUri.TrimEnd('/')}}" } }]
        users: [{ name: test, user: {{user}} }]
        """;

    public static Target Target(params (string Name, string? Value)[] settings) => new(
        "trading", KubernetesSource.Name,
        settings.Where(s => s.Value is not null).ToImmutableSortedDictionary(s => s.Name, s => ImmutableArray.Create(s.Value!)));

    public async Task<Connection> ConnectAsync() => Assert.Single(await Collector.ConnectAsync(Named, CancellationToken.None));

    /// <summary>Connects, and returns all pages of one list.</summary>
    public async Task<List<Page>> CollectAsync(string operation, params (string Name, string Value)[] parameters)
    {
        await ConnectAsync();
        return await PagesAsync(operation, parameters);
    }

    public async Task<List<Page>> PagesAsync(string operation, params (string Name, string Value)[] parameters)
    {
        var found = KubernetesSource.Create().FindOperation(operation) ?? throw new ArgumentException($"{operation} is refused");
        var pages = new List<Page>();
        var collected = Collector.CollectAsync(
            new("trading", "trading", KubernetesSource.GlobalRegion, found, Parameters(parameters)), CancellationToken.None);
        await foreach (var page in collected)
            pages.Add(page);
        return pages;
    }

    /// <summary>Collects operations concurrently, as a run does, and returns the evidence item and the rows of each.</summary>
    public async Task<ImmutableArray<(EvidenceItem Item, ImmutableArray<JsonElement> Rows)>> RunAsync(params string[] operations)
    {
        var source = KubernetesSource.Create();
        var requests = operations.Select(o => new PlannedRequest(
            o, "trading", source.FindOperation(o)!, Parameters([]), null, ImmutableSortedDictionary<string, string>.Empty, [], null, []));
        var plan = new CollectionPlan([.. requests], [], []);
        using var folder = new TemporaryFolder();
        await using var bundle = BundleWriter.Create(folder.Path, "a-bundle");
        var limit = new ConcurrencyLimit(RequestLimits.Default);
        var run = new CollectionRun(
            plan, ImmutableDictionary<string, ICollector>.Empty.Add(KubernetesSource.Name, Collector), Transport, bundle,
            TimeProvider.System, limit, _ => { });
        var collected = await run.RunAsync([Named], [], CancellationToken.None);
        return
        [
            .. operations.Select(o => collected.Items.Single(i => i.Operation == o))
                .Select(item => (item, item.Table is null ? [] : Table(bundle.PathOf(item.Table)))),
        ];
    }

    public Task<JsonElement> CallAsync(string operation, params (string Name, string Value)[] parameters) =>
        Collector.CallAsync(Named, operation, Parameters(parameters), CancellationToken.None);

    /// <summary>Returns every recorded attempt. Closes the transport first.</summary>
    public async Task<List<RecordedExchange>> RecordedAsync()
    {
        await Transport.DisposeAsync();
        return
        [
            .. Directory.EnumerateFiles(Folder, "*.warc.gz", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .SelectMany(file => new RecordedExchanges(file).All()),
        ];
    }

    /// <summary>Returns whether a file of the bundle contains the text, after decompression.</summary>
    public async Task<bool> HoldsAsync(string text)
    {
        await Transport.DisposeAsync();
        foreach (var file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
        {
            await using var gzip = new System.IO.Compression.GZipStream(File.OpenRead(file), System.IO.Compression.CompressionMode.Decompress);
            using var reader = new StreamReader(gzip);
            if ((await reader.ReadToEndAsync()).Contains(text, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        await Collector.DisposeAsync();
        await Transport.DisposeAsync();
        _folder.Dispose();
        Owned?.Dispose();
    }

    private static ImmutableArray<JsonElement> Table(string path)
    {
        using var gzip = new System.IO.Compression.GZipStream(File.OpenRead(path), System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    private TemporaryFolder? Owned { get; set; }

    private static ImmutableSortedDictionary<string, JsonElement> Parameters((string Name, string Value)[] parameters) =>
        parameters.ToImmutableSortedDictionary(p => p.Name, p => JsonSerializer.SerializeToElement(p.Value));
}
