namespace AuditCli.Tests;

/// <summary>A test that asks another program for a second opinion. Without it the test is skipped, and says so; in CI it fails.</summary>
public sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(string program)
    {
        Program = program;
        if (Environment.GetEnvironmentVariable("CI") == "true")
            return;
        if (!OnThePath(program))
            Skip = $"{program} is not installed";
        else if (program == "node" && !Directory.Exists(Repository.Path("tests", "tools", "node_modules")))
            Skip = "run: npm ci --prefix tests/tools";
    }

    public string Program { get; }

    private static bool OnThePath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));
}

/// <summary>Needs root on Linux, for a mount or a network of its own; skipped visibly elsewhere, and a failure in CI.</summary>
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!(OperatingSystem.IsLinux() && Environment.UserName == "root") && Environment.GetEnvironmentVariable("CI") != "true")
            Skip = "needs root on Linux, for name spaces of its own";
    }
}
