using System.Collections.Immutable;
using System.Globalization;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Reads the keys of one map and records every fault. A read that fails returns null (texts: empty) and reading continues, so
/// that all faults are reported at once; <see cref="Close"/> then reports the keys that nothing read.
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

    /// <summary>Returns a reader when the node is a map; otherwise records a fault and returns null.</summary>
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

    /// <summary>Reads a required text; returns an empty text after a fault.</summary>
    public string Text(string key) => Required(key) is { } node ? NodeReader.Text(node, $"'{key}'", _faults) ?? "" : "";

    public string? OptionalText(string key) => Optional(key) is { } node ? NodeReader.Text(node, $"'{key}'", _faults) : null;

    /// <summary>Reads a required text of a fixed form; returns an empty text after a fault.</summary>
    public string Formed(string key, TextForm form) =>
        Required(key) is { } node ? NodeReader.Formed(node, $"'{key}'", form, _faults) ?? "" : "";

    public string? OptionalFormed(string key, TextForm form) =>
        Optional(key) is { } node ? NodeReader.Formed(node, $"'{key}'", form, _faults) : null;

    /// <summary>Reads one of several words; a missing one is a fault.</summary>
    public T? Word<T>(string key, ImmutableArray<(string Word, T Value)> words) where T : struct =>
        Required(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) : null;

    public T? OptionalWord<T>(string key, ImmutableArray<(string Word, T Value)> words) where T : struct =>
        Optional(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) : null;

    /// <summary>Reads one of several words as that word; returns an empty text after a fault.</summary>
    public string Word(string key, ImmutableArray<string> words) =>
        Required(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) ?? "" : "";

    public string? OptionalWord(string key, ImmutableArray<string> words) =>
        Optional(key) is { } node ? NodeReader.Word(node, $"'{key}'", words, _faults) : null;

    public bool Flag(string key) => Required(key) is { } node && NodeReader.Flag(node, $"'{key}'", _faults) == true;

    /// <summary>Reads a flag that is false where it is not given.</summary>
    public bool OptionalFlag(string key) => Optional(key) is { } node && NodeReader.Flag(node, $"'{key}'", _faults) == true;

    /// <summary>Reads a required day; returns null after a fault, such as an impossible day.</summary>
    public DateOnly? Date(string key) => Required(key) is { } node ? NodeReader.Date(node, $"'{key}'", _faults) : null;

    public MapReader? RequiredMap(string key) => Required(key) is { } node ? Of(node, $"'{key}'", _faults) : null;

    public MapReader? OptionalMap(string key) => Optional(key) is { } node ? Of(node, $"'{key}'", _faults) : null;

    /// <summary>
    /// Returns the entries of a required map whose keys the author chooses; at least <paramref name="atLeast"/>.
    /// </summary>
    public ImmutableArray<YamlEntry> Entries(string key, TextForm? keys, int atLeast = 0) =>
        Required(key) is { } node ? NodeReader.Entries(node, $"'{key}'", keys, atLeast, _faults) : [];

    public ImmutableArray<YamlEntry> OptionalEntries(string key, TextForm? keys) =>
        Optional(key) is { } node ? NodeReader.Entries(node, $"'{key}'", keys, 0, _faults) : [];

    public ImmutableArray<YamlNode> Items(string key, int atLeast = 0) =>
        Required(key) is { } node ? NodeReader.Items(node, $"'{key}'", atLeast, _faults) : [];

    public ImmutableArray<YamlNode> OptionalItems(string key) =>
        Optional(key) is { } node ? NodeReader.Items(node, $"'{key}'", 0, _faults) : [];

    /// <summary>Reads a list of texts; items with a fault are left out.</summary>
    public ImmutableArray<string> OptionalTexts(string key) =>
        Optional(key) is { } node ? NodeReader.Texts(node, $"'{key}'", 0, _faults) : [];

    /// <summary>
    /// Checks the number of the file's schema. Returns false, with a fault, when this program cannot read that schema.
    /// </summary>
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

    /// <summary>Reports every key that nothing read.</summary>
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
