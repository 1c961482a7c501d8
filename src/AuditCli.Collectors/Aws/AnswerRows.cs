using System.Buffers;
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
        var shape = AtRows(service, operation, output);
        if (shape is ShapeModel.List list)
            return Structure(service, list) is { } row ? Of(row) : [new(ValueColumn, list.Element.Column)];
        return Of((ShapeModel.Structure)shape);

        static ImmutableArray<Column> Of(ShapeModel.Structure structure) => [.. structure.Members.Select(m => new Column(m.Name, m.Column))];
    }

    /// <summary>The rows of one page, and what is wrong with it besides: an element that cannot be a row. Null where nothing is.</summary>
    /// <exception cref="CollectionException">The place of the list holds something else, or the page says nothing.</exception>
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
            throw Malformed(string.Create(CultureInfo.InvariantCulture, $"{operation.Rows} has {at.GetArrayLength()} elements, and the answer says {quantity}"));
        var structures = AtRows(service, operation, operation.Output!) is ShapeModel.List list && Structure(service, list) is not null;
        var prefix = "/" + string.Join('/', Steps(operation));
        var rows = ImmutableArray.CreateBuilder<PageRow>(at.GetArrayLength());
        CollectionException? fault = null;
        foreach (var (i, element) in at.EnumerateArray().Index())
        {
            var pointer = string.Create(CultureInfo.InvariantCulture, $"{prefix}/{i}");
            if (!structures)
                rows.Add(new(Wrapped(element), pointer));
            else if (element.ValueKind == JsonValueKind.Object)
                rows.Add(new(element, pointer));
            else
                fault ??= Malformed($"{pointer} is a JSON {element.ValueKind}, not an object");
        }
        return (rows.ToImmutable(), fault);

        CollectionException Malformed(string what) => new(TypedJson.Malformed, $"{service.Name}:{operation.Name}: {what}");
    }

    /// <summary>Whether a page has no row, nor anything else that grows from page to page.</summary>
    public static bool IsEmpty(OperationModel operation, JsonElement page) =>
        operation.Pager is { Results.IsEmpty: false } pager ? pager.Results.All(r => IsEmpty(page, r)) : operation.Rows is { } rows && IsEmpty(page, rows);

    private static bool IsEmpty(JsonElement page, string path) => PageTokens.At(page, path) switch
    {
        { ValueKind: JsonValueKind.Array } list => list.GetArrayLength() == 0,
        { ValueKind: JsonValueKind.Object } map => map.GetPropertyCount() == 0,
        var value => value is null,
    };

    /// <summary>Why a page that lacks its list is no honest one; null where the list may be left out because it is empty.</summary>
    /// <remarks>
    /// What the model requires is written, empty or not. Of the rest, services that speak JSON leave out what is empty as they like. The XML
    /// protocols write an element without children; a list without an element of its own (flat) has nothing to write, and CloudFront writes the
    /// number of elements instead. Whether there is more is always said where there is a member for it: without either it is no answer.
    /// </remarks>
    private static string? Absent(ServiceModel service, OperationModel operation, JsonElement page, JsonElement holder, ShapeModel.Structure shape, string step)
    {
        var written = service.Protocol is WireProtocol.Query or WireProtocol.Ec2 or WireProtocol.RestXml && shape.Member(step) is { Flat: false } && Quantity(holder) != 0;
        var isFlat = shape.Member(step) is { Flat: true };
        if (written || shape.Required.Contains(step) && !isFlat)
            return $"the answer has no {step}";
        if (Quantity(holder) is > 0 and var quantity)
            return string.Create(CultureInfo.InvariantCulture, $"the answer has no {step}, and says that there are {quantity}");
        return operation.Pager?.More is { } more && PageTokens.At(page, more) is null ? $"the answer has neither {operation.Rows} nor {more}" : null;
    }

    /// <summary>How many elements the answer says a list has, where it does.</summary>
    private static long? Quantity(JsonElement holder) =>
        holder.TryGetProperty("Quantity", out var quantity) && quantity.ValueKind == JsonValueKind.Number && quantity.TryGetInt64(out var number) ? number : null;

    /// <summary>The rows of a page that is to be right as a whole.</summary>
    /// <exception cref="CollectionException">Anything is wrong with it.</exception>
    public static ImmutableArray<PageRow> Whole(ServiceModel service, OperationModel operation, JsonElement page)
    {
        var (rows, fault) = Read(service, operation, page);
        return fault is null ? rows : throw fault;
    }

    /// <summary>The shape whose elements are the rows, or that is the row.</summary>
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

    /// <summary>The structure that a list's elements are; null where they are single values, lists or maps.</summary>
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
