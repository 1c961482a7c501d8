using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Gcp.Catalogue;
using AuditCli.Collectors.Gcp.Client;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// The projects under an organization or folder, folder by folder. They are listed by parent and not searched for: a search
/// leaves out in silence what the caller may not see, and is behind by minutes; a list is denied.
/// </summary>
internal sealed class ProjectList(GcpSession session, GcpCatalogue catalogue)
{
    private const string Projects = "cloudresourcemanager:projects.list";
    private const string Folders = "cloudresourcemanager:folders.list";

    /// <summary>What is asked, as control authors would write it.</summary>
    public static ImmutableArray<string> Operations { get; } = [Projects, Folders];

    /// <summary>Ids of the projects that are not being deleted, in order.</summary>
    /// <param name="parent"><c>organizations/…</c> or <c>folders/…</c>.</param>
    /// <exception cref="CollectionException">A list was denied or is not whole: the population is not known then.</exception>
    public async Task<ImmutableArray<string>> UnderAsync(string parent, CancellationToken cancellationToken)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>([parent]);
        var seen = new HashSet<string>([parent], StringComparer.Ordinal);
        while (open.TryDequeue(out var at))
        {
            await foreach (var project in RowsAsync(Projects, at, cancellationToken))
            {
                var id = Text(project, "projectId");
                found.Add(ProjectId.Is(id) ? id : throw new CollectionException(GcpFailures.Malformed, $"{Projects}: '{id}' is no project"));
            }
            await foreach (var folder in RowsAsync(Folders, at, cancellationToken))
            {
                var name = Text(folder, "name");
                if (!name.StartsWith("folders/", StringComparison.Ordinal) || !ProjectId.IsParent(name, "folder"))
                    throw new CollectionException(GcpFailures.Malformed, $"{Folders}: '{name}' is no folder");
                if (seen.Add(name))
                    open.Enqueue(name);
            }
        }
        return [.. found];
    }

    private async IAsyncEnumerable<JsonElement> RowsAsync(
        string name, string parent, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (api, operation) = catalogue.Find(name)!.Value;
        var parameters = new Dictionary<string, JsonElement> { ["parent"] = JsonSerializer.SerializeToElement(parent) };
        await foreach (var page in session.PagesAsync(api, operation, parameters, project: "", cancellationToken))
        {
            foreach (var row in AnswerRows.Read(name, operation, page))
                yield return row.Value;
        }
    }

    private static string Text(JsonElement row, string name) => row.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text
        ? text
        : throw new CollectionException(GcpFailures.Malformed, $"an element of the answer has no {name}");
}
