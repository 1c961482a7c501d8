namespace AuditCli.Collectors.Redaction;

/// <summary>
/// Tells whether a text in objects and arrays belongs to a secret by the name of the outer member, as in <c>apiKeys: {prod: x}</c>. A name
/// of a fact in between ends it.
/// </summary>
/// <param name="Says">What the nearest name that says anything says.</param>
/// <param name="Between">The number of names that say nothing between that name and the place.</param>
internal readonly record struct HolderNames(NameSays Says, int Between)
{
    /// <summary>The number of names in between up to which a text belongs to the name.</summary>
    public const int MostBetween = 2;

    /// <summary>Returns the state inside of an object or array.</summary>
    /// <param name="member">The name of the object or array; null for an element of an array.</param>
    public HolderNames In(string? member)
    {
        // Objects in a list of secrets or tokens describe them, and only the members that say so hold one.
        if (member is null)
            return Says == NameSays.Secret ? this : Between == MostBetween ? default : this with { Between = Between + 1 };
        if (NameWords.Say(member, NameUse.Holder) is not NameSays.Nothing and var says)
            return new(says, 0);
        return Says == NameSays.Nothing || Between == MostBetween || NameWords.IsFact(member) ? default : new(Says, Between + 1);
    }

    /// <summary>Returns what the outer name says about a text with a name of its own that says nothing.</summary>
    /// <param name="member">The name of the text; null for an element of an array.</param>
    public NameSays Of(string? member)
    {
        if (Says == NameSays.Nothing || member is null)
            return Says;
        return NameWords.IsFact(member) ? NameSays.Nothing
            : NameWords.IsOfValue(member) ? Says
            // The name of several secrets or of a token is often that of a list of descriptions of them.
            : Says != NameSays.Secret && Between > 0 ? NameSays.Nothing
            : Says == NameSays.Perhaps && member.EndsWith("key", StringComparison.OrdinalIgnoreCase) ? NameSays.Key : Says;
    }
}

/// <summary>Returns what the names of the elements around a text of XML say; elements beside each other share it.</summary>
internal sealed class ElementsAround
{
    private const int Most = HolderNames.MostBetween + 1;
    private readonly string?[] _names = new string?[Most];
    private HolderNames _said;

    /// <summary>Returns what the names around the last one say about its text.</summary>
    public NameSays Of(List<(string? Member, long Index)> at)
    {
        var isKnown = true;
        for (var i = 0; i < Most; i++)
        {
            var name = i + 2 <= at.Count ? at[^(i + 2)].Member : null;
            isKnown &= ReferenceEquals(name, _names[i]);
            _names[i] = name;
        }
        if (!isKnown)
        {
            _said = default;
            for (var i = Most - 1; i >= 0; i--)
                _said = _names[i] is { } name ? _said.In(name) : _said;
        }
        return _said.Says == NameSays.Nothing ? NameSays.Nothing : _said.Of(at[^1].Member);
    }
}
