using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Aws;
using AuditCli.Collectors.Exchanges;
using AuditCli.Evidence;
using AuditCli.Evidence.Bundles;
using AuditCli.Evidence.Warc;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>A collector on a transport with its own bundle folder. Environment variables direct it to a server, as for any user.</summary>
internal sealed class Session : IAsyncDisposable
{
    public const string SecretKey = "MARKERsecretAccessKeyMARKER0123456789abcd";
    public const string SessionToken = "MARKERsessionTokenMARKER/0123+456789abcd==";

    /// <summary>
    /// The profile file. The SDK looks for its path and existence only once in a process, so the file always exists and is empty. A test
    /// that needs profiles writes them there and empties it again.
    /// </summary>
    public static readonly string Profiles = NoProfiles();

    private readonly TemporaryFolder _folder = new();
    private readonly EvidenceSource _source = AwsSource.Create();

    private Session(Func<string, ExchangeTransport> transport, TimeProvider clock)
    {
        Transport = transport(_folder.Path);
        Collector = new(Transport, clock, CredentialExchanges.Add);
    }

    public string Folder => _folder.Path;
    public ExchangeTransport Transport { get; }
    public AwsCollector Collector { get; }
    public List<CredentialExchange> CredentialExchanges { get; } = [];

    /// <summary>Makes the SDK look for the file before any test runs.</summary>
    [ModuleInitializer]
    internal static void NameProfiles()
    {
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", Profiles);
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", Path.Combine(Path.GetTempPath(), "auditcli-none"));
    }

    private static string NoProfiles()
    {
        var path = Path.Combine(Path.GetTempPath(), $"auditcli-profiles-{Environment.ProcessId}");
        File.WriteAllText(path, "");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(path);
        return path;
    }

    /// <summary>
    /// Returns a live session against a server. These tests run one after another, because the environment belongs to the process.
    /// </summary>
    /// <param name="keep">Whether there is a bundle. Without one nothing is recorded or redacted, as in <c>auditcli call</c>.</param>
    public static Session Live(Uri server, TimeProvider? clock = null, ExchangeLimits? limits = null, bool keep = true, Action<RequestedWait>? told = null)
    {
        foreach (var (name, value) in new Dictionary<string, string?>
        {
            ["AWS_ENDPOINT_URL"] = server.GetLeftPart(UriPartial.Authority),
            ["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE",
            ["AWS_SECRET_ACCESS_KEY"] = SecretKey,
            ["AWS_SESSION_TOKEN"] = SessionToken,
            ["AWS_REGION"] = "us-east-1",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
        })
        {
            Environment.SetEnvironmentVariable(name, value);
        }
        return new(
            folder => new LiveTransport(keep ? folder : null, "test-bundle", clock ?? TimeProvider.System, limits) { Waiting = told ?? (_ => { }) },
            clock ?? TimeProvider.System);
    }

    /// <summary>Replays another session's exchanges, in an environment without credentials.</summary>
    public static Session Replay(Session recorded)
    {
        foreach (var name in new[] { "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION" })
            Environment.SetEnvironmentVariable(name, null);
        return new(folder => new ReplayTransport(Path.Combine(recorded.Folder, BundleLayout.ExchangesFolder), folder, "replay-bundle"), TimeProvider.System);
    }

    public static Target Target(params (string Name, string Value)[] settings) => new(
        "prod", "aws", settings.Append(("regions", "us-east-1")).ToImmutableSortedDictionary(s => s.Item1, s => ImmutableArray.Create(s.Item2)));

    public static ImmutableSortedDictionary<string, JsonElement> Parameters(params (string Name, object Value)[] parameters) =>
        parameters.ToImmutableSortedDictionary(p => p.Name, p => JsonSerializer.SerializeToElement(p.Value));

    public Operation Operation(string name) => _source.FindOperation(name) ?? throw new ArgumentException($"{name} is not in the catalogue");

    /// <summary>Returns all pages of one operation.</summary>
    public async Task<List<Page>> CollectAsync(string operation, params (string Name, object Value)[] parameters) =>
        await CollectAsync(operation, CancellationToken.None, parameters);

    public async Task<List<Page>> CollectAsync(string operation, CancellationToken cancellationToken, params (string Name, object Value)[] parameters)
    {
        var found = Operation(operation);
        var region = found.Scope == OperationScope.Global ? "aws-global" : "us-east-1";
        var pages = new List<Page>();
        await foreach (var page in Collector.CollectAsync(new("prod", "123456789012", region, found, Parameters(parameters)), cancellationToken))
            pages.Add(page);
        return pages;
    }

    /// <summary>Calls one operation without connecting first.</summary>
    public Task<JsonElement> CallAsync(string operation, params (string Name, object Value)[] parameters) =>
        Collector.CallAsync(Target(), operation, Parameters(parameters), null, CancellationToken.None);

    /// <summary>Returns the recorded statuses of a service in order; "failed" where there was no response.</summary>
    public async Task<List<string>> StatusesAsync(string service) =>
        [.. (await RecordedAsync(service)).Select(r => r.Exchange.Response?.StartLine.Split(' ')[1] ?? "failed")];

    /// <summary>Returns every recorded attempt of one service. Closes the transport first.</summary>
    public async Task<List<RecordedExchange>> RecordedAsync(string service)
    {
        await Transport.DisposeAsync();
        return [.. Directory.EnumerateFiles(Folder, $"{service}-*.warc.gz", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .SelectMany(file => new RecordedExchanges(file).All())];
    }

    public async ValueTask DisposeAsync()
    {
        await Collector.DisposeAsync();
        await Transport.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>Tests that set environment variables do not run in parallel.</summary>
[CollectionDefinition("environment", DisableParallelization = true)]
public sealed class EnvironmentTests;
