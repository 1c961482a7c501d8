using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>Writes XML responses (query, ec2, rest-xml) as typed JSON. Values that do not fit their type are written as text.</summary>
internal static class XmlOutput
{
    private static readonly ImmutableArray<string> NoAnswers = ["Error", "Errors", "ErrorResponse", "Fault", "Message", "html", "Envelope"];

    /// <summary>Writes the members of a rest-xml body.</summary>
    /// <exception cref="FormatException">The document is not a response.</exception>
    public static void Body(Utf8JsonWriter writer, ServiceModel service, OperationModel operation, ShapeModel.Structure shape, AnswerElement root)
    {
        var members = shape.Members.Where(m => m.InAnswerBody).ToImmutableArray();
        // GetBucketLocation responds with the value as the root's own text.
        if (members is [{ Kind: MemberKind.String } only] && root.Name == only.Wire)
        {
            if (root.Text.Length > 0)
                writer.WriteString(only.Name, root.Text);
            return;
        }
        Root(writer, service, operation, members, Answer(root));
    }

    /// <summary>Writes the members of a response and rejects a document that is not a response.</summary>
    /// <exception cref="FormatException">The document is not a response, or has a member twice or in another case.</exception>
    public static void Root(
        Utf8JsonWriter writer, ServiceModel service, OperationModel operation, ImmutableArray<MemberReference> members, AnswerElement root)
    {
        Members(writer, service, members, root);
        AnswerForm.Check(operation, members, (member, name) => IsOf(service, member, name), root);
        CheckElements(service, members, root);
    }

    /// <summary>
    /// Checks what is beside the result in its envelope. The protocol has only the request's id there; a member of the result, an error or a
    /// word of further pages is not read there, but says that the result is not all.
    /// </summary>
    /// <exception cref="FormatException">There is such an element.</exception>
    public static void CheckEnvelope(
        ServiceModel service, OperationModel operation, ImmutableArray<MemberReference> members, AnswerElement envelope, string wrapper)
    {
        foreach (var other in envelope.Children.Where(c => c.Name != wrapper))
        {
            if (AnswerForm.SaysError(other.Name) || members.Any(m => IsOf(service, m, other.Name)) || AnswerForm.IsOfMore(operation, other))
                throw new FormatException($"<{envelope.Name}> has <{other.Name}> beside <{wrapper}>");
        }
    }

    /// <summary>Checks that no element of a list is outside of it: it would be lost without notice, like a second list.</summary>
    /// <exception cref="FormatException">There is such an element.</exception>
    private static void CheckElements(ServiceModel service, ImmutableArray<MemberReference> members, AnswerElement root)
    {
        foreach (var child in root.Children.Where(c => !members.Any(m => IsOf(service, m, c.Name))))
        {
            if (members.FirstOrDefault(m => m is { Attribute: false, Flat: false, Kind: MemberKind.Shape }
                && service.Shape(m.Shape) is ShapeModel.List list && list.Element.Wire == child.Name) is { } holder)
                throw new FormatException($"<{root.Name}> has <{child.Name}> outside <{holder.Wire}>");
        }
    }

    /// <summary>Returns the root, unless it is an error or an HTML page.</summary>
    /// <exception cref="FormatException">The document is not a response.</exception>
    public static AnswerElement Answer(AnswerElement root) => NoAnswers.Contains(root.Name, StringComparer.OrdinalIgnoreCase)
        ? throw new FormatException($"the response is <{root.Name}>")
        : root;

    /// <summary>Writes the members that are present in the element.</summary>
    /// <exception cref="FormatException">A member is present twice, or in another case.</exception>
    public static void Members(Utf8JsonWriter writer, ServiceModel service, ImmutableArray<MemberReference> members, AnswerElement element)
    {
        var read = 0;
        foreach (var member in members)
        {
            if (member.Attribute)
            {
                var local = member.Wire[(member.Wire.IndexOf(':', StringComparison.Ordinal) + 1)..];
                if (element.Attributes.TryGetValue(local, out var attribute))
                    writer.WriteString(member.Name, attribute);
            }
            else if (member is { Flat: true, Kind: MemberKind.Shape })
                read += Flat(writer, service, member, element);
            else if (element.Child(member.Wire) is { } child)
            {
                read++;
                writer.WritePropertyName(member.Name);
                Value(writer, service, member, child);
            }
        }
        if (read < element.Children.Count)
            CheckOthers(service, members, element);
    }

    /// <summary>Whether an element of that name is the member, or an element of the member's flat list.</summary>
    private static bool IsOf(ServiceModel service, MemberReference member, string name) => !member.Attribute
        && (name == member.Wire || member is { Flat: true, Kind: MemberKind.Shape } && name == OwnName(service.Shape(member.Shape), member));

    /// <summary>Checks the children that were not read: the second occurrence of a member would be lost without notice.</summary>
    /// <exception cref="FormatException">A member occurs twice, or in another case.</exception>
    private static void CheckOthers(ServiceModel service, ImmutableArray<MemberReference> members, AnswerElement element)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var child in element.Children)
        {
            var member = members.FirstOrDefault(m => IsOf(service, m, child.Name));
            if (member is null)
                AnswerForm.CheckCase(child.Name, members.Where(m => !m.Attribute));
            else if (!(member is { Flat: true, Kind: MemberKind.Shape } && service.Shape(member.Shape) is not ShapeModel.Structure) && !seen.Add(child.Name))
                throw new FormatException($"<{element.Name}> has <{child.Name}> twice");
        }
    }

    /// <summary>Writes one value of any kind.</summary>
    public static void Value(Utf8JsonWriter writer, ServiceModel service, MemberReference member, AnswerElement element)
    {
        var shape = member.Kind == MemberKind.Shape ? service.Shape(member.Shape) : null;
        if (shape is not null ? element.Text.AsSpan().Trim().Length > 0 : element.Children.Count > 0)
            throw new FormatException(shape is not null ? $"<{element.Name}> is a text" : $"<{element.Name}> is no single value");
        switch (shape)
        {
            case ShapeModel.Structure structure:
                writer.WriteStartObject();
                Members(writer, service, structure.Members, element);
                writer.WriteEndObject();
                break;
            case ShapeModel.List list:
                writer.WriteStartArray();
                foreach (var child in element.Children)
                {
                    if (child.Name != list.Element.Wire)
                        throw new FormatException($"<{element.Name}> has <{child.Name}>, where the model has <{list.Element.Wire}>");
                    Value(writer, service, list.Element, child);
                }
                writer.WriteEndArray();
                break;
            case ShapeModel.Map map:
                if (element.Children.FirstOrDefault(c => c.Name != "entry") is { } other)
                    throw new FormatException($"<{element.Name}> has <{other.Name}>, where the model has <entry>");
                Entries(writer, service, map, element.Children);
                break;
            default:
                Scalar(writer, member, element.Text);
                break;
        }
    }

    /// <summary>Writes a single value from its text.</summary>
    public static void Scalar(Utf8JsonWriter writer, MemberReference member, string text)
    {
        switch (member.Kind)
        {
            case MemberKind.Integer or MemberKind.Long or MemberKind.Double:
                ScalarText.Number(writer, member.Kind, text);
                break;
            case MemberKind.Boolean when text is "true" or "True" or "false" or "False":
                writer.WriteBooleanValue(text is "true" or "True");
                break;
            case MemberKind.Timestamp:
                writer.WriteStringValue(Timestamps.From(text) ?? text);
                break;
            case MemberKind.String when member.Policy:
                ScalarText.Policy(writer, text);
                break;
            default:
                writer.WriteStringValue(text);
                break;
        }
    }

    /// <summary>Writes a list or map whose elements are direct children of the parent.</summary>
    /// <returns>The number of elements.</returns>
    private static int Flat(Utf8JsonWriter writer, ServiceModel service, MemberReference member, AnswerElement parent)
    {
        var shape = service.Shape(member.Shape);
        var own = OwnName(shape, member);
        var elements = parent.Children.Where(c => c.Name == own || c.Name == member.Wire).ToArray();
        if (elements.Length == 0)
            return 0;
        writer.WritePropertyName(member.Name);
        if (shape is ShapeModel.List list)
        {
            writer.WriteStartArray();
            foreach (var element in elements)
                Value(writer, service, list.Element, element);
            writer.WriteEndArray();
        }
        else if (shape is ShapeModel.Map map)
        {
            Entries(writer, service, map, elements);
        }
        else
        {
            if (elements.Length > 1)
                throw new FormatException($"<{parent.Name}> has <{member.Wire}> twice");
            Value(writer, service, member with { Flat = false }, elements[0]);
        }
        return elements.Length;
    }

    private static string OwnName(ShapeModel shape, MemberReference member) => shape is ShapeModel.List { Element.WireName: { } name } ? name : member.Wire;

    /// <summary>Writes a map as an object.</summary>
    /// <exception cref="FormatException">
    /// An entry lacks a part or has it twice, or two entries have the same key, so that the value is ambiguous.
    /// </exception>
    private static void Entries(Utf8JsonWriter writer, ServiceModel service, ShapeModel.Map map, IEnumerable<AnswerElement> entries)
    {
        writer.WriteStartObject();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            var key = (entry.Only(map.Key.Wire) ?? throw new FormatException($"an entry of a map has no <{map.Key.Wire}>")).Text;
            if (!seen.Add(key))
                throw new FormatException($"a map has the key {key} twice");
            writer.WritePropertyName(key);
            Value(writer, service, map.Value, entry.Only(map.Value.Wire) ?? throw new FormatException($"an entry of a map has no <{map.Value.Wire}>"));
        }
        writer.WriteEndObject();
    }
}
