using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AuditCli.Tests.Running;

/// <summary>
/// The sample's company on live servers: moto with both accounts, the Google server with the organization, an API server with the cluster.
/// One run audits all of them, with credentials that are recognizable in its output.
/// </summary>
public sealed partial class LiveRun : IAsyncLifetime, IDisposable
{
    public const string AwsSecret = "MARKERsecretkeyMARKERsecretkeyMARKERsecret";
    public const string AwsToken = "MARKERsessiontokenMARKERsessiontoken";
    public const string GoogleToken = "MARKERtokenOfServiceAccountMARKER";
    private const string Ready = "AWS_ENDPOINT_URL=";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private readonly TemporaryFolder _folder = new();
    private Process? _accounts;
    private GoogleServer? _organization;
    private KubeApiServer? _cluster;

    public string Folder => _folder.Path;
    public CommandResult Result { get; private set; } = new(0, "", "");

    public GoogleServer Organization => _organization ?? throw new InvalidOperationException("nothing was started");

    /// <summary>The bundle that the run left in <c>live-out</c>.</summary>
    public string Bundle => AuditCommand.TheBundle(Path.Combine(Folder, "live-out"));

    public async Task InitializeAsync()
    {
        if (Tool.WhyNot("kube-apiserver", "kubectl", "moto_server") is not null)
            return;
        var accounts = StartAccountsAsync();
        _organization = GoogleEnvironment.Server();
        _organization.Emails[GoogleToken] = GoogleEnvironment.Auditor;
        _cluster = await KubeApiServer.StartAsync();
        var admin = _folder.Write("admin.kubeconfig", _cluster.Kubeconfig($"{{ token: {KubeApiServer.AdminToken} }}"));
        var seeded = await AuditCommand.OtherAsync(Folder, "kubectl", "--kubeconfig", admin, "create", "-f", Repository.Path("samples", "cluster.yaml"));
        Assert.True(seeded.ExitCode == 0, seeded.ToString());
        foreach (var file in Directory.GetFiles(Repository.Path("samples", "inputs")))
            _folder.Write($"inputs/{Path.GetFileName(file)}", await File.ReadAllTextAsync(file));
        _folder.Write("engagement.yaml", Engagement(""));
        var environment = new Dictionary<string, string>(_organization.Overrides)
        {
            ["GOOGLE_APPLICATION_CREDENTIALS"] = _folder.Write("credentials.json", _organization.ServiceAccountFile(GoogleEnvironment.Auditor)),
            ["KUBECONFIG"] = _folder.Write("kubeconfig", _cluster.Kubeconfig($"{{ token: {KubeApiServer.ReaderToken} }}", context: "trading-prod")),
            ["AWS_ENDPOINT_URL"] = await accounts,
            ["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE",
            ["AWS_SECRET_ACCESS_KEY"] = AwsSecret,
            ["AWS_SESSION_TOKEN"] = AwsToken,
            ["AWS_DEFAULT_REGION"] = "us-east-1",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
        };
        Result = await AuditCommand.ProcessAsync(Folder, environment, [], "run", "engagement.yaml", "--out", "live-out", "-v");
        Assert.True(Result.ExitCode == 2, Result.ToString());
    }

    /// <summary>
    /// Returns the sample's engagement with its line for recorded exchanges replaced, as of the moment for which its planted dates were
    /// chosen.
    /// </summary>
    public static string Engagement(string replay)
    {
        var text = ReplayLine().Replace(File.ReadAllText(Repository.Path("samples", "engagement.yaml")), replay);
        text = LibraryLine().Replace(text, $"library: {Repository.Path("controls")}");
        return $"{text}\nas_of: 2026-11-23T00:00:00Z\nas_of_tolerance: 36500d\n";
    }

    public async Task DisposeAsync()
    {
        if (_accounts is { HasExited: false })
            _accounts.Kill(entireProcessTree: true);
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    public void Dispose()
    {
        _accounts?.Dispose();
        _organization?.Dispose();
        _folder.Dispose();
    }

    /// <summary>Starts one moto process with both accounts seeded, and returns its address.</summary>
    private async Task<string> StartAccountsAsync()
    {
        var start = new ProcessStartInfo("python3", [Repository.Path("samples", "record.py"), "serve", "--aws"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _accounts = Process.Start(start)!;
        // The server prints its address after seeding both accounts. It would already answer before that, without the data.
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _accounts.ErrorDataReceived += (_, _) => { };
        _accounts.OutputDataReceived += (_, e) =>
        {
            if (e.Data is null)
                ready.TrySetException(new InvalidOperationException("samples/record.py serve ended before it was ready"));
            else if (e.Data.StartsWith(Ready, StringComparison.Ordinal))
                ready.TrySetResult(e.Data[Ready.Length..]);
        };
        _accounts.BeginErrorReadLine();
        _accounts.BeginOutputReadLine();
        return await ready.Task.WaitAsync(StartLimit);
    }

    [GeneratedRegex("^replay:.*$", RegexOptions.Multiline)]
    private static partial Regex ReplayLine();

    [GeneratedRegex("^library:.*$", RegexOptions.Multiline)]
    private static partial Regex LibraryLine();
}
