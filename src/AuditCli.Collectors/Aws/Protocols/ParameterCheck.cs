using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>Checks parameters against an operation's input shape before a request is sent.</summary>
internal static class ParameterCheck
{
    /// <summary>
    /// Returns the parameters in the form that the writers expect. Scalars given as text, as in parent rows and on the command line, are
    /// converted to the type of the shape.
    /// </summary>
    /// <exception cref="CollectionException">
    /// A parameter is missing, unknown or has the wrong form (<see cref="Codes.InvalidParameter"/>).
    /// </exception>
    public static JsonObject Checked(ServiceModel service, OperationModel operation, IEnumerable<KeyValuePair<string, JsonElement>> parameters)
    {
        var name = $"{service.Name}:{operation.Name}";
        var given = new JsonObject(parameters.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)JsonNode.Parse(p.Value.GetRawText()))));
        if (operation.Input is { } input)
            return Structure(service, (ShapeModel.Structure)service.Shape(input), given, name);
        return given.Count == 0 ? given : throw Refuse($"{name} takes no parameters, but {given.First().Key} was given");
    }

    private static JsonObject Structure(ServiceModel service, ShapeModel.Structure shape, JsonNode given, string at)
    {
        if (given is not JsonObject members)
            throw Refuse($"{at} must be an object");
        foreach (var required in shape.Required)
        {
            if (members[required] is null)
                throw Refuse($"{at} needs the parameter {required}");
        }
        var read = new JsonObject();
        foreach (var (name, value) in members)
        {
            var member = shape.Member(name) ?? throw Refuse($"{at} has no parameter {name}; it has {string.Join(", ", shape.Members.Select(m => m.Name))}");
            if (value is null)
                throw Refuse($"{at}.{name} is null; leave it out instead");
            read[name] = Value(service, member, value, $"{at}.{name}");
            if (member.Location == MemberLocation.Uri && PathSegments.WhyNot(read[name]!.ToString()) is { } why)
                throw Refuse($"{at}.{name} {why}");
            // The value becomes a part of the host name: a dot or slash in it would send the request to another host.
            if (member.HostLabel && !IsLabel(read[name]!.ToString()))
                throw Refuse($"{at}.{name} must be letters, digits and hyphens, at most 63");
        }
        return read;
    }

    private static bool IsLabel(string text) =>
        text.Length is > 0 and <= 63 && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && text[0] != '-' && text[^1] != '-';

    private static JsonNode Value(ServiceModel service, MemberReference member, JsonNode? given, string at)
    {
        if (given is null)
            throw Refuse($"{at} is null");
        return member.Kind switch
        {
            MemberKind.Shape => service.Shape(member.Shape) switch
            {
                ShapeModel.Structure structure => Structure(service, structure, given, at),
                ShapeModel.List list => given is JsonArray elements
                    ? new JsonArray([.. elements.Select((e, i) => Value(service, list.Element, e, $"{at}[{i}]"))])
                    : throw Refuse($"{at} must be a list"),
                ShapeModel.Map map => given is JsonObject entries
                    ? new JsonObject(entries.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)Value(service, map.Value, e.Value, $"{at}.{e.Key}"))))
                    : throw Refuse($"{at} must be an object"),
                _ => throw new InvalidDataException($"{member.Shape} is neither a structure, a list nor a map"),
            },
            MemberKind.Document => given.DeepClone(),
            _ => Scalar(member.Kind, given, at),
        };
    }

    private static JsonValue Scalar(MemberKind kind, JsonNode given, string at)
    {
        if (given is not JsonValue value)
            throw Refuse($"{at} must be a single value");
        var text = value.ToString();
        return kind switch
        {
            MemberKind.Integer or MemberKind.Long => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? JsonValue.Create(number)
                : throw Refuse($"{at} must be a whole number, not {text}"),
            MemberKind.Double when text is "NaN" or "Infinity" or "-Infinity" => JsonValue.Create(text),
            MemberKind.Double => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real)
                ? JsonValue.Create(real)
                : throw Refuse($"{at} must be a number, not {text}"),
            MemberKind.Boolean => bool.TryParse(text, out var flag) ? JsonValue.Create(flag) : throw Refuse($"{at} must be true or false, not {text}"),
            MemberKind.Timestamp => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
                ? JsonValue.Create(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture))
                : throw Refuse($"{at} must be a time as in RFC 3339, not {text}"),
            _ => JsonValue.Create(text),
        };
    }

    private static CollectionException Refuse(string message) => new(Codes.InvalidParameter, message);
}
