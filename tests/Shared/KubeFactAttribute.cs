namespace AuditCli.Tests;

/// <summary>
/// A test that needs a real Kubernetes API server. Without one it is skipped, and says so; where CI=true it fails instead.
/// </summary>
public sealed class KubeFactAttribute : FactAttribute
{
    public KubeFactAttribute()
    {
        if (!KubeApiServer.IsInstalled && Environment.GetEnvironmentVariable("CI") != "true")
            Skip = KubeApiServer.HowToInstall;
    }

    /// <summary>Whether kubectl is asked for a second opinion.</summary>
    public bool Kubectl
    {
        get;
        set
        {
            field = value;
            var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "kubectl")));
            if (value && !found && Environment.GetEnvironmentVariable("CI") != "true")
                Skip ??= "kubectl is not installed";
        }
    }

    /// <summary>Whether the program is started in name spaces of its own, as in a pod.</summary>
    public bool Root
    {
        get;
        set
        {
            field = value;
            if (value && !(OperatingSystem.IsLinux() && Environment.UserName == "root") && Environment.GetEnvironmentVariable("CI") != "true")
                Skip ??= "needs root on Linux, for name spaces of its own";
        }
    }
}
