using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AuditCli.Tests;

/// <summary>The sample's controls against a live server (moto with two accounts), and the replay of what that run recorded.</summary>
public sealed partial class LiveTests : IClassFixture<LiveServer>
{
    private const string SecretMarker = "MARKERsecretkeyMARKERsecretkeyMARKERsecret";
    private const string TokenMarker = "MARKERsessiontokenMARKERsessiontoken";
    private readonly LiveServer _server;

    public LiveTests(LiveServer server) => _server = server;

    [MotoFact]
    public async Task Live_and_replayed_runs_conclude_the_same_from_the_same_tables()
    {
        using var folder = new TemporaryFolder();
        var moment = DateTimeOffset.UtcNow;
        var engagement = folder.Write("engagement.yaml", Engagement("live", moment));
        CopyInputs(folder.Path);
        var live = await RunAsync(folder, engagement, "live-out");
        Assert.True(live.ExitCode == 2, live.ToString());
        Assert.DoesNotContain("REPLAY", live.Output, StringComparison.Ordinal);
        var first = AuditCommand.TheBundle(Path.Combine(folder.Path, "live-out"));

        var replay = folder.Write("replay.yaml", Engagement($"replay: {Path.Combine("live-out", Path.GetFileName(first), "data", "exchanges")}", moment));
        var replayed = await AuditCommand.RunAsync(folder.Path, "run", replay, "--out", Path.Combine(folder.Path, "replay-out"));
        Assert.True(replayed.ExitCode == live.ExitCode, replayed.ToString());
        var second = AuditCommand.TheBundle(Path.Combine(folder.Path, "replay-out"));

        SampleTests.SameContents(first, second, "data/tables");
        SampleTests.SameContents(first, second, "data/results");
        Assert.True((await AuditCommand.RunAsync(folder.Path, "verify", first, "--allow-unsigned")).ExitCode == 0);
    }

    [MotoFact]
    public async Task No_credential_reaches_the_bundle_the_log_or_the_screen()
    {
        using var folder = new TemporaryFolder();
        var engagement = folder.Write("engagement.yaml", Engagement("live", DateTimeOffset.UtcNow));
        CopyInputs(folder.Path);
        var result = await RunAsync(folder, engagement, "out", "-v");
        Assert.True(result.ExitCode is 2 or 3, result.ToString());
        var text = result + await CredentialTests.EverythingAsync(Path.Combine(folder.Path, "out"));
        Assert.Contains("AssumeRole", text, StringComparison.Ordinal);    // the log names the exchange
        foreach (var secret in new[] { SecretMarker, TokenMarker, "<SecretAccessKey>", "<SessionToken>", "Signature=", "FQoGZXIvYXdz", "X-Amz-Security-Token" })
            Assert.False(text.Contains(secret, StringComparison.OrdinalIgnoreCase), $"{secret} was written");
    }

    private Task<CommandResult> RunAsync(TemporaryFolder folder, string engagement, string output, params string[] more) => AuditCommand.ProcessAsync(
        folder.Path,
        new Dictionary<string, string>
        {
            ["AWS_ENDPOINT_URL"] = _server.Url,
            ["AWS_ACCESS_KEY_ID"] = "AKIAIOSFODNN7EXAMPLE",
            ["AWS_SECRET_ACCESS_KEY"] = SecretMarker,
            ["AWS_SESSION_TOKEN"] = TokenMarker,
            ["AWS_DEFAULT_REGION"] = "us-east-1",
            ["AWS_EC2_METADATA_DISABLED"] = "true",
        },
        [],
        ["run", engagement, "--out", Path.Combine(folder.Path, output), .. more]);

    /// <summary>The sample's engagement with its exchanges left out, or others in their place, and a moment that both runs share.</summary>
    private static string Engagement(string replay, DateTimeOffset moment)
    {
        var text = File.ReadAllText(Repository.Path("samples", "engagement.yaml"));
        text = ReplayLine().Replace(text, replay == "live" ? "" : replay);
        text = LibraryLine().Replace(text, $"library: {Repository.Path("controls")}");
        return $"{text}\nas_of: {moment:yyyy-MM-dd'T'HH:mm:ss'Z'}\n";
    }

    private static void CopyInputs(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "inputs"));
        foreach (var file in Directory.GetFiles(Repository.Path("samples", "inputs")))
            File.Copy(file, Path.Combine(folder, "inputs", Path.GetFileName(file)));
    }

    [GeneratedRegex("^replay:.*$", RegexOptions.Multiline)]
    private static partial Regex ReplayLine();

    [GeneratedRegex("^library:.*$", RegexOptions.Multiline)]
    private static partial Regex LibraryLine();
}

/// <summary>The sample's own server: moto in one process with both accounts seeded.</summary>
public sealed class LiveServer : IAsyncLifetime
{
    private const string Ready = "AWS_ENDPOINT_URL=";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private Process? _process;

    public string Url { get; private set; } = "";

    public async Task InitializeAsync()
    {
        if (MotoServer.Executable is null)
            return;
        _process = Process.Start(new ProcessStartInfo("python3", [Repository.Path("samples", "record.py"), "serve"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        // It says its address once both accounts are seeded; before that it would answer too.
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is null)
                ready.TrySetException(new InvalidOperationException("samples/record.py serve ended before it was ready"));
            else if (e.Data.StartsWith(Ready, StringComparison.Ordinal))
                ready.TrySetResult(e.Data[Ready.Length..]);
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        Url = await ready.Task.WaitAsync(StartLimit);
    }

    public Task DisposeAsync()
    {
        if (_process is { HasExited: false })
            _process.Kill(entireProcessTree: true);
        _process?.Dispose();
        return Task.CompletedTask;
    }
}
