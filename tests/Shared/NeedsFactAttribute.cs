namespace AuditCli.Tests;

/// <summary>A test that asks other programs for a second opinion. Without one of them the test is skipped, and says so; in CI it fails.</summary>
public sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(params string[] programs)
    {
        Programs = programs;
        Skip = programs.Select(WhyNot).FirstOrDefault(why => why is not null)!;
    }

    public string[] Programs { get; }

    /// <summary>Null when it can be asked.</summary>
    internal static string? WhyNot(string program) => Environment.GetEnvironmentVariable("CI") == "true" ? null
        : !OnThePath(program) ? $"{program} is not installed"
        : program == "node" && !Directory.Exists(Repository.Path("tests", "tools", "node_modules")) ? "run: npm ci --prefix tests/tools"
        : null;

    private static bool OnThePath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));
}

/// <summary>As <see cref="NeedsFactAttribute"/>, for a table of cases.</summary>
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(string program)
    {
        Program = program;
        Skip = NeedsFactAttribute.WhyNot(program)!;
    }

    public string Program { get; }
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
