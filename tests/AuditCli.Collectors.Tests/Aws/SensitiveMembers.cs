using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>
/// Lists every value in a response body that the catalogue marks as sensitive, each with a response that contains nothing else.
/// </summary>
internal static class SensitiveMembers
{
    public const string Marker = "MARKER value";

    public static IEnumerable<(OperationModel Operation, List<(string? Member, long Index)> Path, string Answer)> Of(ServiceModel service)
    {
        var json = service.Protocol is WireProtocol.Json or WireProtocol.RestJson;
        return service.OperationNames
            .Select(o => service.Operation(o)!)
            .Where(o => o.Output is not null)
            .SelectMany(o => Paths(service, o.Output!, json, [], sensitive: false, [])
                .Select(p => json ? p : [.. Around(o, (ShapeModel.Structure)service.Shape(o.Output!)), .. p])
                .Select(p => (o, p.Select(s => (s, -1L)).ToList(), json ? Json(p) : Xml(p!))));

        string[] Around(OperationModel operation, ShapeModel.Structure output) =>
            service.Protocol == WireProtocol.Query ? [operation.Name + "Response", operation.Wrapper!] : output.Payload is null ? ["Answer"] : [];
    }

    /// <summary>Returns the steps on the wire; null stands for an element of a JSON list.</summary>
    private static IEnumerable<string?[]> Paths(ServiceModel service, string shape, bool json, string?[] path, bool sensitive, string[] above)
    {
        if (above.Contains(shape))
            return [];
        above = [.. above, shape];
        return service.Shape(shape) switch
        {
            ShapeModel.Structure { Payload: { } payload } structure =>
                Below(structure.Member(payload)!, path.Length == 0 && json ? path : [.. path, structure.Member(payload)!.Wire]),
            ShapeModel.Structure structure => structure.Members.Where(m => m.Location == MemberLocation.Body).SelectMany(m => Below(m, [.. path, m.Wire])),
            ShapeModel.List list => Below(list.Element, json ? [.. path, null] : [.. path, list.Element.WireName ?? "member"]),
            ShapeModel.Map map => Below(map.Value, json ? [.. path, "any"] : [.. path, "entry", map.Value.WireName ?? "value"]),
            _ => throw new InvalidOperationException(shape),
        };

        IEnumerable<string?[]> Below(MemberReference member, string?[] at) => member.Kind switch
        {
            MemberKind.Shape when !json && member.Flat && service.Shape(member.Shape) is ShapeModel.List flat =>
                Below(
                    flat.Element with { Sensitive = sensitive || member.Sensitive || flat.Element.Sensitive },
                    [.. at[..^1], flat.Element.WireName ?? at[^1]]),
            MemberKind.Shape => Paths(service, member.Shape, json, at, sensitive || member.Sensitive, above),
            MemberKind.String or MemberKind.Blob when sensitive || member.Sensitive => [at],
            _ => [],
        };
    }

    private static string Json(string?[] path) =>
        path.Reverse()
            .Aggregate($"\"{Marker}\"", (inner, step) => step is null ? $"[{inner}]" : $"{{{JsonSerializer.Serialize(step)}:{inner}}}");

    private static string Xml(string[] path) => path.Reverse().Aggregate(Marker, (inner, step) => $"<{step}>{inner}</{step}>");
}
