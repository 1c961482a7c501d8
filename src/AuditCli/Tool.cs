using System.Reflection;
using AuditCli.Controls.Evaluation;

namespace AuditCli;

/// <summary>The program's own name and version.</summary>
internal static class Tool
{
    /// <summary>With the commit after a plus sign, where the build knew it.</summary>
    public static string Version { get; } = typeof(Tool).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static string NameAndVersion { get; } = $"auditcli {Version.Split('+')[0]}";

    /// <summary>Version, commit, SQL engine and runtime, a line each: everything that a result could depend on.</summary>
    public static string Describe()
    {
        var engine = LockedDatabase.Describe();
        return $"""
            {NameAndVersion}
            commit {(Version.Split('+', 2) is [_, var commit] ? commit : "unknown: not built from a repository")}
            engine {engine.Name} {engine.Version}
            runtime {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription} on {System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier}
            """.ReplaceLineEndings(Environment.NewLine);
    }
}
