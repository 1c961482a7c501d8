using System.Reflection;

namespace AuditCli.Tests;

/// <summary>Finds the codes that the program itself gives to what could not be read.</summary>
internal static class OwnCodes
{
    private static readonly string[] Holders = ["Failures", "Codes"];

    /// <summary>Every constant of the classes that hold codes, once and in order.</summary>
    public static string[] Of(params IEnumerable<Assembly> assemblies) =>
    [
        .. assemblies.SelectMany(a => a.GetTypes())
            .SelectMany(t => t.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(f => f.IsLiteral && f.FieldType == typeof(string) && IsCode(f))
            .Select(f => (string)f.GetRawConstantValue()!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
    ];

    private static bool IsCode(FieldInfo field) =>
        Holders.Any(h => field.DeclaringType!.Name.EndsWith(h, StringComparison.Ordinal)) || field.DeclaringType!.Name == "Misfits"
        || field.Name.EndsWith("Code", StringComparison.Ordinal);
}
