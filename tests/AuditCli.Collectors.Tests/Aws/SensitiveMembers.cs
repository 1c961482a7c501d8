using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Tests.Aws;

/// <summary>Every value that the catalogue calls sensitive in an answer's body, with an answer that holds nothing else.</summary>
internal static class SensitiveMembers
{
    public const string Marker = "MARKER value";

    public static IEnumerable<(string Operation, List<(string? Member, long Index)> Path, string Answer)> Of(ServiceModel service)
    {
        var json = service.Protocol is WireProtocol.Json or WireProtocol.RestJson;
        return service.OperationNames
            .Select(o => (Name: o, Model: service.Operation(o)!))
            .Where(o => o.Model.Output is not null)
            .SelectMany(o => Paths(service, o.Model.Output!, json, [], sensitive: false, [])
                .Select(p => json ? p : p.Prepend("Answer").ToArray())
                .Select(p => (o.Name, p.Select(s => (s, -1L)).ToList(), json ? Json(p) : Xml(p!))));
    }

    /// <summary>Steps on the wire; null is an element of a JSON list.</summary>
    private static IEnumerable<string?[]> Paths(ServiceModel service, string shape, bool json, string?[] path, bool sensitive, string[] above)
    {
        if (above.Contains(shape))
            return [];
        above = [.. above, shape];
        return service.Shape(shape) switch
        {
            ShapeModel.Structure { Payload: { } payload } structure => Below(structure.Member(payload)!, path.Length == 0 && json ? path : [.. path, structure.Member(payload)!.Wire]),
            ShapeModel.Structure structure => structure.Members.Where(m => m.Location == MemberLocation.Body).SelectMany(m => Below(m, [.. path, m.Wire])),
            ShapeModel.List list => Below(list.Element, json ? [.. path, null] : [.. path, list.Element.WireName ?? "member"]),
            ShapeModel.Map map => Below(map.Value, json ? [.. path, "any"] : [.. path, "entry", map.Value.WireName ?? "value"]),
            _ => throw new InvalidOperationException(shape),
        };

        IEnumerable<string?[]> Below(MemberReference member, string?[] at) => member.Kind switch
        {
            MemberKind.Shape => Paths(service, member.Shape, json, at, sensitive || member.Sensitive, above),
            MemberKind.String or MemberKind.Blob when sensitive || member.Sensitive => [at],
            _ => [],
        };
    }

    private static string Json(string?[] path) => path.Reverse().Aggregate($"\"{Marker}\"", (inner, step) => step is null ? $"[{inner}]" : $"{{{JsonSerializer.Serialize(step)}:{inner}}}");

    private static string Xml(string[] path) => path.Reverse().Aggregate(Marker, (inner, step) => $"<{step}>{inner}</{step}>");
}
