using System.Diagnostics;

namespace AuditCli.Tests;

/// <summary>
/// A test that starts other programs or needs rights. If one of them is missing, the test is skipped and names it; with CI=true it runs and
/// fails.
/// </summary>
public sealed class NeedsFactAttribute : FactAttribute
{
    /// <param name="tools">As <see cref="Tool.WhyNot"/>.</param>
    public NeedsFactAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = Tool.WhyNot(tools)!;
    }

    public string[] Tools { get; }
}

/// <summary>The same as <see cref="NeedsFactAttribute"/> for a theory.</summary>
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    /// <param name="tools">As <see cref="Tool.WhyNot"/>.</param>
    public NeedsTheoryAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = Tool.WhyNot(tools)!;
    }

    public string[] Tools { get; }
}

/// <summary>What tests need in addition to .NET and a file system.</summary>
internal static class Tool
{
    private const string Botocore = "1.43.11";
    private static readonly Lazy<bool> HasBotocore = new(
        () => OnThePath("python3") && Says("python3", "-c", $"import botocore, sys; sys.exit(botocore.__version__ != '{Botocore}')"));

    /// <summary>Returns why a test cannot run; null if it can, and always null in CI, where a missing tool must be a failure.</summary>
    /// <param name="tools">
    /// Programs on the path; <c>root</c>, the user on Linux, for private mounts and networks; <c>kube-apiserver</c> with its etcd;
    /// <c>botocore</c> in the version from which the catalogue was made.
    /// </param>
    public static string? WhyNot(params string[] tools) =>
        Environment.GetEnvironmentVariable("CI") == "true" ? null : tools.Select(WhyNotOne).FirstOrDefault(why => why is not null);

    private static string? WhyNotOne(string tool) => tool switch
    {
        "root" => OperatingSystem.IsLinux() && Environment.UserName == "root" ? null : "needs root on Linux, for name spaces of its own",
        "kube-apiserver" => KubeApiServer.IsInstalled ? null : KubeApiServer.HowToInstall,
        "botocore" => HasBotocore.Value ? null : $"botocore is not installed: pip install botocore=={Botocore}",
        "moto_server" => MotoServer.Executable is null
            ? MotoServer.HowToInstall
            : OnThePath("python3") ? null : "python3 is not installed, which runs moto_server",
        "gcloud" => Gcloud.Executable is null ? Gcloud.HowToInstall : null,
        _ when !OnThePath(tool) => $"{tool} is not installed",
        "node" when !Directory.Exists(Repository.Path("tests", "tools", "node_modules")) => "run: npm ci --prefix tests/tools",
        _ => null,
    };

    private static bool OnThePath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    private static bool Says(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
