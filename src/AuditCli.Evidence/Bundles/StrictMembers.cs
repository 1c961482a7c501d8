using System.Collections.Immutable;
using System.Text.Json;

namespace AuditCli.Evidence.Bundles;

/// <summary>Reads the members of one JSON object, each of which must be taken before <see cref="End"/>.</summary>
/// <exception cref="InvalidDataException">A member is missing, unknown, or of another kind.</exception>
internal sealed class StrictMembers
{
    private readonly string _what;
    private readonly Dictionary<string, JsonElement> _left = new(StringComparer.Ordinal);

    public StrictMembers(JsonElement value, string what)
    {
        _what = what;
        if (value.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{what} is an object, not {value.ValueKind}");
        foreach (var member in value.EnumerateObject())
            _left.Add(member.Name, member.Value);
    }

    public string Text(string name) => OptionalText(name) ?? throw Missing(name);

    public string? OptionalText(string name) => Take(name, JsonValueKind.String)?.GetString();

    /// <summary>Returns a text that may be null, and must be present.</summary>
    public string? NullableText(string name) => IsNull(name) ? null : Text(name);

    public T Members<T>(string name, Func<StrictMembers, T> read)
    {
        var members = new StrictMembers(Take(name, JsonValueKind.Object) ?? throw Missing(name), $"'{name}'");
        var value = read(members);
        members.End();
        return value;
    }

    /// <summary>Reads an object that may be null, and must be present.</summary>
    public T? NullableMembers<T>(string name, Func<StrictMembers, T> read)
        where T : class => IsNull(name) ? null : Members(name, read);

    /// <summary>Reads an object that may be left out.</summary>
    public T? OptionalMembers<T>(string name, Func<StrictMembers, T> read)
        where T : class => _left.ContainsKey(name) ? Members(name, read) : null;

    /// <summary>Takes a list that must be present and empty.</summary>
    public void Nothing(string name)
    {
        if ((Take(name, JsonValueKind.Array) ?? throw Missing(name)).GetArrayLength() > 0)
            throw new InvalidDataException($"'{name}' of {_what} must be empty");
    }

    public ImmutableArray<string> Texts(string name) =>
    [
        .. (Take(name, JsonValueKind.Array) ?? throw Missing(name)).EnumerateArray().Select(e => e.ValueKind == JsonValueKind.String
            ? e.GetString()!
            : throw new InvalidDataException($"'{name}' of {_what} has an element that is no text")),
    ];

    /// <summary>Returns a list of texts that may be left out.</summary>
    public ImmutableArray<string> OptionalTexts(string name) => Has(name) ? Texts(name) : [];

    /// <summary>Whether the member exists and was not taken yet.</summary>
    public bool Has(string name) => _left.ContainsKey(name);

    public long Number(string name) => OptionalNumber(name) ?? throw Missing(name);

    /// <summary>Returns a number that may be null, and must be present.</summary>
    public long? NullableNumber(string name) => IsNull(name) ? null : Number(name);

    public long? OptionalNumber(string name) => OptionalSigned(name) is not { } number ? null
        : number >= 0 ? number
        : throw new InvalidDataException($"'{name}' of {_what} is not a whole number of 0 or more");

    public long? OptionalSigned(string name) => Take(name, JsonValueKind.Number) is not { } value ? null
        : value.TryGetInt64(out var number) ? number
        : throw new InvalidDataException($"'{name}' of {_what} is not a whole number");

    /// <summary>Returns the members of an object, which stay usable after the document is disposed.</summary>
    public IEnumerable<KeyValuePair<string, JsonElement>> Object(string name) =>
        (Take(name, JsonValueKind.Object) ?? throw Missing(name)).EnumerateObject().Select(m => KeyValuePair.Create(m.Name, m.Value.Clone()));

    public ImmutableArray<T> List<T>(string name, Func<StrictMembers, T> read)
    {
        var list = Take(name, JsonValueKind.Array) ?? throw Missing(name);
        return [.. list.EnumerateArray().Select(element =>
        {
            var members = new StrictMembers(element, $"'{name}'");
            var value = read(members);
            members.End();
            return value;
        })];
    }

    /// <summary>Throws when a member was not taken.</summary>
    public void End()
    {
        if (_left.Count > 0)
            throw new InvalidDataException($"'{_left.Keys.Order(StringComparer.Ordinal).First()}' is not a member of {_what}");
    }

    private bool IsNull(string name) => _left.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Null && _left.Remove(name);

    private JsonElement? Take(string name, JsonValueKind kind)
    {
        if (!_left.Remove(name, out var value))
            return null;
        return value.ValueKind == kind ? value : throw new InvalidDataException($"'{name}' of {_what} is {value.ValueKind}, not {kind}");
    }

    private InvalidDataException Missing(string name) => new($"{_what} has no '{name}'");
}
