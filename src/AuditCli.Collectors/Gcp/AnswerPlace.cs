using System.Text.Json;
using AuditCli.Collectors.Rest;
using AuditCli.Collectors.Running;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Gcp;

/// <summary>
/// Checks that a list is of the place that the request names. A list of Compute Engine says so itself, and so does each of its rows
/// (<c>selfLink</c>): it lists what is in the project, zone or region; what others share with the project is only named in members of a row,
/// such as <c>network</c>. Rows of a few lists are or may be of other projects. Lists of other APIs do not name their place, or may have rows
/// that others share.
/// </summary>
internal static class AnswerPlace
{
    private static readonly string[] OfList = ["id", "selfLink"];
    private static readonly string[] Places = ["projects", "zones", "regions"];

    /// <summary>Lists of host projects; of reservations and node groups, which projects share; and of what may be used across projects.</summary>
    private static readonly string[] OfSeveralProjects = ["projects", "reservations", "futureReservations", "nodeGroups"];
    private const string Usable = "listUsable";

    /// <summary>Returns the failure of a page of another place; null if there is none.</summary>
    /// <param name="request">The address of the request, which names its place.</param>
    public static CollectionException? Foreign(string what, RestOperation operation, Uri request, JsonElement page)
    {
        if (operation is not { Rows: not null, Kind: { } kind } || !kind.StartsWith("compute#", StringComparison.Ordinal))
            return null;
        // The last one requests the resources of another project.
        var hasOthers = OfSeveralProjects.Contains(operation.Name.Split('.')[0]) || operation.Name.EndsWith(Usable, StringComparison.Ordinal)
            || request.Query.Contains("serviceProjectNumber=", StringComparison.Ordinal);
        var named = OfList.Where(operation.Beside.Contains).Select(m => JsonMember.Text(page, m))
            .Concat(hasOthers ? [] : AnswerRows.Elements(what, operation, page).Select(e => JsonMember.Text(e.Value, "selfLink")));
        var asks = Places.Select(p => (Place: p, Asked: Of(request.AbsolutePath, p))).Where(p => p.Asked is not null).ToArray();
        foreach (var name in named.OfType<string>())
        {
            foreach (var (place, asked) in asks)
            {
                if (Of(name, place) is { } found && IsAnother(place, asked!, found))
                {
                    return new(
                        place == "projects" ? GcpCodes.AnotherProject : Codes.MalformedResponse,
                        $"{what} lists {name}, but {place}/{asked} was requested");
                }
            }
        }
        return null;
    }

    /// <summary>
    /// Returns the failure of a page with a resource of Compute Engine that was read before; null if there is none. Pages that repeat one may
    /// leave out as many.
    /// </summary>
    /// <param name="read">The rows that were read; those of the page are added.</param>
    public static CollectionException? Repeated(string what, RestOperation operation, JsonElement page, ReadRows read) =>
        operation is { Rows: not null, RowKind: { } kind } && kind.StartsWith("compute#", StringComparison.Ordinal)
            ? read.Add(AnswerRows.Elements(what, operation, page).Select(e => JsonMember.Text(e.Value, "selfLink")).OfType<string>())
            : null;

    /// <summary>Returns the name after <c>projects</c>, <c>zones</c> or <c>regions</c> in a path or address; null if there is none.</summary>
    private static string? Of(string address, string place)
    {
        var parts = address.Split('/');
        var at = Array.FindIndex(parts, p => p.Equals(place, StringComparison.OrdinalIgnoreCase));
        return at >= 0 && at + 1 < parts.Length ? Uri.UnescapeDataString(parts[at + 1]) : null;
    }

    /// <summary>Whether two names mean different places; a project's number says nothing about its id.</summary>
    private static bool IsAnother(string place, string asked, string found) =>
        asked != found && !(place == "projects" && (asked.All(char.IsAsciiDigit) || found.All(char.IsAsciiDigit)));
}
