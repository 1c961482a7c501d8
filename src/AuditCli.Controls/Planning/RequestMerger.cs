using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Planning;

/// <summary>
/// Collects the requests of controls and keeps each distinct request once. Requests are equal when their contents are, by digest,
/// because records that hold collections do not compare by content.
/// </summary>
internal sealed class RequestMerger
{
    private readonly Dictionary<Digest, Question> _questions = [];
    private readonly Dictionary<Digest, Input> _inputs = [];

    /// <summary>Adds a control's request to a target and returns the request's digest.</summary>
    public Digest Add(string control, EvidenceNeed need, Operation operation, string target, Digest? parent)
    {
        var form = new JsonObject
        {
            ["target"] = target,
            ["source"] = need.Source,
            ["operation"] = need.Operation,
            ["parameters"] = new JsonObject(need.Params.Select(p => KeyValuePair.Create(p.Key, Exact(p.Value)))),
            ["parent"] = parent?.Hex,
            ["with"] = new JsonObject(need.With.Select(w => KeyValuePair.Create(w.Key, (JsonNode?)w.Value))),
            ["allow_errors"] = new JsonArray([.. need.AllowErrors.Select(c => (JsonNode?)c)]),
            ["keep"] = need.Keep?.Canonical(),
        };
        if (need.Where is { } where)
            form["where"] = where.Canonical();
        var digest = Digest.Of(CanonicalJson.Encode(form));
        if (!_questions.TryGetValue(digest, out var question))
        {
            question = new(digest, need, operation, target, parent, parent is { } above ? _questions[above].Depth + 1 : 0);
            _questions.Add(digest, question);
        }
        question.Names.Add(new(control, need.Name));
        return digest;
    }

    /// <summary>Adds a control's file. The order in which the control declares its columns does not matter.</summary>
    /// <param name="approval">
    /// The columns that a row needs to approve anything, where the control takes its approvals from the file; otherwise empty.
    /// </param>
    public void Add(string control, EvidenceNeed need, ImmutableArray<string> approval)
    {
        ImmutableArray<Column> columns = [.. need.Columns.OrderBy(c => c.Name, StringComparer.Ordinal)];
        var form = new JsonObject
        {
            ["input"] = need.Operation,
            ["columns"] = new JsonArray([.. columns.Select(c => (JsonNode?)new JsonArray(c.Name, c.TypeWithScale))]),
        };
        if (!need.Keys.IsEmpty)
            form["keys"] = new JsonObject(need.Keys.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)new JsonArray([.. o.Value.Select(w => (JsonNode?)w)]))));
        if (!need.Personal.IsEmpty)
            form["personal"] = new JsonArray([.. need.Personal.Select(p => (JsonNode?)p)]);
        var digest = Digest.Of(CanonicalJson.Encode(form));
        if (!_inputs.TryGetValue(digest, out var input))
            _inputs.Add(digest, input = new(need, columns, approval));
        input.Names.Add(new(control, need.Name));
        // If any control reads the file for another purpose than approvals, the file must be complete.
        input.Approval = input.Approval.SequenceEqual(approval) ? approval : [];
    }

    /// <summary>Returns the requests, parents first, then by key.</summary>
    public ImmutableArray<PlannedRequest> Requests()
    {
        var keys = Keys(_questions.ToDictionary(q => q.Key, q => $"{q.Value.Target}/{q.Value.Need.Operation}"));
        return
        [
            .. _questions.Values
                .OrderBy(q => q.Depth).ThenBy(q => keys[q.Digest], StringComparer.Ordinal)
                .Select(q => new PlannedRequest(keys[q.Digest], q.Target, q.Operation, q.Need.Params, q.Parent is { } parent ? keys[parent] : null,
                    q.Need.With, q.Need.AllowErrors, q.Need.Keep, Ordered(q.Names)) { Where = q.Need.Where }),
        ];
    }

    /// <summary>Returns the inputs by key.</summary>
    public ImmutableArray<PlannedInput> Inputs()
    {
        var keys = Keys(_inputs.ToDictionary(i => i.Key, i => i.Value.Need.Operation));
        return
        [
            .. _inputs
                .OrderBy(i => keys[i.Key], StringComparer.Ordinal)
                .Select(i => new PlannedInput(keys[i.Key], i.Value.Need.Operation, i.Value.Columns, Ordered(i.Value.Names))
                {
                    Keys = i.Value.Need.Keys,
                    Personal = i.Value.Need.Personal,
                    Approval = i.Value.Approval,
                }),
        ];
    }

    /// <summary>
    /// Builds the keys: the name and twelve digits of the digest; all digits where an untrusted control made two keys collide.
    /// </summary>
    private static Dictionary<Digest, string> Keys(Dictionary<Digest, string> names) => names
        .GroupBy(n => $"{n.Value}/{n.Key.Hex[..12]}", StringComparer.Ordinal)
        .SelectMany(same => same.Select(n => (n.Key, Name: same.Count() == 1 ? same.Key : $"{n.Value}/{n.Key.Hex}")))
        .ToDictionary(n => n.Key, n => n.Name);

    private static ImmutableArray<EvidenceName> Ordered(IEnumerable<EvidenceName> names) =>
        [.. names.OrderBy(n => n.Control, StringComparer.Ordinal).ThenBy(n => n.Name, StringComparer.Ordinal)];

    /// <summary>
    /// Returns the value in a form that distinguishes values that are equal in canonical JSON, which prints numbers as doubles,
    /// so that different large integers become equal.
    /// </summary>
    private static JsonNode? Exact(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => new JsonArray("object", new JsonObject(value.EnumerateObject().Select(m => KeyValuePair.Create(m.Name, Exact(m.Value))))),
        JsonValueKind.Array => new JsonArray("array", new JsonArray([.. value.EnumerateArray().Select(Exact)])),
        JsonValueKind.String => new JsonArray("string", value.GetString()),
        _ => new JsonArray("other", value.GetRawText()),
    };

    private sealed class Input(EvidenceNeed need, ImmutableArray<Column> columns, ImmutableArray<string> approval)
    {
        public EvidenceNeed Need => need;
        public ImmutableArray<Column> Columns => columns;
        public HashSet<EvidenceName> Names { get; } = [];
        public ImmutableArray<string> Approval { get; set; } = approval;
    }

    private sealed record Question(Digest Digest, EvidenceNeed Need, Operation Operation, string Target, Digest? Parent, int Depth)
    {
        public HashSet<EvidenceName> Names { get; } = [];
    }
}
