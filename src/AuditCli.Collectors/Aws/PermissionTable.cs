using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// The IAM actions that each operation needs. As a rule AWS names an action by the service's prefix and the operation; the JSON file next
/// to this one has every service's prefix, the exceptions, and the operations for which the rule does not give an existing action.
/// </summary>
/// <param name="CheckedWith">
/// The versions with which every operation of the catalogue was compared with AWS's service authorization reference.
/// </param>
internal sealed record PermissionTable(string CheckedWith, ImmutableDictionary<string, ServicePermissions> Services)
{
    private const string Resource = "Aws/permissions.json";

    public static PermissionTable Read()
    {
        using var stream = typeof(PermissionTable).Assembly.GetManifestResourceStream(Resource)!;
        using var document = JsonDocument.Parse(stream);
        return new(
            document.RootElement.GetProperty("checked_with").GetString()!,
            document.RootElement.GetProperty("services").EnumerateObject().ToImmutableDictionary(s => s.Name, s => new ServicePermissions(
                s.Value.GetProperty("prefix").GetString()!,
                Members(s.Value, "actions").ToImmutableDictionary(
                    a => a.Name, a => a.Value.EnumerateArray().Select(v => v.GetString()!).ToImmutableArray(), StringComparer.Ordinal),
                Members(s.Value, "unmapped").ToImmutableDictionary(u => u.Name, u => u.Value.GetString()!, StringComparer.Ordinal)), StringComparer.Ordinal));
    }

    /// <summary>Returns the actions of an operation, or why they are not known.</summary>
    public (ImmutableArray<string> Actions, string? Reason) Actions(string service, string operation) =>
        !Services.TryGetValue(service, out var known) ? ([], "AuditCli has not compared its service with AWS's reference of actions")
        : known.Unmapped.TryGetValue(operation, out var reason) ? ([], reason)
        : (known.Others.TryGetValue(operation, out var others) ? others : [$"{known.Prefix}:{operation}"], null);

    private static JsonElement.ObjectEnumerator Members(JsonElement e, string name) =>
        e.TryGetProperty(name, out var found) ? found.EnumerateObject() : default;
}

/// <summary>One service's part of the table.</summary>
/// <param name="Others">The actions of operations that need another action name, none, or several.</param>
/// <param name="Unmapped">The operations whose actions are not known, with the reason.</param>
internal sealed record ServicePermissions(
    string Prefix, ImmutableDictionary<string, ImmutableArray<string>> Others, ImmutableDictionary<string, string> Unmapped);
