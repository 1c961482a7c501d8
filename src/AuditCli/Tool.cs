using System.Reflection;

namespace AuditCli;

/// <summary>The program's own name and version.</summary>
internal static class Tool
{
    public static string Version { get; } = typeof(Tool).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public static string NameAndVersion { get; } = $"auditcli {Version.Split('+')[0]}";
}
