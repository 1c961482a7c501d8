using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Applies request and response changes that are not in the models but that boto3 makes. Keys of S3 may hold characters that XML cannot
/// represent: list requests ask for percent-encoded keys, and the responses are decoded. Ids of Route 53 are accepted with or without their
/// path (<c>/hostedzone/Z1</c>), since responses include the path and requests must not.
/// </summary>
internal static class Customisations
{
    private const string Encoding = "EncodingType";
    private static readonly string[] KeyMembers = ["Delimiter", "Prefix", "Marker", "NextMarker", "StartAfter", "KeyMarker", "NextKeyMarker"];
    private static readonly (string List, string Member)[] KeysInLists =
        [("Contents", "Key"), ("Versions", "Key"), ("DeleteMarkers", "Key"), ("CommonPrefixes", "Prefix")];

    /// <summary>Returns the parameters as they are sent.</summary>
    public static JsonObject Asked(ServiceModel service, OperationModel operation, JsonObject parameters)
    {
        if (EncodesKeys(service.Name, operation.Name))
            parameters.TryAdd(Encoding, "url");
        if (service.Name == "route53" && operation.Input is { } input)
        {
            foreach (var member in ((ShapeModel.Structure)service.Shape(input)).Members)
            {
                if (member is { Location: MemberLocation.Uri, Kind: MemberKind.String } && parameters[member.Name] is JsonValue value)
                    parameters[member.Name] = WithoutPath(value.ToString());
            }
        }
        return parameters;
    }

    /// <summary>Returns the page as the caller sees it.</summary>
    /// <param name="ours">Whether <see cref="Asked"/> requested encoded keys, rather than the caller.</param>
    public static JsonElement Answered(JsonElement page, bool ours)
    {
        if (!ours || !page.TryGetProperty(Encoding, out var encoding) || encoding.GetString() != "url")
            return page;
        var decoded = (JsonObject)JsonNode.Parse(page.GetRawText())!;
        foreach (var name in KeyMembers)
            Decode(decoded, name);
        foreach (var (list, member) in KeysInLists)
        {
            foreach (var element in (decoded[list] as JsonArray)?.OfType<JsonObject>() ?? [])
                Decode(element, member);
        }
        return JsonSerializer.SerializeToElement(decoded);
    }

    /// <summary>Whether keys of the operation are requested percent-encoded unless the caller sets the encoding.</summary>
    public static bool EncodesKeys(string service, string operation) =>
        service == "s3" && operation is "ListObjects" or "ListObjectsV2" or "ListObjectVersions";

    /// <summary>Returns the last part of an id that may have a path.</summary>
    public static string WithoutPath(string id) => id[(id.LastIndexOf('/') + 1)..];

    private static void Decode(JsonObject holder, string name)
    {
        if (holder[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String)
            holder[name] = Uri.UnescapeDataString(value.ToString().Replace('+', ' '));
    }
}
