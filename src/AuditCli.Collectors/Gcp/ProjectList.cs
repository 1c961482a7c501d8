using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Rest;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Lists the projects under an organization or folder, folder by folder. A search is not used, because it silently omits what the caller
/// may not see and lags by minutes, while a list call is denied.
/// </summary>
internal sealed class ProjectList(GcpSession session, RestCatalogue catalogue)
{
    private const string Projects = "cloudresourcemanager:projects.list";
    private const string Folders = "cloudresourcemanager:folders.list";

    /// <summary>The operations called, in the form used by controls.</summary>
    public static ImmutableArray<string> Operations { get; } = [Projects, Folders];

    /// <summary>Returns the ids of the projects that are not being deleted, sorted.</summary>
    /// <param name="parent"><c>organizations/…</c> or <c>folders/…</c>.</param>
    /// <exception cref="CollectionException">A list was denied or is incomplete, so that the population is not known.</exception>
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
                found.Add(ProjectId.Is(id) ? id : throw new CollectionException(Codes.MalformedResponse, $"{Projects}: '{id}' is not a project"));
            }
            await foreach (var folder in RowsAsync(Folders, at, cancellationToken))
            {
                var name = Text(folder, "name");
                if (!name.StartsWith("folders/", StringComparison.Ordinal) || !ProjectId.IsParent(name, "folder"))
                    throw new CollectionException(Codes.MalformedResponse, $"{Folders}: '{name}' is not a folder");
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

    private static string Text(JsonElement row, string name) => JsonAnswer.Text(row, name, Codes.MalformedResponse, of: "an element of the response");
}
