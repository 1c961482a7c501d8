using AuditCli.Evidence;

namespace AuditCli.Bundles;

/// <summary>A population item whose evidence is being traced, with what was found so far.</summary>
internal sealed class TracedItem(PopulationRow row, TestWords? words)
{
    private readonly Dictionary<string, Attempt> _attempts = new(StringComparer.Ordinal);

    public PopulationRow Row => row;

    /// <summary>The words of the SQL of the item's test; null if it cannot be read.</summary>
    public TestWords? Words => words;

    public ItemKeys Keys { get; } = new(row);

    /// <summary>The tables that were searched and matched; with rows kept, also those without a match.</summary>
    public List<TracedTable> Tables { get; } = [];

    /// <summary>The failed calls that concern the item.</summary>
    public List<TracedReference> Refused { get; } = [];

    /// <summary>Whether the verdict rests on incomplete evidence, so that failed calls are references of the item.</summary>
    public bool IsUnclear => row.Verdict is ItemVerdict.Undetermined or ItemVerdict.Indicated;

    /// <summary>Stores the attempt of a record, for <see cref="AttemptOf"/>.</summary>
    public void Keep(Attempt attempt) => _attempts[attempt.RecordId] = attempt;

    /// <summary>Returns the attempt that a reference points to; null for a supplied file.</summary>
    public Attempt? AttemptOf(EvidenceItem evidence, string reference)
    {
        var record = reference.Split('#')[0];
        return evidence.Exchanges.FirstOrDefault(e => e.RecordId == record) is { } listed ? Attempt.Of(listed) : _attempts.GetValueOrDefault(record);
    }
}

/// <summary>
/// An index from text to the items of one partition. A text that more than 64 items share does not distinguish them, so it leads only to
/// items that are equal to it.
/// </summary>
internal sealed class ItemIndex
{
    private const int MostSharing = 64;
    private readonly Dictionary<string, List<TracedItem>> _items = new(StringComparer.OrdinalIgnoreCase);

    public ItemIndex(IEnumerable<TracedItem> items)
    {
        foreach (var item in items)
        {
            foreach (var anchor in item.Keys.Anchors)
            {
                if (!_items.TryGetValue(anchor, out var sharing))
                    _items[anchor] = sharing = [];
                sharing.Add(item);
            }
        }
        foreach (var (anchor, sharing) in _items.Where(i => i.Value.Count > MostSharing))
            sharing.RemoveAll(i => !i.Row.Item.Equals(anchor, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Adds the items that a text, or its part after the last slash, leads to.</summary>
    public void Find(string text, HashSet<TracedItem> found)
    {
        if (_items.TryGetValue(text, out var named))
            found.UnionWith(named);
        if (text.LastIndexOf('/') is var slash and >= 0 && _items.TryGetValue(text[(slash + 1)..], out named))
            found.UnionWith(named);
    }
}
