using AuditCli.Collectors.Tests.Exchanges;
using AuditCli.Tests;

namespace AuditCli.Collectors.Tests.Kubernetes;

/// <summary>A folder for kubeconfig files and plugins, and an environment without variables for kubeconfig files and proxies.</summary>
internal sealed class KubeconfigHome : IDisposable
{
    private static readonly string[] Variables = ["KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
    private readonly Dictionary<string, string?> _before = Variables.ToDictionary(n => n, Environment.GetEnvironmentVariable);

    public KubeconfigHome()
    {
        foreach (var name in Variables)
            Environment.SetEnvironmentVariable(name, null);
    }

    public TemporaryFolder Folder { get; } = new();

    public void Dispose()
    {
        foreach (var (name, value) in _before)
            Environment.SetEnvironmentVariable(name, value);
        Folder.Dispose();
    }

    public static ClusterSession Session(string kubeconfig, TimeProvider clock) =>
        ClusterSession.Live(ClusterSession.Target(("kubeconfig", kubeconfig)), clock);

    public static Reaction Whoami(string name) => Reaction.Json($$$$"""{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"{{{{name}}}}"}}}""", 201);

    public void Script(string name, string script)
    {
        var path = Folder.Write(name, "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
