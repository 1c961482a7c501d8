using System.Collections.Immutable;

namespace AuditCli.Controls.Yaml;

/// <summary>A node of a YAML document that has no anchors, aliases or tags: a map, a list or a scalar.</summary>
public abstract record YamlNode
{
    private protected YamlNode(YamlPosition position) => Position = position;

    /// <summary>Where the node begins.</summary>
    public YamlPosition Position { get; }

    /// <summary>The node's name in messages: <c>a map</c>, <c>a list</c>, <c>text</c>, <c>a number</c>, ...</summary>
    public abstract string Described { get; }
}

/// <summary>A map with its entries in the file's order; keys are scalars, and no two have the same text.</summary>
public sealed record YamlMap(YamlPosition Position, ImmutableArray<YamlEntry> Entries) : YamlNode(Position)
{
    public override string Described => "a map";

    /// <summary>Returns the value of a key, or null when the map does not have it.</summary>
    public YamlNode? Find(string key) => Entries.FirstOrDefault(e => e.Key.Text == key)?.Value;
}

/// <summary>A key with its value.</summary>
public sealed record YamlEntry(YamlScalar Key, YamlNode Value);

/// <summary>A list with its items in the file's order.</summary>
public sealed record YamlList(YamlPosition Position, ImmutableArray<YamlNode> Items) : YamlNode(Position)
{
    public override string Described => "a list";
}

/// <summary>The style in which a scalar is written. Only a plain one can be anything other than text.</summary>
public enum ScalarStyle
{
    Plain,
    Quoted,
    Literal,
    Folded,
}

/// <summary>A scalar as written, before it is interpreted as a text, a number or a date.</summary>
/// <param name="Text">The content, with escapes and folding resolved.</param>
/// <param name="Content">Where the content begins.</param>
public sealed record YamlScalar(YamlPosition Position, string Text, ScalarStyle Style, TextPosition Content) : YamlNode(Position)
{
    public override string Described => CoreSchema.KindOf(this) switch
    {
        ScalarKind.Null => "empty",
        ScalarKind.Boolean => "a boolean",
        ScalarKind.Integer or ScalarKind.Float => "a number",
        ScalarKind.Text => "text",
        _ => throw new InvalidOperationException("a scalar kind without a description"),
    };
}
