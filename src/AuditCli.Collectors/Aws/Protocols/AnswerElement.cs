using System.Collections.Frozen;
using System.Xml;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>An XML element of a response: local name, text, attributes and children. Names are compared without their namespace.</summary>
internal sealed class AnswerElement(string name, string space)
{
    private const int MaxDepth = 200;
    private List<AnswerElement>? _children;

    public string Name => name;

    /// <summary>The address of the element's namespace; empty without one.</summary>
    public string Space => space;
    public string Text { get; private set; } = "";
    public IReadOnlyList<AnswerElement> Children => _children ?? [];

    /// <summary>The attributes by local name, without namespace declarations.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; private set; } = FrozenDictionary<string, string>.Empty;

    /// <summary>
    /// The reader settings. A document type declaration is refused, because entity expansion can make a small response very large.
    /// </summary>
    public static XmlReaderSettings Settings { get; } = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    /// <summary>Returns the first child of that name; null if there is none.</summary>
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

    /// <summary>Returns the only child of that name; null if there is none.</summary>
    /// <exception cref="FormatException">There is more than one.</exception>
    public AnswerElement? Only(string childName) =>
        Children.Count(c => c.Name == childName) > 1 ? throw new FormatException($"<{Name}> has <{childName}> twice") : Child(childName);

    /// <summary>Returns the first element of that name, searching this element and its descendants; null if there is none.</summary>
    public AnswerElement? Find(string wanted) =>
        Name == wanted ? this : Children.Select(c => c.Find(wanted)).FirstOrDefault(f => f is not null);

    /// <summary>Parses a whole document.</summary>
    /// <param name="seen">Gets each element as it begins, also of a document that proves not to be well-formed; null for nobody.</param>
    /// <exception cref="XmlException">The content is not well-formed, is nested too deeply, or has a document type declaration.</exception>
    public static AnswerElement Parse(ReadOnlyMemory<byte> content, Action<AnswerElement>? seen = null)
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
                    var element = new AnswerElement(reader.LocalName, reader.NamespaceURI);
                    seen?.Invoke(element);
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
