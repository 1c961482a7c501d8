using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace AuditCli.Collectors.Gcp;

/// <summary>Which project an answer is about, and what can be a project, folder or organization at all.</summary>
/// <remarks>
/// https://cloud.google.com/resource-manager/docs/creating-managing-projects: 6 to 30 letters, digits and hyphens; older ones have a domain in front.
/// </remarks>
internal static partial class ProjectId
{
    /// <summary>The code where an answer names another project than the one that was asked.</summary>
    public const string AnotherProject = "AnotherProject";

    /// <summary>Whether a project can be called so, by its id or its number; <c>../../etc</c> cannot.</summary>
    public static bool Is(string text) => Form.IsMatch(text);

    /// <summary>Whether it names a folder or an organization: its number, or its kind and its number.</summary>
    public static bool IsParent(string text, string kind) =>
        Number.IsMatch(text.StartsWith($"{kind}s/", StringComparison.Ordinal) ? text.AsSpan(kind.Length + 2) : text);

    /// <summary>
    /// The fault of a page with a row of another project; null where there is none. What IAM lists for a project is the project's own;
    /// other services rightly list what others share with it.
    /// </summary>
    public static CollectionException? Foreign(string operation, ImmutableArray<PageRow> rows, string entered)
    {
        // A project that is asked for by its number is answered by its id.
        if (!operation.StartsWith("iam:projects.", StringComparison.Ordinal) || Number.IsMatch(entered))
            return null;
        var foreign = rows.Select(r => Project(r.Value)).FirstOrDefault(p => p.ValueKind == JsonValueKind.String && !p.ValueEquals(entered));
        return foreign.ValueKind == JsonValueKind.String
            ? new(AnotherProject, $"{operation} lists something of project {foreign.GetRawText().Trim('"')}, and project {entered} was asked")
            : null;
    }

    private static JsonElement Project(JsonElement row) => row.ValueKind == JsonValueKind.Object && row.TryGetProperty("projectId", out var id) ? id : default;

    [GeneratedRegex(@"\A(?:(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{1,61}[a-z0-9]|[0-9]{1,20})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form { get; }

    [GeneratedRegex(@"\A[0-9]{1,20}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Number { get; }
}
