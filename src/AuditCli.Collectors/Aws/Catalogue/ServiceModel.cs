using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws.Catalogue;

/// <summary>The wire protocol of a service's requests and responses.</summary>
internal enum WireProtocol
{
    Query,
    Ec2,
    Json,
    RestJson,
    RestXml,
}

/// <summary>An operation as defined in the catalogue.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="UriTemplate">The path and fixed query, such as <c>/{Bucket}?acl</c>.</param>
/// <param name="Input">The input shape's name; null if the operation has no parameters.</param>
/// <param name="Output">The output shape's name; null if the response is empty.</param>
/// <param name="Wrapper">The element around the content of a query response.</param>
/// <param name="Rows">The dotted path of the list whose elements are rows; if null, the whole response is one row.</param>
/// <param name="HostPrefix">The prefix of the host, such as <c>{AccountId}.</c>.</param>
/// <param name="Root">The root element of an XML request; null if its body has none.</param>
/// <param name="Namespace">The namespace of that element.</param>
/// <param name="NotConfigured">The codes that mean that the requested configuration does not exist.</param>
internal sealed record OperationModel(
    string Name,
    string Method,
    string UriTemplate,
    string? Input,
    string? Output,
    string? Wrapper,
    string? Rows,
    Pager? Pager,
    string? HostPrefix,
    bool Unsigned,
    OperationScope Scope,
    string? SideEffect,
    string? Root,
    string? Namespace,
    ImmutableArray<string> NotConfigured)
{
    /// <summary>The success status in the model, if it is not 200; a status of 200 is accepted as well.</summary>
    public int Status { get; init; } = 200;
}

/// <summary>The paging of an operation: the request members for the page tokens, and their paths in the response.</summary>
/// <param name="Inputs">Empty if the response has a token but the request cannot pass it back; further pages cannot be read then.</param>
/// <param name="More">The path of the flag for more pages; null if only the tokens tell.</param>
/// <param name="Results">The paths of the lists that continue from page to page; empty if botocore has no paginator.</param>
/// <param name="Kept">The paths of the members that are the same on every page.</param>
/// <param name="Limit">The member that sets the page size; null if there is none.</param>
internal sealed record Pager(
    ImmutableArray<string> Inputs, ImmutableArray<string> Outputs, string? More, string? Limit, ImmutableArray<string> Results, ImmutableArray<string> Kept);

/// <summary>An endpoint: a URL with <c>{region}</c>, and the region to sign for if it is another one.</summary>
internal readonly record struct EndpointRule(string Url, string? SigningRegion);

/// <summary>
/// One service's read-only operations, their shapes and endpoints. It is immutable to its users and thread-safe; operations and shapes are
/// parsed at their first use.
/// </summary>
internal sealed class ServiceModel
{
    private readonly CatalogueLines _operations;
    private readonly CatalogueLines _shapes;
    private readonly ConcurrentDictionary<string, OperationModel> _knownOperations = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ShapeModel> _knownShapes = new(StringComparer.Ordinal);
    private readonly JsonElement _endpoints;
    private readonly JsonElement _refused;
    private readonly Lazy<PartitionRules> _partitions;

    private ServiceModel(JsonElement root, CatalogueLines operations, CatalogueLines shapes, Lazy<PartitionRules> partitions)
    {
        (_operations, _shapes, _partitions) = (operations, shapes, partitions);
        Name = root.GetProperty("service").GetString()!;
        Id = root.GetProperty("id").GetString()!;
        Version = root.GetProperty("version").GetString()!;
        EndpointPrefix = root.GetProperty("endpoint_prefix").GetString()!;
        SigningName = root.GetProperty("signing_name").GetString()!;
        TargetPrefix = Text(root, "target_prefix");
        JsonVersion = Text(root, "json_version") ?? "1.0";
        Protocol = root.GetProperty("protocol").GetString() switch
        {
            "query" => WireProtocol.Query,
            "ec2" => WireProtocol.Ec2,
            "json" => WireProtocol.Json,
            "rest-json" => WireProtocol.RestJson,
            "rest-xml" => WireProtocol.RestXml,
            var other => throw new InvalidDataException($"{Name}: the protocol {other} is not spoken"),
        };
        Scope = ScopeOf(root) ?? OperationScope.Regional;
        _refused = root.GetProperty("refused");
        _endpoints = root.GetProperty("endpoints");
    }

    /// <summary>The service name in controls, which is that of the AWS CLI.</summary>
    public string Name { get; }
    public string Id { get; }
    public string Version { get; }
    public string EndpointPrefix { get; }
    public string SigningName { get; }
    public string? TargetPrefix { get; }
    public string JsonVersion { get; }
    public WireProtocol Protocol { get; }
    public OperationScope Scope { get; }

    /// <summary>The operations with a read verb that are left out, with the reason.</summary>
    public IReadOnlyDictionary<string, string> Refused =>
        field ??= _refused.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);

    /// <summary>Every operation that may be called, in file order.</summary>
    public ImmutableArray<string> OperationNames => field.IsDefault ? field = [.. _operations.Names] : field;

    /// <summary>
    /// Reads a catalogue file, which ends with one line for each operation and shape; the bytes must not change afterwards.
    /// </summary>
    /// <exception cref="InvalidDataException">The file does not have these lines, or names an unsupported protocol.</exception>
    public static ServiceModel Read(ReadOnlyMemory<byte> json, Lazy<PartitionRules> partitions)
    {
        var operations = json.Span.IndexOf(OperationsBegin);
        var shapes = json.Span.IndexOf(ShapesBegin);
        if (operations < 0 || shapes < operations || !json.Span.TrimEnd("\n"u8).EndsWith("}}"u8))
            throw new InvalidDataException("the catalogue's file has no operations and shapes at its end");
        var lines = json[..(json.Span.LastIndexOf("}}"u8))];
        byte[] head = [.. json.Span[..operations], (byte)'}'];
        return new(
            JsonDocument.Parse(head).RootElement,
            new(json[(operations + OperationsBegin.Length)..shapes]),
            new(lines[(shapes + ShapesBegin.Length)..]),
            partitions);
    }

    /// <summary>Returns the operation; null if the catalogue has none of that name.</summary>
    public OperationModel? Operation(string name)
    {
        if (_knownOperations.TryGetValue(name, out var known))
            return known;
        return _operations.Find(name) is { } found ? _knownOperations.GetOrAdd(name, Parse(name, found)) : null;
    }

    /// <summary>Returns the shape of that name. A catalogue file contains every shape that it refers to.</summary>
    public ShapeModel Shape(string name) =>
        _knownShapes.TryGetValue(name, out var known)
            ? known
            : _knownShapes.GetOrAdd(
                name, ShapeModel.Read(_shapes.Find(name) ?? throw new InvalidDataException($"{Name}: the catalogue has no shape {name}")));

    /// <summary>Every shape of the file.</summary>
    public IEnumerable<ShapeModel> Shapes => _shapes.Names.Select(Shape);

    /// <summary>Returns the endpoint for a region; null if the partition has none of that kind.</summary>
    public EndpointRule? Endpoint(string partition, string region, bool fips, bool dualStack)
    {
        var key = partition + (fips ? " fips" : "") + (dualStack ? " dualstack" : "");
        if (!_endpoints.TryGetProperty(key, out var entry))
            return _partitions.Value.Usual(EndpointPrefix, partition, region, fips, dualStack) is { } url ? new(url, null) : null;
        if (entry.ValueKind == JsonValueKind.Null)
            return null;
        if (entry.GetArrayLength() == 3 && entry[2].TryGetProperty(region, out var own))
            entry = own;
        var signing = entry[1].GetString()!;
        return new(entry[0].GetString()!.Replace("{region}", region, StringComparison.Ordinal), signing.Length == 0 ? null : signing);
    }

    private OperationModel Parse(string name, JsonElement e)
    {
        var http = e.GetProperty("http").GetString()!;
        var space = http.IndexOf(' ', StringComparison.Ordinal);
        return new(
            name, http[..space], http[(space + 1)..], Text(e, "in"), Text(e, "out"), Text(e, "wrapper"), Text(e, "rows"),
            e.TryGetProperty("pager", out var p)
                ? new(Texts(p, "in"), Texts(p, "out"), Text(p, "more"), Text(p, "limit"), Texts(p, "results"), Texts(p, "kept"))
                : null,
            Text(e, "host_prefix"), e.TryGetProperty("unsigned", out _), ScopeOf(e) ?? Scope, Text(e, "side_effect"), Text(e, "root"),
            Text(e, "namespace"), Texts(e, "none"))
        {
            Status = e.TryGetProperty("status", out var status) ? status.GetInt32() : 200,
        };
    }

    private static OperationScope? ScopeOf(JsonElement e) => Text(e, "scope") switch
    {
        null => null,
        "global" => OperationScope.Global,
        _ => OperationScope.Regional,
    };

    private static ReadOnlySpan<byte> OperationsBegin => ",\n\"operations\":{"u8;

    private static ReadOnlySpan<byte> ShapesBegin => "},\n\"shapes\":{"u8;

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static ImmutableArray<string> Texts(JsonElement e, string name) => e.TryGetProperty(name, out var list) ? ShapeModel.Texts(list) : [];
}
