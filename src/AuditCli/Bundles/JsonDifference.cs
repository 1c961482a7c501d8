using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Bundles;

/// <summary>
/// A value that differs between two JSON texts, with its path. Before or After is null if that text does not have the value.
/// </summary>
internal sealed record JsonDifference(string Path, string? Before, string? After)
{
    private const int ShownCharacters = 160;

    /// <summary>The members that identify an object within a list, as far as it has them.</summary>
    private static readonly string[] Naming = ["id", "partition", "name", "evidence", "target", "account", "region", "operation", "code", "item", "row", "why"];

    /// <summary>
    /// Returns every value that differs. Objects in lists are paired by their identifying members, other elements by their index.
    /// </summary>
    public static IEnumerable<JsonDifference> Between(JsonElement before, JsonElement after, string path = "")
    {
        if (before.ValueKind == JsonValueKind.Object && after.ValueKind == JsonValueKind.Object)
        {
            return Pairs(
                before.EnumerateObject().ToDictionary(m => m.Name, m => m.Value), after.EnumerateObject().ToDictionary(m => m.Name, m => m.Value), path);
        }
        if (before.ValueKind == JsonValueKind.Array && after.ValueKind == JsonValueKind.Array)
        {
            var (left, right) = (Named(before), Named(after));
            return left is not null && right is not null ? Pairs(left, right, path) : Pairs(Numbered(before), Numbered(after), path);
        }
        return JsonElement.DeepEquals(before, after) ? [] : [new(path, Shown(before), Shown(after))];
    }

    /// <summary>Returns a value as reports show it, shortened.</summary>
    public static string Shown(JsonElement value)
    {
        var text = JsonMember.TextOrRaw(value);
        return text.Length <= ShownCharacters ? text : text[..ShownCharacters] + "…";
    }

    private static IEnumerable<JsonDifference> Pairs(Dictionary<string, JsonElement> before, Dictionary<string, JsonElement> after, string path) =>
        before.Keys.Concat(after.Keys.Where(k => !before.ContainsKey(k))).SelectMany(key =>
        {
            var below = path.Length == 0 ? key : $"{path} {key}";
            return !before.TryGetValue(key, out var left) ? [new(below, null, Shown(after[key]))]
                : !after.TryGetValue(key, out var right) ? [new(below, Shown(left), null)]
                : Between(left, right, below);
        });

    /// <summary>Returns a list's objects by their identifying members; null if these are not unique.</summary>
    private static Dictionary<string, JsonElement>? Named(JsonElement list)
    {
        var named = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var element in list.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Object || !named.TryAdd(NameOf(element), element))
                return null;
        }
        return named;
    }

    private static Dictionary<string, JsonElement> Numbered(JsonElement list) =>
        list.EnumerateArray().Select((e, i) => (e, i)).ToDictionary(e => $"{e.i}", e => e.e);

    private static string NameOf(JsonElement element) => string.Join(' ', Naming
        .Select(n => element.TryGetProperty(n, out var value) ? value : default)
        .Select(v => v.ValueKind == JsonValueKind.Object ? NameOf(v) : v.ValueKind == JsonValueKind.String ? v.GetString()! : "")
        .Where(t => t.Length > 0));
}
