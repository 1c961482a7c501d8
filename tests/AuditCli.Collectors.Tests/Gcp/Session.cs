using System.Collections;
using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Gcp;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Gcp;

/// <summary>
/// A collector on a transport with its own bundle folder. Environment variables direct it to a server, as for any user of gcloud.
/// </summary>
internal sealed class Session : IAsyncDisposable
{
    public const string Account = "auditor@p-one.iam.gserviceaccount.com";

    /// <summary>The variable and the path of each API, read once: a catalogue is larger than what most tests do with it.</summary>
    private static readonly ImmutableArray<(string Variable, string Path)> Overrides =
        [.. Apis().Select(api => ("CLOUDSDK_API_ENDPOINT_OVERRIDES_" + api.Text("override"), api.BasePath))];

    private readonly TemporaryFolder _folder = new();
    private readonly EvidenceSource _source = GcpSource.Create();

    private Session(Func<string, ExchangeTransport> transport, TimeProvider clock)
    {
        Transport = transport(_folder.Path);
        Collector = new(Transport, clock, CredentialExchanges.Add);
    }

    public string Folder => _folder.Path;
    public ExchangeTransport Transport { get; }
    public GcpCollector Collector { get; }
    public List<CredentialExchange> CredentialExchanges { get; } = [];

    /// <summary>
    /// Returns a live session against a server, with a service account's key. These tests run one after another, because the environment
    /// belongs to the process.
    /// </summary>
    public static Session Live(GoogleServer server, TimeProvider? clock = null, string? credentials = null, Action<RequestedWait>? told = null)
    {
        Clear();
        foreach (var (variable, path) in Overrides)
            Environment.SetEnvironmentVariable(variable, new Uri(server.Address, path).AbsoluteUri);
        Environment.SetEnvironmentVariable("CLOUDSDK_API_ENDPOINT_OVERRIDES_OPENIDCONNECT", server.Address.AbsoluteUri);
        var session = new Session(
            folder => new LiveTransport(Path.Combine(folder, "bundle"), "test-bundle", clock ?? TimeProvider.System) { Waiting = told ?? (_ => { }) },
            clock ?? TimeProvider.System);
        Environment.SetEnvironmentVariable(
            "GOOGLE_APPLICATION_CREDENTIALS", session.Write("credentials.json", credentials ?? server.ServiceAccountFile(Account)));
        return session;
    }

    /// <summary>Replays another session's exchanges, in an environment without any Google variables.</summary>
    public static Session Replay(Session recorded)
    {
        Clear();
        return new(
            folder => new ReplayTransport(
                Path.Combine(recorded.Folder, "bundle", BundleLayout.ExchangesFolder), Path.Combine(folder, "bundle"), "replay-bundle"),
            TimeProvider.System);
    }

    public static Target Target(params (string Name, string[] Values)[] settings) => new(
        "google", "gcp",
        (settings.Length == 0 ? [("projects", ["p-one"])] : settings)
            .ToImmutableSortedDictionary(s => s.Name, s => s.Values.ToImmutableArray(), StringComparer.Ordinal));

    public static ImmutableSortedDictionary<string, JsonElement> Parameters(params (string Name, object Value)[] parameters) =>
        parameters.ToImmutableSortedDictionary(p => p.Name, p => JsonSerializer.SerializeToElement(p.Value), StringComparer.Ordinal);

    /// <summary>Writes a file next to the bundle and returns its path.</summary>
    public string Write(string name, string content) => _folder.Write(name, content);

    public Operation Operation(string name) => _source.FindOperation(name) ?? throw new ArgumentException($"{name} is not in the catalogue");

    /// <summary>Connects to the only project, and returns all pages of an operation.</summary>
    public async Task<List<Page>> CollectAsync(string operation, params (string Name, object Value)[] parameters)
    {
        var pages = new List<Page>();
        await CollectAsync(pages, operation, parameters);
        return pages;
    }

    /// <summary>Adds the pages to the list as they arrive, so that those before a failure are kept.</summary>
    public async Task CollectAsync(List<Page> pages, string operation, params (string Name, object Value)[] parameters)
    {
        await Collector.ConnectAsync(Target(), CancellationToken.None);
        var collected = Collector.CollectAsync(
            new("google", "p-one", "gcp-global", Operation(operation), Parameters(parameters)), CancellationToken.None);
        await foreach (var page in collected)
            pages.Add(page);
    }

    /// <summary>Returns the content of the bundle's folder, with exchanges decompressed.</summary>
    public async Task<string> StoredAsync()
    {
        await Transport.DisposeAsync();
        return Aws.MotoTests.Stored(Path.Combine(Folder, "bundle"));
    }

    /// <summary>Returns every recorded attempt at an API. Closes the transport first.</summary>
    public async Task<List<RecordedExchange>> RecordedAsync(string api)
    {
        await Transport.DisposeAsync();
        return [.. Directory.EnumerateFiles(Folder, $"{api}-*.warc.gz", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .SelectMany(file => new RecordedExchanges(file).All())];
    }

    public async ValueTask DisposeAsync()
    {
        await Collector.DisposeAsync();
        await Transport.DisposeAsync();
        _folder.Dispose();
        Clear();
    }

    private static IEnumerable<RestApi> Apis()
    {
        var catalogue = new RestCatalogue(GcpSource.Catalogue);
        return catalogue.ApiNames.Select(name => catalogue.Api(name)!);
    }

    private static void Clear()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && (name.StartsWith("CLOUDSDK_", StringComparison.Ordinal) || name.StartsWith("GOOGLE_", StringComparison.Ordinal)))
                Environment.SetEnvironmentVariable(name, null);
        }
    }
}
