using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence;

/// <summary>The name under which a control uses an evidence table.</summary>
public readonly record struct EvidenceName(string Control, string Name);

/// <summary>
/// One request of a plan, before accounts and regions are known. Controls that make the same request share one.
/// </summary>
/// <param name="Key">Names the request inside its plan, and orders it.</param>
/// <param name="Parameters">Constant parameters, as the API names them.</param>
/// <param name="ParentKey">
/// With <c>for_each</c>: the request for whose rows this one is made, in the same account and region.
/// </param>
/// <param name="With">
/// With <c>for_each</c>: parameter to column of the parent's row, or to a member inside it; see <see cref="MemberPath"/>.
/// </param>
/// <param name="AllowErrors">Error codes that are the provider's way to say "there is none": no rows, and Complete.</param>
/// <param name="Keep">The rows that go into the table; null for all. Others are counted, and stay in the exchanges.</param>
/// <param name="Names">Every control's name for the table.</param>
public sealed record PlannedRequest(
    string Key,
    string Target,
    Operation Operation,
    ImmutableSortedDictionary<string, JsonElement> Parameters,
    string? ParentKey,
    ImmutableSortedDictionary<string, string> With,
    ImmutableSortedSet<string> AllowErrors,
    RowFilter? Keep,
    ImmutableArray<EvidenceName> Names)
{
    /// <summary>With <c>for_each</c>: the parent's rows for which the request is made; null for all.</summary>
    public RowFilter? Where { get; init; }

    /// <summary>
    /// The columns that AuditCli adds to its tables, see <see cref="EvidenceColumns.Added"/>; the operation's columns follow.
    /// </summary>
    public ImmutableArray<Column> AddedColumns { get; } = EvidenceColumns.Added(ParentKey is not null, With.Keys);

    /// <summary>All columns of its tables: one list for the items of every account and region.</summary>
    public ImmutableArray<Column> Columns { get; } = [.. EvidenceColumns.Added(ParentKey is not null, With.Keys), .. Operation.Columns];

    /// <summary>
    /// Whether a failure with this code counts as an empty result: both the control and the operation must list the code.
    /// </summary>
    public bool TakesAsNone(string code) => AllowErrors.Contains(code) && Operation.SaysNone(code);
}

/// <summary>A file provided by management, with the columns that controls declare for it.</summary>
public sealed record PlannedInput(string Key, string Input, ImmutableArray<Column> Columns, ImmutableArray<EvidenceName> Names)
{
    /// <summary>
    /// The text columns by which rows are matched with evidence, as declared, each with the words that are allowed in it (in a file in
    /// any case); empty for any text.
    /// </summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Keys { get; init; } =
        ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>The text columns of which a keyed digest is kept instead of the value.</summary>
    public ImmutableSortedSet<string> Personal { get; init; } = [];

    /// <summary>
    /// The columns that a row needs to approve anything, the item's column first, when every control that names the file takes
    /// approvals from it; empty otherwise. A row without them is not a gap in the register: the row exists and does not count.
    /// </summary>
    public ImmutableArray<string> Approval { get; init; } = [];
}

/// <summary>Something in the engagement's scope that will not be tested, and why.</summary>
public sealed record NotTested(string Id, string Reason);

/// <summary>
/// Everything that a run will request, each request once, parents before the requests made for their rows. The order does not
/// depend on the order of files or of controls.
/// </summary>
public sealed record CollectionPlan(
    ImmutableArray<PlannedRequest> Requests,
    ImmutableArray<PlannedInput> Inputs,
    ImmutableArray<NotTested> NotTested)
{
    /// <summary>
    /// Returns the plan with the moment as of which the state is judged in place of <see cref="MomentWords.AsOf"/>. Keys and
    /// order stay.
    /// </summary>
    public CollectionPlan At(DateTimeOffset asOf) =>
        this with { Requests = [.. Requests.Select(r => r with { Parameters = MomentWords.In(r.Parameters, (MomentWords.AsOf, asOf)) })] };

    /// <summary>
    /// Returns the kind of whole of which a request is made once; null if it is made of each account. A request for the rows of a parent is
    /// made where the parent is.
    /// </summary>
    public string? AskedOnceOf(PlannedRequest request) => request.ParentKey is { } parent
        ? AskedOnceOf(Requests.Single(r => r.Key == parent))
        : request.Operation.AskedOnceOf(request.Parameters);

    /// <summary>Returns those of the targets of which something is asked, in their order. No other target is connected to.</summary>
    public ImmutableArray<Target> TargetsOf(IEnumerable<Target> targets)
    {
        var asked = Requests.Select(r => r.Target).ToImmutableHashSet(StringComparer.Ordinal);
        return [.. targets.Where(t => asked.Contains(t.Name))];
    }

    /// <summary>
    /// Returns the evidence ID of a planned request in one account and region:
    /// <c>&lt;source&gt;-&lt;operation lower-cased, other characters '-'&gt;-&lt;first 12 hex of SHA-256 of the RFC 8785 request without target&gt;</c>.
    /// </summary>
    public string EvidenceId(PlannedRequest request, string account, string region) =>
        EvidenceIds.For(request.Operation.Source, request.Operation.Name, Canonical(request, account, region));

    private JsonObject Canonical(PlannedRequest request, string account, string region)
    {
        var form = new JsonObject
        {
            ["account"] = account,
            ["region"] = region,
            ["source"] = request.Operation.Source,
            ["operation"] = request.Operation.Name,
            ["parameters"] = Object(request.Parameters.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)JsonNode.Parse(p.Value.GetRawText())))),
        };
        if (request.ParentKey is { } parent)
        {
            form["for_each"] = EvidenceId(Requests.Single(r => r.Key == parent), account, region);
            form["with"] = Object(request.With.Select(w => KeyValuePair.Create(w.Key, (JsonNode?)JsonValue.Create(w.Value))));
        }
        if (!request.AllowErrors.IsEmpty)
            form["allow_errors"] = new JsonArray([.. request.AllowErrors.Select(c => (JsonNode?)JsonValue.Create(c))]);
        if (request.Keep is { } keep)
            form["keep"] = keep.Canonical();
        if (request.Where is { } where)
            form["where"] = where.Canonical();
        return form;
    }

    private static JsonObject Object(IEnumerable<KeyValuePair<string, JsonNode?>> members) => new(members);
}

/// <summary>Builds the names of evidence items.</summary>
public static class EvidenceIds
{
    /// <summary>See <see cref="CollectionPlan.EvidenceId"/>; the result is a path segment of <c>[a-z0-9-]</c>.</summary>
    public static string For(string source, string operation, JsonObject request)
    {
        var name = string.Concat($"{source}-{operation}".ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        return $"{name}-{Digest.Of(CanonicalJson.Encode(request)).Hex[..12]}";
    }
}
