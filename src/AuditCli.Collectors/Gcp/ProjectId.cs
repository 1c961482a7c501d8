using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AuditCli.Collectors.Gcp;

/// <summary>Checks which project a response is about, and whether a text can be a project, folder or organization.</summary>
/// <remarks>
/// https://cloud.google.com/resource-manager/docs/creating-managing-projects: 6 to 30 letters, digits and hyphens; older ones have a domain in front.
/// </remarks>
internal static partial class ProjectId
{
    /// <summary>Whether the text can be a project id or number; <c>../../etc</c> cannot.</summary>
    public static bool Is(string text) => Form.IsMatch(text);

    /// <summary>Whether the text names a folder or an organization, by number or by kind and number.</summary>
    public static bool IsParent(string text, string kind) =>
        Number.IsMatch(text.StartsWith($"{kind}s/", StringComparison.Ordinal) ? text.AsSpan(kind.Length + 2) : text);

    /// <summary>
    /// Returns the failure of a page that has a row of another project; null if there is none. IAM lists only the project's own resources
    /// for a project; other services legitimately list resources that others share with it.
    /// </summary>
    public static CollectionException? Foreign(string operation, ImmutableArray<PageRow> rows, string entered)
    {
        // A response to a request by project number names the project by its id.
        if (!operation.StartsWith("iam:projects.", StringComparison.Ordinal) || Number.IsMatch(entered))
            return null;
        var foreign = rows.Select(r => Project(r.Value)).FirstOrDefault(p => p.ValueKind == JsonValueKind.String && !p.ValueEquals(entered));
        return foreign.ValueKind == JsonValueKind.String
            ? new(GcpCodes.AnotherProject, $"{operation} lists a resource of project {foreign.GetRawText().Trim('"')}, but project {entered} was requested")
            : null;
    }

    private static JsonElement Project(JsonElement row) => row.ValueKind == JsonValueKind.Object && row.TryGetProperty("projectId", out var id) ? id : default;

    [GeneratedRegex(@"\A(?:(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{1,61}[a-z0-9]|[0-9]{1,20})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form { get; }

    [GeneratedRegex(@"\A[0-9]{1,20}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Number { get; }
}
