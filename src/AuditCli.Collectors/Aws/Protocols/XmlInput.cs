using System.Text.Json.Nodes;
using System.Xml;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>Writes checked parameters as the XML body of a rest-xml request.</summary>
internal static class XmlInput
{
    private static readonly XmlWriterSettings Settings = new()
    {
        OmitXmlDeclaration = true,
        Encoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
    };

    /// <summary>Returns an element with the members that belong to the body.</summary>
    public static byte[] Body(ServiceModel service, string root, string? space, ShapeModel.Structure shape, JsonNode values)
    {
        using var body = new MemoryStream();
        using (var writer = XmlWriter.Create(body, Settings))
        {
            writer.WriteStartElement(null, root, space);
            Members(writer, service, shape, values, space);
            writer.WriteEndElement();
        }
        return body.ToArray();
    }

    private static void Members(XmlWriter writer, ServiceModel service, ShapeModel.Structure shape, JsonNode values, string? space)
    {
        // Attributes must be written before any content of the element.
        foreach (var member in shape.Members.Where(m => m.Attribute))
        {
            if (values[member.Name] is { } value)
                Attribute(writer, member, RequestWriter.Text(member, value, "iso8601"));
        }
        foreach (var member in shape.Members.Where(m => m is { Attribute: false, Location: MemberLocation.Body }))
        {
            if (values[member.Name] is { } value)
                Value(writer, service, member, member.Wire, value, space);
        }
    }

    private static void Attribute(XmlWriter writer, MemberReference member, string value)
    {
        var parts = member.Wire.Split(':');
        if (parts is [var prefix, var local])
            writer.WriteAttributeString(prefix, local, member.Namespace ?? "http://www.w3.org/2001/XMLSchema-instance", value);
        else
            writer.WriteAttributeString(member.Wire, value);
    }

    private static void Value(XmlWriter writer, ServiceModel service, MemberReference member, string name, JsonNode value, string? outer)
    {
        var shape = member.Kind == MemberKind.Shape ? service.Shape(member.Shape) : null;
        if (shape is ShapeModel.List list && member.Flat)
        {
            foreach (var element in value.AsArray())
                Value(writer, service, list.Element, name, element!, member.Namespace ?? outer);
            return;
        }
        if (shape is ShapeModel.Map flat && member.Flat)
        {
            Entries(writer, service, flat, name, value, member.Namespace ?? outer);
            return;
        }
        var space = member.NamespacePrefix is null ? member.Namespace ?? outer : outer;
        writer.WriteStartElement(null, name, space);
        if (member.NamespacePrefix is { } prefix)
            writer.WriteAttributeString("xmlns", prefix, null, member.Namespace);
        switch (shape)
        {
            case ShapeModel.Structure structure:
                Members(writer, service, structure, value, space);
                break;
            case ShapeModel.List elements:
                foreach (var element in value.AsArray())
                    Value(writer, service, elements.Element, elements.Element.Wire, element!, space);
                break;
            case ShapeModel.Map map:
                Entries(writer, service, map, "entry", value, space);
                break;
            default:
                writer.WriteString(RequestWriter.Text(member, value, "iso8601"));
                break;
        }
        writer.WriteEndElement();
    }

    private static void Entries(XmlWriter writer, ServiceModel service, ShapeModel.Map map, string name, JsonNode value, string? space)
    {
        foreach (var (key, entry) in value.AsObject())
        {
            writer.WriteStartElement(null, name, space);
            Value(writer, service, map.Key, map.Key.Wire, JsonValue.Create(key), space);
            Value(writer, service, map.Value, map.Value.Wire, entry!, space);
            writer.WriteEndElement();
        }
    }
}
