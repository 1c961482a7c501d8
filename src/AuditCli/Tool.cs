using System.Reflection;
using AuditCli.Controls.Evaluation;

namespace AuditCli;

/// <summary>The program's name and version.</summary>
internal static class Tool
{
    /// <summary>The version, with the commit after a plus sign if the build knew it.</summary>
    public static string Version { get; } =
        typeof(Tool).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static string NameAndVersion { get; } = $"auditcli {Version.Split('+')[0]}";

    /// <summary>Returns version, commit, SQL engine and runtime, one per line: everything that a result could depend on.</summary>
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
