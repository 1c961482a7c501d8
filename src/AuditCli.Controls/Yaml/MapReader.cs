using System.Collections.Immutable;
using System.Globalization;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Reads the keys of one map and notes every fault on the way. A reading that fails returns null (texts: nothing) and goes on,
/// so that all faults show at once; <see cref="Close"/> then names the keys nobody asked for.
/// </summary>
internal sealed class MapReader
{
    private readonly FaultList _faults;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public MapReader(YamlMap map, FaultList faults)
    {
        Map = map;
        _faults = faults;
    }

    public YamlMap Map { get; }

    /// <summary>A reader where the node is a map; otherwise null and a fault.</summary>
    public static MapReader? Of(YamlNode node, string label, FaultList faults)
    {
        if (node is YamlMap map)
            return new(map, faults);
        faults.Form(node.Position, $"{label} must be a map, but is {node.Described}");
        return null;
    }

    /// <summary>Marks keys as known without reading them.</summary>
    public void Allow(params IEnumerable<string> keys) => _known.UnionWith(keys);

    public YamlNode? Optional(string key)
    {
        _known.Add(key);
        return Map.Find(key);
    }

    public YamlNode? Required(string key)
    {
        var node = Optional(key);
        if (node is null)
            _faults.Form(Map.Position, $"the key '{key}' is missing");
        return node;
    }

    /// <summary>A required text; what was read in error is empty.</summary>
    public string Text(string key) => Required(key) is { } node ? NodeReader.Text(node, $"'{key}'", _faults) ?? "" : "";

    public string? OptionalText(string key) => Optional(key) is { } node ? NodeReader.Text(node, $"'{key}'", _faults) : null;

    /// <summary>A required text of a fixed form; what was read in error is empty.</summary>
    public string Formed(string key, TextForm form) =>
        Required(key) is { } node ? NodeReader.Formed(node, $"'{key}'", form, _faults) ?? "" : "";

    public string? OptionalFormed(string key, TextForm form) =>
        Optional(key) is { } node ? NodeReader.Formed(node, $"'{key}'", form, _faults) : null;

    /// <summary>One of some words; a missing one is a fault.</summary>
    public T? Word<T>(string key, ImmutableArray<(string Word, T Value)> words) where T : struct =>
        Required(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) : null;

    public T? OptionalWord<T>(string key, ImmutableArray<(string Word, T Value)> words) where T : struct =>
        Optional(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) : null;

    /// <summary>One of some words, as that word; what was read in error is empty.</summary>
    public string Word(string key, ImmutableArray<string> words) =>
        Required(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) ?? "" : "";

    public string? OptionalWord(string key, ImmutableArray<string> words) =>
        Optional(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) : null;

    public bool Flag(string key) => Required(key) is { } node && NodeReader.Flag(node, $"'{key}'", _faults) == true;

    /// <summary>A flag that is false where it is not given.</summary>
    public bool OptionalFlag(string key) => Optional(key) is { } node && NodeReader.Flag(node, $"'{key}'", _faults) == true;

    /// <summary>A required day; null after a fault, which an impossible day is too.</summary>
    public DateOnly? Date(string key) => Required(key) is { } node ? NodeReader.Date(node, $"'{key}'", _faults) : null;

    public MapReader? RequiredMap(string key) => Required(key) is { } node ? Of(node, $"'{key}'", _faults) : null;

    public MapReader? OptionalMap(string key) => Optional(key) is { } node ? Of(node, $"'{key}'", _faults) : null;

    /// <summary>The entries of a required map whose keys the author chooses; at least <paramref name="atLeast"/>.</summary>
    public ImmutableArray<YamlEntry> Entries(string key, TextForm? keys, int atLeast = 0) =>
        Required(key) is { } node ? NodeReader.Entries(node, $"'{key}'", keys, atLeast, _faults) : [];

    public ImmutableArray<YamlEntry> OptionalEntries(string key, TextForm? keys) =>
        Optional(key) is { } node ? NodeReader.Entries(node, $"'{key}'", keys, 0, _faults) : [];

    public ImmutableArray<YamlNode> Items(string key, int atLeast = 0) =>
        Required(key) is { } node ? NodeReader.Items(node, $"'{key}'", atLeast, _faults) : [];

    public ImmutableArray<YamlNode> OptionalItems(string key) =>
        Optional(key) is { } node ? NodeReader.Items(node, $"'{key}'", 0, _faults) : [];

    /// <summary>A list of texts; those read in error are left out.</summary>
    public ImmutableArray<string> OptionalTexts(string key) =>
        Optional(key) is { } node ? NodeReader.Texts(node, $"'{key}'", 0, _faults) : [];

    /// <summary>The number of the file's schema. False, with a fault, when this program cannot read it.</summary>
    public bool SchemaIsOne()
    {
        if (Required("schema") is not { } node)
            return true;
        if (node is YamlScalar scalar && CoreSchema.KindOf(scalar) == ScalarKind.Integer
            && int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var schema))
        {
            if (schema == 1)
                return true;
            _faults.Form(node.Position, schema > 1
                ? $"schema {schema} is newer than this auditcli understands (1); use a newer auditcli"
                : $"schema {schema} does not exist; the schema is 1");
            return false;
        }
        _faults.Form(node.Position, "'schema' must be the number 1");
        return true;
    }

    /// <summary>Names every key that nobody asked for.</summary>
    public void Close()
    {
        foreach (var (key, _) in Map.Entries)
        {
            if (!_known.Contains(key.Text))
            {
                var absent = _known.Where(k => Map.Find(k) is null);
                _faults.Form(key.Position, $"unknown key '{key.Text}'{NearMiss.Hint(key.Text, absent)}");
            }
        }
    }
}
