using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AuditCli.Collectors.Rest;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Collects every role binding that applies to a project: from its own policy, from each folder above it, and from the organization. One
/// row for each level, role and member; one page for each policy.
/// </summary>
/// <remarks>
/// Google combines the policies of all levels, and a lower level cannot revoke what a higher one grants
/// (https://cloud.google.com/iam/docs/resource-hierarchy-access-control). If the policy of a level cannot be read, the other levels are
/// still read; if a level does not name its parent, the collection ends with a failure.
/// </remarks>
internal static class IamBindings
{
    private const string Project = "cloudresourcemanager:projects.get";
    private const string Folder = "cloudresourcemanager:folders.get";
    private const string ProjectPolicy = "cloudresourcemanager:projects.getIamPolicy";
    private const string FolderPolicy = "cloudresourcemanager:folders.getIamPolicy";
    private const string OrganizationPolicy = "cloudresourcemanager:organizations.getIamPolicy";
    private const string Organizations = "organizations/";
    private const string Folders = "folders/";
    private const string Deleted = "deleted:";

    /// <summary>The limit of levels. Google allows ten nested folders, so more levels cannot be a valid response.</summary>
    private const int MostLevels = 20;

    /// <summary>The table as controls see it.</summary>
    public static readonly Operation Operation = new(
        GcpSource.Name, "iam_bindings", OperationScope.Global, [],
        [
            new("resource", ColumnType.Text),
            new("level", ColumnType.Text),
            new("depth", ColumnType.Integer),
            new("role", ColumnType.Text),
            new("member", ColumnType.Text),
            new("member_type", ColumnType.Text),
            new("member_id", ColumnType.Text),
            new("condition", ColumnType.Json),
            new("etag", ColumnType.Text),
        ])
    {
        Reads = [Project, ProjectPolicy, Folder, FolderPolicy, OrganizationPolicy],
    };

    /// <summary>Yields the policies from the project upwards; pages before a failure remain valid.</summary>
    /// <exception cref="CollectionException">A level was denied or is incomplete, or the levels repeat or exceed the limit.</exception>
    public static async IAsyncEnumerable<Page> CollectAsync(
        GcpSession session, RestCatalogue catalogue, string project, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var at = $"projects/{project}";
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (string? next = at; next is not null;)
        {
            at = next;
            if (!seen.Add(at))
            {
                throw new CollectionException(
                    GcpCodes.InvalidHierarchy, $"{at} is its own ancestor in the responses about {project}, so reading on would never end");
            }
            if (seen.Count > MostLevels)
                throw new CollectionException(GcpCodes.InvalidHierarchy, $"more than {MostLevels} levels are above {project}");
            var (read, policy) = Level(at, project);
            // Read the parent first, so that the last exchange before the page is the one with its rows.
            (next, var noParent) = await ParentAsync(read);
            yield return await PolicyAsync(policy, seen.Count - 1);
            if (noParent is not null)
                throw noParent;
        }

        // Returns the parent, or why it is not known; the policy of the level itself is still read.
        async Task<(string? Parent, CollectionException? Failure)> ParentAsync(string? read)
        {
            try
            {
                return (read is null ? null : Parent(at, await AnswerAsync(read, "name")), null);
            }
            catch (CollectionException e)
            {
                return (null, e);
            }
        }

        async Task<Page> PolicyAsync(string policy, int depth)
        {
            try
            {
                return new(Rows(policy, at, depth, await AnswerAsync(policy, "resource")));
            }
            catch (CollectionException e)
            {
                return Page.Without(e);
            }
        }

        async Task<JsonElement> AnswerAsync(string name, string parameter)
        {
            var (api, operation) = catalogue.Find(name)!.Value;
            var parameters = new Dictionary<string, JsonElement> { [parameter] = JsonSerializer.SerializeToElement(at) };
            await foreach (var answer in session.PagesAsync(api, operation, parameters, project, cancellationToken, Operation.Name))
                return answer;
            throw new CollectionException(Codes.MalformedResponse, $"{name} of {at} has no answer");
        }
    }

    private static (string? Read, string Policy) Level(string at, string project) =>
        at.StartsWith(Folders, StringComparison.Ordinal) ? (Folder, FolderPolicy)
        : at.StartsWith(Organizations, StringComparison.Ordinal) ? (null, OrganizationPolicy)
        : at == $"projects/{project}" ? (Project, ProjectPolicy)
        : throw new CollectionException(GcpCodes.InvalidHierarchy, $"'{at}' is given as a parent, but is neither a folder nor an organization");

    /// <summary>Returns the parent; null for a project without an organization. A folder always has a parent.</summary>
    private static string? Parent(string at, JsonElement answer) =>
        answer.GetPropertyCount() == 0 ? throw new CollectionException(Codes.MalformedResponse, $"the response about {at} is empty")
        : answer.TryGetProperty("parent", out var parent) && parent.ValueKind == JsonValueKind.String && parent.GetString() is { Length: > 0 } text ? text
        : at.StartsWith(Folders, StringComparison.Ordinal) ? throw new CollectionException(Codes.MalformedResponse, $"the response about {at} names no parent")
        : null;

    private static ImmutableArray<PageRow> Rows(string what, string resource, int depth, JsonElement policy)
    {
        var rows = ImmutableArray.CreateBuilder<PageRow>();
        var level = resource[..(resource.IndexOf('/', StringComparison.Ordinal) - 1)];
        foreach (var (binding, b) in Elements(policy, "bindings").Select((e, i) => (e, i)))
        {
            if (binding.ValueKind == JsonValueKind.Object && UnknownMembers.InAnotherCase(binding, "role", "members", "condition") is var (found, name))
                throw new CollectionException(Codes.MalformedResponse, $"{what}: a binding of {resource} has {found} where the API has {name}");
            foreach (var (member, m) in Elements(binding, "members").Select((e, i) => (e, i)))
            {
                if (member.ValueKind != JsonValueKind.String)
                    throw Malformed();
                var (type, id) = Kind(member.GetString()!);
                rows.Add(new(
                    JsonSerializer.SerializeToElement(new Dictionary<string, object?>
                    {
                        ["resource"] = resource,
                        ["level"] = level,
                        ["depth"] = depth,
                        ["role"] = Given(binding, "role"),
                        ["member"] = member,
                        ["member_type"] = type,
                        ["member_id"] = id,
                        ["condition"] = Given(binding, "condition"),
                        ["etag"] = Given(policy, "etag"),
                    }),
                    string.Create(CultureInfo.InvariantCulture, $"/bindings/{b}/members/{m}")));
            }
        }
        return rows.ToImmutable();

        // Google omits an empty list.
        IEnumerable<JsonElement> Elements(JsonElement of, string name) =>
            of.ValueKind != JsonValueKind.Object ? throw Malformed()
            : !of.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null ? []
            : list.ValueKind == JsonValueKind.Array ? list.EnumerateArray()
            : throw Malformed();

        CollectionException Malformed() => new(Codes.MalformedResponse, $"{what}: the policy of {resource} does not have the form of Google's policies");
    }

    private static JsonElement? Given(JsonElement of, string name) => of.TryGetProperty(name, out var value) ? value : null;

    /// <summary>
    /// Splits a member into the type before the colon and the id after it. <c>allUsers</c> and <c>allAuthenticatedUsers</c> have no id; a
    /// deleted member has the type <c>deleted</c>, whatever it was, and its name without the uid that distinguishes it from a later member
    /// of the same name.
    /// </summary>
    internal static (string Type, string? Id) Kind(string member)
    {
        if (member.StartsWith(Deleted, StringComparison.Ordinal))
        {
            // The last occurrence is Google's suffix; an earlier one is part of a user-chosen name.
            var uid = member.LastIndexOf("?uid=", StringComparison.Ordinal);
            return ("deleted", Kind(uid < 0 ? member[Deleted.Length..] : member[Deleted.Length..uid]).Id);
        }
        var colon = member.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (member, null) : (member[..colon], member[(colon + 1)..].TrimStart('/'));
    }
}
