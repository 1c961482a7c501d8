using System.Text.Json;
using AuditCli.Collectors.Running;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Kubernetes;

/// <summary>
/// Notices what the pages of one list cannot have together: an object twice, fewer objects than a page said would follow, or a page that does
/// not say which state of the cluster it shows. All pages of a list show one state, so that none of these is a change in between.
/// </summary>
/// <param name="asked">What the request restricts the list to.</param>
internal sealed class ReadObjects(KubernetesResource resource, AskedObjects asked)
{
    private readonly ReadRows _uids = new(resource.ToString());
    private long _read;
    private long _promised;
    private string? _kind;
    private bool _hasBegun;
    private string? _version;

    /// <summary>Takes note of a page.</summary>
    /// <exception cref="CollectionException">The page cannot belong to the list, or repeats an object.</exception>
    public void Add(JsonElement page)
    {
        var own = JsonMember.Text(page, "kind");
        if ((_kind ??= own) != own)
            throw ObjectRows.Malformed(resource, $"is a {own} after a page that is a {_kind}");
        var version = ObjectRows.Version(page);
        if (_hasBegun && version != _version)
        {
            throw ObjectRows.Malformed(
                resource, $"shows the state {version ?? "without a resourceVersion"} after a page that shows {_version ?? "one without a resourceVersion"}");
        }
        (_hasBegun, _version) = (true, version);
        foreach (var item in ObjectRows.Items(page))
        {
            _read++;
            if (asked.WhyNot(item) is { } other)
                throw ObjectRows.Malformed(resource, other);
            if (JsonMember.Text(Members.Of(item, "metadata"), "uid") is { Length: > 0 } uid && _uids.Add([uid], "the object with uid ") is { } repeated)
                throw repeated;
        }
        _promised = Math.Max(_promised, _read + (ObjectRows.Remaining(page) ?? 0));
    }

    /// <summary>Returns the failure of a list that ended before the objects that a page had announced; null if there is none.</summary>
    public CollectionException? Missing() => _read < _promised
        ? new(Codes.PartialAnswer, FormattableString.Invariant(
            $"{resource}: the list ended after {_read} objects, but a page said that there were at least {_promised} (remainingItemCount)"))
        : null;
}
