using System.Collections.Frozen;
using System.Xml;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>An element of an answer: local name, text, attributes and children, without namespaces.</summary>
internal sealed class AnswerElement(string name)
{
    private const int MaxDepth = 200;
    private List<AnswerElement>? _children;

    public string Name => name;
    public string Text { get; private set; } = "";
    public IReadOnlyList<AnswerElement> Children => _children ?? [];

    /// <summary>Attributes by local name, without namespace declarations.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; private set; } = FrozenDictionary<string, string>.Empty;

    /// <summary>A document type is refused: entities are how small answers become large ones.</summary>
    public static XmlReaderSettings Settings { get; } = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    /// <summary>The first child of that name, or null.</summary>
    public AnswerElement? Child(string childName)
    {
        if (_children is null)
            return null;
        foreach (var child in _children)
        {
            if (child.Name == childName)
                return child;
        }
        return null;
    }

    /// <summary>The one child of that name, or null.</summary>
    /// <exception cref="FormatException">There are two.</exception>
    public AnswerElement? Only(string childName) =>
        Children.Count(c => c.Name == childName) > 1 ? throw new FormatException($"<{Name}> has <{childName}> twice") : Child(childName);

    /// <summary>The first element of that name here or below, or null.</summary>
    public AnswerElement? Find(string wanted) =>
        Name == wanted ? this : Children.Select(c => c.Find(wanted)).FirstOrDefault(f => f is not null);

    /// <summary>Reads a whole document.</summary>
    /// <exception cref="XmlException">It is not well-formed, is nested too deeply, or has a document type.</exception>
    public static AnswerElement Parse(ReadOnlyMemory<byte> content)
    {
        using var reader = XmlReader.Create(
            System.Runtime.InteropServices.MemoryMarshal.TryGetArray(content, out var array)
                ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
                : new MemoryStream(content.ToArray(), writable: false),
            Settings);
        AnswerElement? root = null;
        var open = new Stack<AnswerElement>();
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    var element = new AnswerElement(reader.LocalName);
                    var empty = reader.IsEmptyElement;
                    element.ReadAttributes(reader);
                    if (open.TryPeek(out var parent))
                        (parent._children ??= []).Add(element);
                    else
                        root = element;
                    if (!empty)
                        open.Push(element);
                    if (open.Count > MaxDepth)
                        throw new XmlException("elements are nested too deeply");
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace:
                    open.Peek().Text += reader.Value;
                    break;
                case XmlNodeType.Whitespace when open.TryPeek(out var holder) && holder._children is null:
                    holder.Text += reader.Value;
                    break;
                case XmlNodeType.EndElement:
                    var closed = open.Pop();
                    // White space between elements is layout, not a value.
                    if (closed._children is not null && string.IsNullOrWhiteSpace(closed.Text))
                        closed.Text = "";
                    break;
            }
        }
        return root ?? throw new XmlException("there is no root element");
    }

    private void ReadAttributes(XmlReader reader)
    {
        if (!reader.HasAttributes)
            return;
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.MoveToNextAttribute())
        {
            if (reader.Prefix != "xmlns" && reader.Name != "xmlns")
                attributes[reader.LocalName] = reader.Value;
        }
        reader.MoveToElement();
        Attributes = attributes;
    }
}
