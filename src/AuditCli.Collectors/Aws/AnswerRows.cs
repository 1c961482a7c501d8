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
        foreach (var step in Steps(operation))
        {
            // A provider leaves an empty list out. Whether there is more is always said where there is a member for it: without either it is no answer.
            if (at.ValueKind != JsonValueKind.Object)
                throw Malformed($"what should hold {step} is a JSON {at.ValueKind}, not an object");
            if (!at.TryGetProperty(step, out at) || at.ValueKind == JsonValueKind.Null)
                return operation.Pager?.More is { } more && PageTokens.At(page, more) is null ? throw Malformed($"the answer has neither {operation.Rows} nor {more}") : ([], null);
        }
        if (at.ValueKind != JsonValueKind.Array)
            throw Malformed($"{operation.Rows} is not a list");
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
