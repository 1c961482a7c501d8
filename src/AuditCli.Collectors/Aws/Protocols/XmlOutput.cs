using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>Writes XML answers (query, ec2, rest-xml) as typed JSON. Values that do not fit their type stay text.</summary>
internal static class XmlOutput
{
    /// <summary>The members of a rest-xml body.</summary>
    /// <exception cref="FormatException">The document is no answer.</exception>
    public static void Body(Utf8JsonWriter writer, ServiceModel service, ShapeModel.Structure shape, AnswerElement root)
    {
        var members = shape.Members.Where(m => m.InAnswerBody).ToImmutableArray();
        // GetBucketLocation answers with the value as the root's own text.
        if (members is [{ Kind: MemberKind.String } only] && root.Name == only.Wire)
        {
            if (root.Text.Length > 0)
                writer.WriteString(only.Name, root.Text);
            return;
        }
        Members(writer, service, members, Answer(root));
    }

    /// <summary>The root, unless it is an error or a page in place of an answer.</summary>
    /// <exception cref="FormatException">The document is no answer.</exception>
    public static AnswerElement Answer(AnswerElement root) => root.Name is "Error" or "html" or "HTML"
        ? throw new FormatException($"the answer is <{root.Name}>")
        : root;

    /// <summary>The members that are in the element.</summary>
    public static void Members(Utf8JsonWriter writer, ServiceModel service, ImmutableArray<MemberReference> members, AnswerElement element)
    {
        foreach (var member in members)
        {
            if (member.Attribute)
            {
                var local = member.Wire[(member.Wire.IndexOf(':', StringComparison.Ordinal) + 1)..];
                if (element.Attributes.TryGetValue(local, out var attribute))
                    writer.WriteString(member.Name, attribute);
            }
            else if (member is { Flat: true, Kind: MemberKind.Shape })
                Flat(writer, service, member, element);
            else if (element.Child(member.Wire) is { } child)
            {
                writer.WritePropertyName(member.Name);
                Value(writer, service, member, child);
            }
        }
    }

    /// <summary>One value of any kind.</summary>
    public static void Value(Utf8JsonWriter writer, ServiceModel service, MemberReference member, AnswerElement element)
    {
        switch (member.Kind == MemberKind.Shape ? service.Shape(member.Shape) : null)
        {
            case ShapeModel.Structure structure:
                writer.WriteStartObject();
                Members(writer, service, structure.Members, element);
                writer.WriteEndObject();
                break;
            case ShapeModel.List list:
                writer.WriteStartArray();
                foreach (var child in element.Children)
                    Value(writer, service, list.Element, child);
                writer.WriteEndArray();
                break;
            case ShapeModel.Map map:
                writer.WriteStartObject();
                foreach (var entry in element.Children)
                    Entry(writer, service, map, entry);
                writer.WriteEndObject();
                break;
            default:
                Scalar(writer, member, element.Text);
                break;
        }
    }

    /// <summary>A single value from its text.</summary>
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

    /// <summary>A list or map whose elements stand directly in the parent.</summary>
    private static void Flat(Utf8JsonWriter writer, ServiceModel service, MemberReference member, AnswerElement parent)
    {
        var shape = service.Shape(member.Shape);
        var own = shape is ShapeModel.List { Element.WireName: { } name } ? name : member.Wire;
        var elements = parent.Children.Where(c => c.Name == own || c.Name == member.Wire).ToArray();
        if (elements.Length == 0)
            return;
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
            writer.WriteStartObject();
            foreach (var element in elements)
                Entry(writer, service, map, element);
            writer.WriteEndObject();
        }
        else
            Value(writer, service, member with { Flat = false }, elements[0]);
    }

    private static void Entry(Utf8JsonWriter writer, ServiceModel service, ShapeModel.Map map, AnswerElement entry)
    {
        writer.WritePropertyName(entry.Child(map.Key.Wire)?.Text ?? throw new FormatException($"an entry of a map has no <{map.Key.Wire}>"));
        Value(writer, service, map.Value, entry.Child(map.Value.Wire) ?? new AnswerElement(map.Value.Wire));
    }
}
