using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Which actions of IAM an operation needs. AWS names an action as the operation behind the service's prefix, as a rule; the file
/// beside this one has every service's prefix, the exceptions, and the operations for which the rule was found to name no action.
/// </summary>
/// <param name="CheckedWith">The versions for which every operation of the catalogue was compared with AWS's reference of actions.</param>
internal sealed record PermissionTable(string CheckedWith, ImmutableDictionary<string, ServicePermissions> Services)
{
    private const string Resource = "permissions/aws.json";

    public static PermissionTable Read()
    {
        using var stream = typeof(PermissionTable).Assembly.GetManifestResourceStream(Resource)!;
        using var document = JsonDocument.Parse(stream);
        return new(
            document.RootElement.GetProperty("checked_with").GetString()!,
            document.RootElement.GetProperty("services").EnumerateObject().ToImmutableDictionary(s => s.Name, s => new ServicePermissions(
                s.Value.GetProperty("prefix").GetString()!,
                Members(s.Value, "actions").ToImmutableDictionary(a => a.Name, a => a.Value.EnumerateArray().Select(v => v.GetString()!).ToImmutableArray(), StringComparer.Ordinal),
                Members(s.Value, "unmapped").ToImmutableDictionary(u => u.Name, u => u.Value.GetString()!, StringComparer.Ordinal)), StringComparer.Ordinal));
    }

    /// <summary>The actions, or why they are not known.</summary>
    public (ImmutableArray<string> Actions, string? Reason) Actions(string service, string operation) =>
        !Services.TryGetValue(service, out var known) ? ([], "AuditCli has not compared its service with AWS's reference of actions")
        : known.Unmapped.TryGetValue(operation, out var reason) ? ([], reason)
        : (known.Others.TryGetValue(operation, out var others) ? others : [$"{known.Prefix}:{operation}"], null);

    private static JsonElement.ObjectEnumerator Members(JsonElement e, string name) => e.TryGetProperty(name, out var found) ? found.EnumerateObject() : default;
}

/// <summary>One service's part of the table.</summary>
/// <param name="Others">Actions of operations that have another name, or need none or several.</param>
/// <param name="Unmapped">Operations for which it is not known, and why.</param>
internal sealed record ServicePermissions(string Prefix, ImmutableDictionary<string, ImmutableArray<string>> Others, ImmutableDictionary<string, string> Unmapped);
