using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// What the rows of an operation are: the elements of its one result list, or else the whole response as one row per page.
/// </summary>
internal static class AnswerRows
{
    /// <summary>The column of a list whose elements are single values.</summary>
    public const string ValueColumn = "Value";

    /// <summary>What one row is, in words.</summary>
    public static string Row(OperationModel operation) => operation switch
    {
        { Rows: { } list } => $"one for each element of {list}",
        { Pager: not null } => "one for each page of the answer",
        _ => "one, the whole answer",
    };

    /// <summary>The columns of one row.</summary>
    public static ImmutableArray<Column> Columns(ServiceModel service, OperationModel operation)
    {
        if (operation.Output is not { } output)
            return [];
        var shape = service.Shape(output);
        foreach (var step in Steps(operation))
        {
            var member = ((ShapeModel.Structure)shape).Member(step)
                ?? throw new InvalidDataException($"{service.Name}:{operation.Name}: the catalogue's rows name the unknown member {step}");
            shape = service.Shape(member.Shape);
        }
        if (shape is ShapeModel.List list)
        {
            if (list.Element.Kind != MemberKind.Shape || service.Shape(list.Element.Shape) is not ShapeModel.Structure)
                return [new(ValueColumn, list.Element.Column)];
            shape = service.Shape(list.Element.Shape);
        }
        return [.. ((ShapeModel.Structure)shape).Members.Select(m => new Column(m.Name, m.Column))];
    }

    /// <summary>The rows of one page.</summary>
    /// <exception cref="CollectionException">The place of the list holds something else.</exception>
    public static ImmutableArray<PageRow> Read(ServiceModel service, OperationModel operation, JsonElement page)
    {
        if (operation.Rows is null)
            return [new(page, "")];
        var at = page;
        foreach (var step in Steps(operation))
        {
            // A provider leaves an empty list out.
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(step, out at) || at.ValueKind == JsonValueKind.Null)
                return [];
        }
        if (at.ValueKind != JsonValueKind.Array)
            throw new CollectionException(TypedJson.Malformed, $"{service.Name}:{operation.Name}: {operation.Rows} is not a list");
        var prefix = "/" + string.Join('/', Steps(operation));
        return [.. at.EnumerateArray().Select((e, i) => new PageRow(
            e.ValueKind == JsonValueKind.Object ? e : Wrapped(e),
            string.Create(CultureInfo.InvariantCulture, $"{prefix}/{i}")))];
    }

    private static JsonElement Wrapped(JsonElement value) => JsonSerializer.SerializeToElement(new Dictionary<string, JsonElement> { [ValueColumn] = value });

    private static string[] Steps(OperationModel operation) => operation.Rows?.Split('.') ?? [];
}
