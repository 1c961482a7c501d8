using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Says which requests are made once of an organization or folder, and not for each of its projects. They have <c>{organization}</c> or
/// <c>{folder}</c> in a parameter, or leave out the parameter that names exactly one (<c>organizations.policies.list</c>).
/// </summary>
internal static class GcpWhole
{
    private static readonly ImmutableArray<string> Kinds = ["organization", "folder"];

    /// <summary>Returns the kind of whole of which an operation is asked once with the given parameters; null for each project.</summary>
    public static string? Of(RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters) =>
        Kinds.FirstOrDefault(k => Parameter(operation, k) is { } name && !parameters.ContainsKey(name) || parameters.Values.Any(v => Says(v, Word(k))));

    /// <summary>Returns the account of a whole, such as <c>organizations/123456789012</c>; null for a target of single projects.</summary>
    public static (string Kind, string Account)? Of(Target target) =>
        Kinds.FirstOrDefault(target.Settings.ContainsKey) is { } kind ? (kind, Account(kind, target.Setting(kind)!)) : null;

    /// <summary>Returns the account that a setting names, by number or by kind and number.</summary>
    public static string Account(string kind, string id) => id.Contains('/', StringComparison.Ordinal) ? id : $"{kind}s/{id}";

    /// <summary>Whether an account is an organization or a folder.</summary>
    public static bool Is(string account) => Kinds.Any(k => account.StartsWith($"{k}s/", StringComparison.Ordinal));

    /// <summary>Whether the parameter of an operation may be left out, because it names exactly the whole.</summary>
    public static bool IsFilled(RestOperation operation, string parameter) => Kinds.Any(k => Parameter(operation, k) == parameter);

    /// <summary>Returns the parameters with the whole in the place of its word, and of the parameter that was left out.</summary>
    public static ImmutableSortedDictionary<string, JsonElement> Filled(
        RestOperation operation, ImmutableSortedDictionary<string, JsonElement> parameters, string account)
    {
        var kind = Kinds.Single(k => account.StartsWith($"{k}s/", StringComparison.Ordinal));
        var id = account[(kind.Length + 2)..];
        var filled = parameters.ToImmutableSortedDictionary(p => p.Key, p => With(p.Value, Word(kind), id), StringComparer.Ordinal);
        return Parameter(operation, kind) is { } name && !filled.ContainsKey(name)
            ? filled.Add(name, JsonSerializer.SerializeToElement(operation.Path.Contains("{+", StringComparison.Ordinal) ? account : id))
            : filled;
    }

    /// <summary>
    /// Returns the parameter whose value is exactly a whole of that kind (<c>v2/{+parent}/policies</c>), or its number
    /// (<c>v1/organizations/{organizationsId}</c>) if nothing else in the path varies; null if there is none.
    /// </summary>
    private static string? Parameter(RestOperation operation, string kind)
    {
        var open = operation.Path.IndexOf('{', StringComparison.Ordinal);
        if (open < 0 || open != operation.Path.LastIndexOf('{'))
            return null;
        var close = operation.Path.IndexOf('}', open);
        var (before, name, after) = (operation.Path[..open], operation.Path[(open + 1)..close], operation.Path[(close + 1)..]);
        return name[0] != '+' ? before.EndsWith($"{kind}s/", StringComparison.Ordinal) ? name : null
            : string.Join('/', operation.Segments) == $"{before}{kind}s/{{}}{after}" ? name[1..]
            : null;
    }

    private static string Word(string kind) => $"{{{kind}}}";

    private static bool Says(JsonElement value, string word) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.Contains(word, StringComparison.Ordinal),
        JsonValueKind.Array => value.EnumerateArray().Any(e => Says(e, word)),
        _ => false,
    };

    private static JsonElement With(JsonElement value, string word, string id) => value.ValueKind switch
    {
        JsonValueKind.String => JsonSerializer.SerializeToElement(value.GetString()!.Replace(word, id, StringComparison.Ordinal)),
        JsonValueKind.Array => JsonSerializer.SerializeToElement(value.EnumerateArray().Select(e => With(e, word, id)).ToArray()),
        _ => value,
    };
}
