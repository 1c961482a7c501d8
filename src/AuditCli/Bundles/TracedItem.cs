using AuditCli.Evidence;

namespace AuditCli.Bundles;

/// <summary>An item whose evidence is looked for, with what was found so far.</summary>
internal sealed class TracedItem(PopulationRow row, TestWords? words)
{
    private readonly Dictionary<string, Attempt> _attempts = new(StringComparer.Ordinal);

    public PopulationRow Row => row;

    /// <summary>The words of its test's SQL; null where that cannot be read.</summary>
    public TestWords? Words => words;

    public ItemKeys Keys { get; } = new(row);

    /// <summary>Every table that was searched, also those in which nothing was found.</summary>
    public List<TracedTable> Tables { get; } = [];

    /// <summary>Calls that failed and concern the item.</summary>
    public List<TracedReference> Refused { get; } = [];

    /// <summary>Whether something of the item is not known, so that what was refused belongs to it.</summary>
    public bool IsUnclear => row.Verdict is ItemVerdict.Undetermined or ItemVerdict.Indicated;

    /// <summary>Remembers where a record is, for the references that end in it.</summary>
    public void Keep(Attempt attempt) => _attempts[attempt.RecordId] = attempt;

    /// <summary>The exchange of a reference; null for a file.</summary>
    public Attempt? AttemptOf(EvidenceItem evidence, string reference)
    {
        var record = reference.Split('#')[0];
        return evidence.Exchanges.FirstOrDefault(e => e.RecordId == record) is { } listed ? Attempt.Of(listed) : _attempts.GetValueOrDefault(record);
    }
}

/// <summary>
/// Which items of one partition a word leads to. A word that very many have tells none apart and leads to none, but for the items that
/// are called just so.
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

    /// <summary>Adds the items that a text leads to.</summary>
    public void Find(string text, HashSet<TracedItem> found)
    {
        if (_items.TryGetValue(text, out var named))
            found.UnionWith(named);
        if (text.LastIndexOf('/') is var slash and >= 0 && _items.TryGetValue(text[(slash + 1)..], out named))
            found.UnionWith(named);
    }
}
