using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Obtains credentials from a program ("client-go credential plugins" of the Kubernetes documentation). It runs when they are first needed
/// and again when they expire; its standard output is never repeated in messages or files.
/// </summary>
/// <param name="cluster">The cluster information passed to the plugin; null if the plugin does not require it.</param>
internal sealed class ExecPlugin(KubeExec exec, string place, JsonObject? cluster, TimeProvider clock, Action<CredentialExchange> seen) : IDisposable
{
    private const string Group = "client.authentication.k8s.io/";
    private const string Kind = "client.authentication.k8s.io:ExecCredential";
    private const int LongestReason = 300;
    private const int MaximumOutput = 1024 * 1024;

    /// <summary>The time limit of one run; long enough for a user to sign in in a browser.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>How long before the expiry a token is renewed, so that it does not expire during a request.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _turn = new(1);
    private Printed? _last;

    /// <summary>The certificate from the last run; null if there was none.</summary>
    public X509Certificate2? Certificate => _last?.Certificate;

    /// <summary>Returns why the plugin cannot be run; null if it can.</summary>
    public static string? WhyNot(KubeExec exec) => exec switch
    {
        { Command: null } => "exec names no command",
        { ApiVersion: not (Group + "v1" or Group + "v1beta1") } =>
            $"exec has the apiVersion {exec.ApiVersion ?? "(none)"}; {Group}v1 and {Group}v1beta1 can be used, as in kubectl",
        { InteractiveMode: null, ApiVersion: Group + "v1" } => "exec has no interactiveMode, which its apiVersion requires",
        { InteractiveMode: "Always" } =>
            $"exec has interactiveMode Always, but AuditCli gives plugins no terminal; "
            + $"run {Path.GetFileName(exec.Command)} once by hand, and set IfAvailable",
        { InteractiveMode: not (null or "Never" or "IfAvailable") } =>
            $"exec has the interactiveMode {exec.InteractiveMode}; Never, IfAvailable and Always are known",
        _ => null,
    };

    /// <summary>Returns the token, after renewing expired credentials; null if the plugin gave only a certificate.</summary>
    /// <exception cref="CollectionException">The program did not return credentials.</exception>
    public async Task<AuthenticationHeaderValue?> AuthorizationAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_last is null || _last.Expires is { } end && clock.GetUtcNow() + Early >= end)
                _last = await RunAsync(cancellationToken);
            return _last.Token is { } token ? new("Bearer", token) : null;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _last?.Certificate?.Dispose();
    }

    private async Task<Printed> RunAsync(CancellationToken cancellationToken)
    {
        var date = clock.GetUtcNow();
        var start = new ProcessStartInfo(exec.Command!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in exec.Arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in exec.Environment)
            start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = Info();
        using var late = new CancellationTokenSource(Longest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            using var process = Process.Start(start) ?? throw Failed("could not be started");
            try
            {
                process.StandardInput.Close();
                var faults = ReadAsync(process.StandardError, either.Token);
                var output = await ReadAsync(process.StandardOutput, either.Token);
                await process.WaitForExitAsync(either.Token);
                var said = Line(await faults);
                return process.ExitCode == 0
                    ? Read(output)
                    : throw Failed(string.Create(CultureInfo.InvariantCulture, $"ended with exit code {process.ExitCode}: {said}"));
            }
            finally
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed($"printed nothing within {Longest.TotalMinutes} minutes", e);
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
        {
            throw Failed($"could not be run: {e.Message}{(exec.InstallHint is { } hint ? $" ({Line(hint)})" : "")}", e);
        }
        finally
        {
            seen(new(date, new("exec:" + Uri.EscapeDataString(Path.GetFileName(exec.Command!))), Kind, 0));
        }
    }

    private string Info()
    {
        var spec = new JsonObject { ["interactive"] = false };
        if (cluster is not null)
            spec["cluster"] = cluster.DeepClone();
        return new JsonObject { ["kind"] = "ExecCredential", ["apiVersion"] = exec.ApiVersion, ["spec"] = spec }.ToJsonString();
    }

    private Printed Read(string output)
    {
        try
        {
            using var document = JsonDocument.Parse(output);
            var said = document.RootElement;
            if (JsonMember.Text(said, "kind") != "ExecCredential" || JsonMember.Text(said, "apiVersion") != exec.ApiVersion)
                throw Failed($"printed no ExecCredential of {exec.ApiVersion}");
            var status = Members.Of(said, "status");
            var (certificate, key, token) = (
                JsonMember.Text(status, "clientCertificateData"), JsonMember.Text(status, "clientKeyData"), JsonMember.Text(status, "token"));
            if (string.IsNullOrEmpty(token) && string.IsNullOrEmpty(certificate))
                throw Failed("printed neither a token nor a certificate");
            if (string.IsNullOrEmpty(certificate) != string.IsNullOrEmpty(key))
                throw Failed("printed a certificate without its key, or a key without its certificate");
            DateTimeOffset? expires = JsonMember.Text(status, "expirationTimestamp") is not { Length: > 0 } text ? null
                : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) ? end
                : throw Failed("printed an expirationTimestamp that is not a time");
            return new(
                string.IsNullOrEmpty(token) ? null : token,
                string.IsNullOrEmpty(certificate) ? null : ClientCertificates.Of(certificate, key!),
                expires);
        }
        catch (JsonException)
        {
            // The exception is not kept as the cause: the parser quotes its input.
            throw Failed("printed no JSON");
        }
        catch (CryptographicException e)
        {
            throw Failed("printed a certificate or key that cannot be used", e);
        }
    }

    private static async Task<string> ReadAsync(StreamReader from, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var some = new char[4096];
        for (int read; (read = await from.ReadAsync(some, cancellationToken)) > 0;)
        {
            if (text.Length < MaximumOutput)
                text.Append(some, 0, read);
        }
        return text.ToString();
    }

    /// <summary>Returns the first line of a text, shortened and without credentials.</summary>
    private static string Line(string text)
    {
        var line = text.Trim().ReplaceLineEndings("\n").Split('\n')[0];
        var words = CredentialText.CleanOfProgram(line);
        return words.Length <= LongestReason ? words : words[..LongestReason];
    }

    private CollectionException Failed(string how, Exception? cause = null) =>
        new(Codes.NoCredentials, $"{place}: the credential plugin {Path.GetFileName(exec.Command)} {how}", cause);

    private sealed record Printed(string? Token, X509Certificate2? Certificate, DateTimeOffset? Expires);
}

/// <summary>Creates client certificates.</summary>
internal static class ClientCertificates
{
    /// <summary>Returns a certificate with its key, from PEM texts.</summary>
    /// <exception cref="CryptographicException">Certificate and key do not match, or are in another form.</exception>
    public static X509Certificate2 Of(string certificate, string key)
    {
        var made = X509Certificate2.CreateFromPem(certificate, key);
        if (!OperatingSystem.IsWindows())
            return made;
        // TLS on Windows does not accept a key that exists only in memory.
        using (made)
            return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
