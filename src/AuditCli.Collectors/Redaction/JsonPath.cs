using System.Globalization;
using System.Text;
using System.Text.Json;
using AuditCli.Evidence.Text;

namespace AuditCli.Collectors.Redaction;

/// <summary>The position of a reader in a JSON document, and the names that say what the text there is.</summary>
internal sealed class JsonPath(AnswerPlaces? answer, MemberNames names)
{
    private const int LongestName = 128;
    private const int MostTokensAhead = 32;
    private const int ShortestKey = 22;

    /// <summary>The member that every JSON Web Key has (RFC 7517).</summary>
    private const string KeyType = "kty";
    private readonly List<(string? Member, long Index)> _at = [];
    private readonly List<Level> _levels = [];
    private bool? _announces;

    /// <summary>The name of the member at which the reader stands.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Whether that name is known to hold no secret.</summary>
    public bool NameIsClean { get; private set; }

    /// <summary>Updates the position before a token is examined.</summary>
    public void Enter(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            (Name, NameIsClean, _announces) = names.Of(ref reader);
            _at[^1] = (Name, -1);
        }
        else if (_at.Count > 0 && _at[^1].Member is null && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
            _at[^1] = (null, _at[^1].Index + 1);
    }

    /// <summary>Updates the position after a token was examined.</summary>
    public void Leave(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String when _at.Count > 0:
                Say(ref reader);
                break;
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                var holders = _at.Count == 0 ? default : _levels[^1].Holders.In(_at[^1].Member);
                var isArray = reader.TokenType == JsonTokenType.StartArray;
                _levels.Add(new() { Holders = holders, Arguments = isArray ? CommandLine.Secrets(reader) : null });
                _at.Add((isArray ? null : "", -1));
                break;
            case JsonTokenType.EndArray or JsonTokenType.EndObject:
                _at.RemoveAt(_at.Count - 1);
                _levels.RemoveAt(_levels.Count - 1);
                break;
            default:
                break;
        }
    }

    /// <summary>Returns the rule for the text at the position; null if there is none.</summary>
    public RedactedPlace? Place()
    {
        if (_at.Count == 0)
            return null;
        var member = _at[^1].Member;
        return RedactionRules.At(_at, answer, ReferenceEquals(member, Name) ? _announces : null)
            ?? (_levels[^1].Holders is { Says: not NameSays.Nothing } holders ? RedactionRules.Under(holders.Of(member)) : null);
    }

    /// <summary>Returns what stands next to the text at the position and says what it is.</summary>
    public ValueName NameOf(ref Utf8JsonReader reader)
    {
        if (_at.Count == 0)
            return default;
        var level = _levels[^1];
        if (_at[^1].Member is { Length: <= 2 } number && reader.ValueSpan.Length >= ShortestKey && number is "d" or "k" or "p" or "q" or "dp" or "dq" or "qi")
            return level.IsKey || IsKeyBehind(reader) ? ValueName.OfKey() : default;
        if (_at[^1].Member is { } member)
        {
            return IsValue(member) && (level.Said ?? (level.HasName ? null : NameBehind(reader, reader.CurrentDepth))) is { } said
                ? ValueName.OfMember(said) : default;
        }
        var index = _at[^1].Index;
        if (level.Arguments?.GetValueOrDefault(index) is { Length: > 0 } part)
            return ValueName.OfArgument(part);
        if (level.Said is { } before && level.Index == index - 1)
            return level.IsOption ? ValueName.OfOption(before) : index == 1 && IsLast(reader) ? ValueName.OfFirst(before) : default;
        // A list of values with the name of the list beside it.
        return _at.Count > 1 && _at[^2].Member is { } list && IsValue(list)
            && (_levels[^2].Said ?? (_levels[^2].HasName ? null : NameBehind(reader, reader.CurrentDepth - 1))) is { } name
            ? ValueName.OfMember(name) : default;
    }

    /// <summary>Returns the position as a JSON Pointer (RFC 6901).</summary>
    public string Pointer() => string.Concat(_at.Select(s => "/" + (s.Member is { } name
        ? JsonPointer.Escape(name)
        : s.Index.ToString(CultureInfo.InvariantCulture))));

    private void Say(ref Utf8JsonReader reader)
    {
        var level = _levels[^1];
        var (member, index) = _at[^1];
        if (member is not null)
        {
            level.IsKey |= member == KeyType;
            if (!IsName(member))
                return;
            level.HasName |= !IsWeakName(member);
            level.Said ??= Said(ref reader, option: false);
        }
        else
        {
            var option = reader.ValueSpan is [(byte)'-', ..];
            level.Said = option || index == 0 ? Said(ref reader, option) : null;
            (level.Index, level.IsOption) = (index, option);
        }
    }

    /// <summary>Returns a text that announces a secret; null if it does not.</summary>
    private static string? Said(ref Utf8JsonReader reader, bool option)
    {
        if (reader.ValueSpan.Length is 0 or > LongestName || reader.ValueIsEscaped)
            return null;
        Span<char> name = stackalloc char[LongestName];
        var said = name[..Encoding.UTF8.GetChars(reader.ValueSpan, name)];
        return NamedForms.Says(said, option) ? said.ToString() : null;
    }

    /// <summary>Returns the name of a secret that follows the value in the same object; null if there is none.</summary>
    /// <param name="reader">A copy of the reader.</param>
    /// <param name="depth">The depth of the members of the object.</param>
    private static string? NameBehind(Utf8JsonReader reader, int depth)
    {
        try
        {
            for (var tokens = 0; tokens < MostTokensAhead && reader.Read() && reader.CurrentDepth >= depth; tokens++)
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != depth || reader.ValueIsEscaped
                    || reader.ValueSpan.Length > LongestName || !IsName(Encoding.UTF8.GetString(reader.ValueSpan)))
                {
                    continue;
                }
                if (reader.Read() && reader.TokenType == JsonTokenType.String)
                    return Said(ref reader, option: false);
            }
        }
        catch (JsonException)
        {
            // The document is broken after the value; the rest is cleaned as a text later.
        }
        return null;
    }

    private static bool IsKeyBehind(Utf8JsonReader reader)
    {
        try
        {
            var depth = reader.CurrentDepth;
            for (var tokens = 0; tokens < MostTokensAhead && reader.Read() && reader.CurrentDepth >= depth; tokens++)
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == depth && reader.ValueTextEquals(KeyType))
                    return true;
            }
        }
        catch (JsonException)
        {
            // The rest is cleaned as a text later, as after every broken place.
        }
        return false;
    }

    private static bool IsLast(Utf8JsonReader reader)
    {
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.EndArray;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether a member holds the name of what another member of the object is.</summary>
    public static bool IsName(string member) =>
        member.EndsWith("name", StringComparison.OrdinalIgnoreCase) || member.EndsWith("key", StringComparison.OrdinalIgnoreCase) || IsWeakName(member);

    /// <summary>Whether a member holds a name in some documents only.</summary>
    private static bool IsWeakName(string member) => member.Length is >= 2 and <= 9 && (Is(member, "id") || Is(member, "label") || Is(member, "field")
        || Is(member, "title") || Is(member, "parameter") || Is(member, "variable") || Is(member, "setting") || Is(member, "property") || Is(member, "option"));

    /// <summary>Whether a member holds the value that another member of the object names.</summary>
    public static bool IsValue(string member) => member.EndsWith("value", StringComparison.OrdinalIgnoreCase)
        || member.Length is >= 3 and <= 8 && (Is(member, "values") || Is(member, "val") || Is(member, "vals") || Is(member, "content")
            || Is(member, "contents") || Is(member, "text") || Is(member, "data"));

    private static bool Is(string member, string word) => member.Equals(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>An object or array around the position.</summary>
    private sealed class Level
    {
        /// <summary>What the names of the objects and arrays around say.</summary>
        public HolderNames Holders { get; init; }

        /// <summary>The parts of a command's arguments that are secret, by index.</summary>
        public Dictionary<long, TextPart>? Arguments { get; init; }

        /// <summary>The last option or name that announces a secret.</summary>
        public string? Said { get; set; }

        /// <summary>The index of the element that was said last.</summary>
        public long Index { get; set; }

        public bool IsOption { get; set; }

        /// <summary>Whether the object is a JSON Web Key.</summary>
        public bool IsKey { get; set; }

        /// <summary>Whether a member was seen that is certainly the name of the values beside it.</summary>
        public bool HasName { get; set; }
    }
}
