using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.Runtime.Internal;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>Writes checked parameters into a request of the SDK's runtime, in the service's wire protocol.</summary>
internal static class RequestWriter
{
    /// <summary>Sets the path, query, headers and body. The parameters must have passed <see cref="ParameterCheck"/>.</summary>
    public static void Write(DefaultRequest request, ServiceModel service, OperationModel operation, JsonObject parameters)
    {
        var shape = operation.Input is { } input ? (ShapeModel.Structure)service.Shape(input) : null;
        request.HttpMethod = operation.Method;
        request.ResourcePath = "/";
        if (operation.HostPrefix is { } prefix)
            request.HostPrefix = HostPrefix(prefix, shape, parameters);
        switch (service.Protocol)
        {
            case WireProtocol.Query or WireProtocol.Ec2:
                request.Parameters["Action"] = operation.Name;
                request.Parameters["Version"] = service.Version;
                foreach (var member in shape?.Members ?? [])
                {
                    if (parameters[member.Name] is { } value)
                        Form(request, service, FormName(service, member), member, value);
                }
                break;
            case WireProtocol.Json:
                request.Headers["X-Amz-Target"] = $"{service.TargetPrefix}.{operation.Name}";
                request.Headers["Content-Type"] = "application/x-amz-json-" + service.JsonVersion;
                request.Content = JsonBody(service, shape?.Members ?? [], parameters);
                break;
            case WireProtocol.RestJson or WireProtocol.RestXml:
                Rest(request, service, operation, shape, parameters);
                break;
        }
    }

    private static string HostPrefix(string prefix, ShapeModel.Structure? shape, JsonObject parameters)
    {
        foreach (var member in shape?.Members ?? [])
        {
            if (member.HostLabel && parameters[member.Name] is { } value)
                prefix = prefix.Replace("{" + member.Name + "}", value.ToString(), StringComparison.Ordinal);
        }
        return prefix;
    }

    private static void Rest(DefaultRequest request, ServiceModel service, OperationModel operation, ShapeModel.Structure? shape, JsonObject parameters)
    {
        var path = operation.UriTemplate;
        var mark = path.IndexOf('?', StringComparison.Ordinal);
        if (mark >= 0)
        {
            foreach (var part in path[(mark + 1)..].Split('&'))
            {
                var equals = part.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0)
                    request.AddSubResource(part);
                else
                    request.AddSubResource(part[..equals], part[(equals + 1)..]);
            }
            path = path[..mark];
        }
        request.ResourcePath = path;
        request.UseQueryString = true;
        foreach (var member in shape?.Members ?? [])
        {
            if (parameters[member.Name] is not { } value)
                continue;
            switch (member.Location)
            {
                case MemberLocation.Uri:
                    var greedy = path.Contains("{" + member.Wire + "+}", StringComparison.Ordinal);
                    request.AddPathResource(greedy ? "{" + member.Wire + "+}" : "{" + member.Wire + "}", Text(member, value, "iso8601"));
                    break;
                case MemberLocation.Query when value is JsonArray elements:
                    request.ParameterCollection.Add(member.Wire, Texts(service, member, elements, "iso8601"));
                    break;
                case MemberLocation.Query when value is JsonObject entries:
                    // A named parameter takes precedence over an entry of the same name in a map.
                    foreach (var (name, entry) in entries.Where(e => shape!.Members.All(m => m.Location != MemberLocation.Query || m.Wire != e.Key)))
                    {
                        if (entry is JsonArray several)
                            request.ParameterCollection.Add(name, [.. several.Select(e => e!.ToString())]);
                        else
                            request.Parameters[name] = entry!.ToString();
                    }
                    break;
                case MemberLocation.Query:
                    request.Parameters[member.Wire] = Text(member, value, "iso8601");
                    break;
                case MemberLocation.Header when value is JsonArray elements:
                    request.Headers[member.Wire] = HeaderLine(service, member, elements);
                    break;
                case MemberLocation.Header:
                    request.Headers[member.Wire] = Text(member, value, "rfc822");
                    break;
                case MemberLocation.Headers:
                    foreach (var (name, entry) in value.AsObject())
                        request.Headers[member.Wire + name] = entry!.ToString();
                    break;
            }
        }
        if (shape?.Payload is { } payload)
            Payload(request, service, shape.Member(payload)!, parameters[payload]);
        else if (shape is not null && shape.Members.Any(m => m.Location == MemberLocation.Body))
            RestBody(request, service, operation, shape, parameters);
    }

    private static void RestBody(DefaultRequest request, ServiceModel service, OperationModel operation, ShapeModel.Structure shape, JsonObject parameters)
    {
        if (service.Protocol == WireProtocol.RestXml)
        {
            // The request has no body if no member of the body is given.
            if (!shape.Members.Any(m => m.Location == MemberLocation.Body && parameters[m.Name] is not null))
                return;
            request.Headers["Content-Type"] = "application/xml";
            request.Content = XmlInput.Body(service, operation.Root ?? operation.Input!, operation.Namespace, shape, parameters);
            return;
        }
        request.Headers["Content-Type"] = "application/json";
        request.Content = JsonBody(service, shape.Members.Where(m => m.Location == MemberLocation.Body), parameters);
    }

    /// <summary>Writes a body that consists of one member.</summary>
    private static void Payload(DefaultRequest request, ServiceModel service, MemberReference member, JsonNode? value)
    {
        var structure = member.Kind == MemberKind.Shape ? service.Shape(member.Shape) as ShapeModel.Structure : null;
        var xml = service.Protocol == WireProtocol.RestXml;
        if (value is null && (xml || structure is null))
            return;
        var (type, content) = (member.Kind, structure) switch
        {
            (MemberKind.Blob, _) => ("application/octet-stream", Convert.FromBase64String(value!.ToString())),
            (MemberKind.Document, _) => ("application/json", Encoding.UTF8.GetBytes(value!.ToJsonString())),
            (_, null) => ("text/plain", Encoding.UTF8.GetBytes(value!.ToString())),
            _ when xml => ("application/xml", XmlInput.Body(service, member.WireName ?? member.Shape, member.Namespace, structure, value!)),
            _ => ("application/json", JsonBody(service, structure.Members, value as JsonObject ?? [])),
        };
        request.Headers.TryAdd("Content-Type", type);
        request.Content = content;
    }

    /// <summary>Returns the value of a list header. An instant contains a comma but is not quoted.</summary>
    private static string HeaderLine(ServiceModel service, MemberReference member, JsonArray elements)
    {
        var texts = Texts(service, member, elements, "rfc822");
        var instants = ((ShapeModel.List)service.Shape(member.Shape)).Element.Kind == MemberKind.Timestamp;
        return string.Join(", ", instants ? texts : texts.Select(HeaderList.Quoted));
    }

    private static List<string> Texts(ServiceModel service, MemberReference member, JsonArray elements, string timeFormat)
    {
        var element = ((ShapeModel.List)service.Shape(member.Shape)).Element;
        return [.. elements.Select(e => Text(element, e!, timeFormat))];
    }

    private static string FormName(ServiceModel service, MemberReference member) => service.Protocol != WireProtocol.Ec2
        ? member.Wire
        : member.QueryName ?? (member.WireName is { } wire ? char.ToUpperInvariant(wire[0]) + wire[1..] : member.Name);

    private static void Form(DefaultRequest request, ServiceModel service, string name, MemberReference member, JsonNode value)
    {
        if (member.Kind != MemberKind.Shape)
        {
            request.Parameters[name] = Text(member, value, "iso8601");
            return;
        }
        switch (service.Shape(member.Shape))
        {
            case ShapeModel.Structure structure:
                foreach (var inner in structure.Members)
                {
                    if (value[inner.Name] is { } part)
                        Form(request, service, $"{name}.{FormName(service, inner)}", inner, part);
                }
                break;
            case ShapeModel.List list:
                var prefix = ListPrefix(service, name, member, list);
                var elements = value.AsArray();
                if (elements.Count == 0 && service.Protocol == WireProtocol.Query)
                    request.Parameters[name] = "";
                for (var i = 0; i < elements.Count; i++)
                    Form(request, service, string.Create(CultureInfo.InvariantCulture, $"{prefix}.{i + 1}"), list.Element, elements[i]!);
                break;
            case ShapeModel.Map map:
                var number = 1;
                foreach (var (key, entry) in value.AsObject())
                {
                    var at = string.Create(CultureInfo.InvariantCulture, $"{name}{(member.Flat ? "" : ".entry")}.{number++}");
                    request.Parameters[$"{at}.{map.Key.Wire}"] = key;
                    Form(request, service, $"{at}.{map.Value.Wire}", map.Value, entry!);
                }
                break;
        }
    }

    /// <summary>
    /// Returns the prefix of a list's elements: ec2 numbers the list itself; query numbers its <c>member</c>, or for a flat list the
    /// element's own name.
    /// </summary>
    private static string ListPrefix(ServiceModel service, string name, MemberReference member, ShapeModel.List list)
    {
        if (service.Protocol == WireProtocol.Ec2)
            return name;
        if (!member.Flat)
            return $"{name}.{list.Element.Wire}";
        if (list.Element.WireName is not { } own)
            return name;
        var dot = name.LastIndexOf('.');
        return dot < 0 ? own : name[..(dot + 1)] + own;
    }

    /// <summary>Returns a single value as text.</summary>
    internal static string Text(MemberReference member, JsonNode value, string timeFormat) => member.Kind switch
    {
        MemberKind.Timestamp => Timestamps.ToWire(value.ToString(), member.TimeFormat ?? timeFormat),
        MemberKind.Boolean => value.GetValue<bool>() ? "true" : "false",
        _ => value.ToString(),
    };

    private static byte[] JsonBody(ServiceModel service, IEnumerable<MemberReference> members, JsonNode parameters)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
            JsonMembers(writer, service, members, parameters);
        return body.ToArray();
    }

    private static void JsonMembers(Utf8JsonWriter writer, ServiceModel service, IEnumerable<MemberReference> members, JsonNode values)
    {
        writer.WriteStartObject();
        foreach (var member in members)
        {
            if (values[member.Name] is not { } value)
                continue;
            writer.WritePropertyName(member.Wire);
            JsonValue(writer, service, member, value);
        }
        writer.WriteEndObject();
    }

    private static void JsonValue(Utf8JsonWriter writer, ServiceModel service, MemberReference member, JsonNode value)
    {
        switch (member.Kind == MemberKind.Shape ? service.Shape(member.Shape) : null)
        {
            case ShapeModel.Structure structure:
                JsonMembers(writer, service, structure.Members, value);
                break;
            case ShapeModel.List list:
                writer.WriteStartArray();
                foreach (var element in value.AsArray())
                    JsonValue(writer, service, list.Element, element!);
                writer.WriteEndArray();
                break;
            case ShapeModel.Map map:
                writer.WriteStartObject();
                foreach (var (key, entry) in value.AsObject())
                {
                    writer.WritePropertyName(key);
                    JsonValue(writer, service, map.Value, entry!);
                }
                writer.WriteEndObject();
                break;
            default:
                if (member.Kind != MemberKind.Timestamp)
                    value.WriteTo(writer);
                else if (member.TimeFormat is { } format && format != "unixTimestamp")
                    writer.WriteStringValue(Timestamps.ToWire(value.ToString(), format));
                else
                    writer.WriteNumberValue(Timestamps.ToUnix(value.ToString()));
                break;
        }
    }
}
