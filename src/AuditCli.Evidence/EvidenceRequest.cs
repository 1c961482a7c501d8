using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Evidence;

/// <summary>One request to one account and region; its response may have many pages.</summary>
/// <param name="Target">The engagement's target through which it is sent.</param>
/// <param name="Region">A region, or the source's word for "everywhere" (<c>aws-global</c>).</param>
/// <param name="Parameters">
/// Parameters as the API names them. They depend on the control and on <c>as_of</c> alone, so that a replay sends the same
/// request.
/// </param>
public sealed record EvidenceRequest(
    string Target,
    string Account,
    string Region,
    Operation Operation,
    ImmutableSortedDictionary<string, JsonElement> Parameters);
