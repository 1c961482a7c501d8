using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws;

/// <summary>
/// Determines the rows of an operation: the elements of its only result list, or else the whole response as one row per page.
/// </summary>
internal static class AnswerRows
{
    /// <summary>The column of a list whose elements are single values.</summary>
    public const string ValueColumn = "Value";

    /// <summary>Describes one row in words, for the documentation of the operation.</summary>
    public static string Row(OperationModel operation) => operation switch
    {
        { Rows: { } list } => $"one for each element of {list}",
        { Pager: not null } => "one for each page of the response",
        _ => "one, the whole response",
    };

    /// <summary>Returns the columns of one row.</summary>
    public static ImmutableArray<Column> Columns(ServiceModel service, OperationModel operation)
    {
        if (operation.Output is not { } output)
            return [];
        var shape = AtRows(service, operation, output);
        if (shape is ShapeModel.List list)
            return Structure(service, list) is { } row ? Of(row) : [new(ValueColumn, list.Element.Column)];
        return Of((ShapeModel.Structure)shape);

        static ImmutableArray<Column> Of(ShapeModel.Structure structure) => [.. structure.Members.Select(m => new Column(m.Name, m.Column))];
    }

    /// <summary>Returns the rows of one page and, if an element cannot be a row, a failure; null if there is none.</summary>
    /// <exception cref="CollectionException">The list member is not a list, or the page lacks a member that a valid page has.</exception>
    public static (ImmutableArray<PageRow> Rows, CollectionException? Fault) Read(ServiceModel service, OperationModel operation, JsonElement page)
    {
        if (operation.Rows is null)
            return ([new(page, "")], null);
        var at = page;
        var holder = page;
        var shape = service.Shape(operation.Output!);
        foreach (var step in Steps(operation))
        {
            if (at.ValueKind != JsonValueKind.Object)
                throw Malformed($"what should hold {step} is a JSON {at.ValueKind}, not an object");
            holder = at;
            if (!at.TryGetProperty(step, out at) || at.ValueKind == JsonValueKind.Null)
                return Absent(service, operation, page, holder, (ShapeModel.Structure)shape, step) is { } why ? throw Malformed(why) : ([], null);
            shape = service.Shape(((ShapeModel.Structure)shape).Member(step)!.Shape);
        }
        if (at.ValueKind != JsonValueKind.Array)
            throw Malformed($"{operation.Rows} is not a list");
        if (Quantity(holder) is { } quantity && quantity != at.GetArrayLength())
            throw Malformed(string.Create(
                CultureInfo.InvariantCulture, $"{operation.Rows} has {at.GetArrayLength()} elements, and the response says {quantity}"));
        var structures = AtRows(service, operation, operation.Output!) is ShapeModel.List list ? Structure(service, list) : null;
        var prefix = "/" + string.Join('/', Steps(operation));
        var rows = ImmutableArray.CreateBuilder<PageRow>(at.GetArrayLength());
        CollectionException? fault = null;
        foreach (var (i, element) in at.EnumerateArray().Index())
        {
            var pointer = string.Create(CultureInfo.InvariantCulture, $"{prefix}/{i}");
            if (structures is null)
                rows.Add(new(Wrapped(element), pointer));
            else if (element.ValueKind == JsonValueKind.Object && element.GetPropertyCount() == 0 && structures.Members.Length > 0)
                fault ??= Malformed($"{pointer} has no member of the model");
            else if (element.ValueKind == JsonValueKind.Object)
                rows.Add(new(element, pointer));
            else
                fault ??= Malformed($"{pointer} is a JSON {element.ValueKind}, not an object");
        }
        return (rows.ToImmutable(), fault);

        CollectionException Malformed(string what) => new(Codes.MalformedResponse, $"{service.Name}:{operation.Name}: {what}");
    }

    /// <summary>Whether a page has no row, and nothing in any other result member that accumulates over pages.</summary>
    public static bool IsEmpty(OperationModel operation, JsonElement page) =>
        operation.Pager is { Results.IsEmpty: false } pager ? pager.Results.All(r => IsEmpty(page, r)) : operation.Rows is { } rows && IsEmpty(page, rows);

    private static bool IsEmpty(JsonElement page, string path) => PageTokens.At(page, path) switch
    {
        { ValueKind: JsonValueKind.Array } list => list.GetArrayLength() == 0,
        { ValueKind: JsonValueKind.Object } map => map.GetPropertyCount() == 0,
        var value => value is null,
    };

    /// <summary>Returns why a page without its list is not valid; null if the list may be omitted because it is empty.</summary>
    /// <remarks>
    /// A member that the model requires is written even if empty. Services that use JSON may omit any other empty member. The XML protocols
    /// write an element without children; a list without an element of its own (flat) has nothing to write, and CloudFront writes the
    /// number of elements instead. If the model has a member for whether more pages follow, it is always present: a page without the list
    /// and without this member is not a valid response.
    /// </remarks>
    private static string? Absent(
        ServiceModel service, OperationModel operation, JsonElement page, JsonElement holder, ShapeModel.Structure shape, string step)
    {
        var written = service.Protocol is WireProtocol.Query or WireProtocol.Ec2 or WireProtocol.RestXml
            && shape.Member(step) is { Flat: false } && Quantity(holder) != 0;
        var isFlat = shape.Member(step) is { Flat: true };
        if (written || shape.Required.Contains(step) && !isFlat)
            return $"the response has no {step}";
        if (Quantity(holder) is > 0 and var quantity)
            return string.Create(CultureInfo.InvariantCulture, $"the response has no {step}, and says that there are {quantity}");
        return operation.Pager?.More is { } more && PageTokens.At(page, more) is null ? $"the response has neither {operation.Rows} nor {more}" : null;
    }

    /// <summary>Returns the number of elements that the response states for a list; null if it does not state one.</summary>
    private static long? Quantity(JsonElement holder) =>
        holder.TryGetProperty("Quantity", out var quantity) && quantity.ValueKind == JsonValueKind.Number && quantity.TryGetInt64(out var number)
            ? number
            : null;

    /// <summary>Returns the rows of a page that must be valid as a whole.</summary>
    /// <exception cref="CollectionException">The page has a failure of any kind.</exception>
    public static ImmutableArray<PageRow> Whole(ServiceModel service, OperationModel operation, JsonElement page)
    {
        var (rows, fault) = Read(service, operation, page);
        return fault is null ? rows : throw fault;
    }

    /// <summary>Returns the shape of the list whose elements are the rows, or of the row itself.</summary>
    private static ShapeModel AtRows(ServiceModel service, OperationModel operation, string output)
    {
        var shape = service.Shape(output);
        foreach (var step in Steps(operation))
        {
            var member = ((ShapeModel.Structure)shape).Member(step)
                ?? throw new InvalidDataException($"{service.Name}:{operation.Name}: the catalogue's rows name the unknown member {step}");
            shape = service.Shape(member.Shape);
        }
        return shape;
    }

    /// <summary>Returns the structure of a list's elements; null if they are single values, lists or maps.</summary>
    private static ShapeModel.Structure? Structure(ServiceModel service, ShapeModel.List list) =>
        list.Element.Kind == MemberKind.Shape ? service.Shape(list.Element.Shape) as ShapeModel.Structure : null;

    private static JsonElement Wrapped(JsonElement value)
    {
        var content = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(content))
        {
            writer.WriteStartObject();
            writer.WritePropertyName(ValueColumn);
            JsonOutput.AsItCame(writer, value);
            writer.WriteEndObject();
        }
        return JsonElement.Parse(content.WrittenSpan);
    }

    private static string[] Steps(OperationModel operation) => operation.Rows?.Split('.') ?? [];
}
