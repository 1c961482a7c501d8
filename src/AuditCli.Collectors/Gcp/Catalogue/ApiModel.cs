using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Gcp.Catalogue;

/// <summary>The place of a parameter in a request.</summary>
internal enum ParameterPlace
{
    Path,
    Query,
    Body,
}

/// <summary>A parameter of an operation.</summary>
/// <param name="Fill">The value that the collector supplies if the control gives none, as JSON text; null for none.</param>
internal sealed record ParameterModel(string Name, ColumnType Type, ParameterPlace Place, bool Required, string? Fill);

/// <summary>One read-only operation.</summary>
/// <param name="Path">The path template below the API's base, with <c>{+name}</c> for a name of several segments.</param>
/// <param name="Segments">
/// The segments that the path may have, with <c>{}</c> for one variable segment each; the guard compares requests with them.
/// </param>
/// <param name="Rows">The member whose elements are the rows; null if the whole response is one row.</param>
/// <param name="Inner">If <paramref name="Rows"/> is a map of lists: the member with the rows in each of its values.</param>
/// <param name="Token">The place of the page token; null for an operation without pages.</param>
/// <param name="Partial">The members of the response that report missing parts.</param>
/// <param name="Whole">The members of the response that are true if nothing is missing, <c>a.b</c> for a nested one.</param>
/// <param name="Reads">For an operation that is not a GET with a read verb: why it only reads.</param>
internal sealed record OperationModel(
    string Name,
    string Method,
    string Path,
    ImmutableArray<string> Segments,
    ImmutableArray<ParameterModel> Parameters,
    string? Rows,
    string? Inner,
    ParameterPlace? Token,
    ImmutableArray<string> Partial,
    ImmutableArray<string> Whole,
    ImmutableArray<Column> Columns,
    string? Reads)
{
    /// <summary>The column of the map's key, if the rows come from a map of lists.</summary>
    public const string KeyColumn = "_key";

    /// <summary>The other members of a response with rows, except those for pages and for missing parts.</summary>
    public ImmutableArray<string> Beside { get; init; } = [];

    /// <summary>The value of the response's <c>kind</c>; null if the API does not define one.</summary>
    public string? Kind { get; init; }

    /// <summary>The names of the columns, case-sensitive.</summary>
    public FrozenSet<string> ColumnNames => field ??= Columns.Select(c => c.Name).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The names of the columns, looked up without regard to case.</summary>
    public FrozenDictionary<string, string> ColumnsInAnyCase =>
        field ??= Columns.ToFrozenDictionary(c => c.Name, c => c.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the parameter of that name; null if there is none.</summary>
    public ParameterModel? Parameter(string name) => Parameters.FirstOrDefault(p => p.Name == name);
}

/// <summary>
/// One API's read-only operations. It is immutable to its users and thread-safe; an operation is parsed at its first use.
/// </summary>
internal sealed class ApiModel
{
    private readonly JsonElement _operations;
    private readonly ConcurrentDictionary<string, OperationModel> _known = new(StringComparer.Ordinal);

    private ApiModel(JsonElement root)
    {
        Name = root.GetProperty("api").GetString()!;
        Host = new(root.GetProperty("host").GetString()!);
        BasePath = root.GetProperty("base_path").GetString()!;
        Override = root.GetProperty("override").GetString()!;
        Refused = root.GetProperty("refused").EnumerateObject().ToFrozenDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);
        _operations = root.GetProperty("operations");
        OperationNames = [.. _operations.EnumerateObject().Select(p => p.Name)];
    }

    /// <summary>The API name in controls, such as <c>iam</c>, or <c>cloudresourcemanager.v1</c> for the older of two versions.</summary>
    public string Name { get; }

    /// <summary>Google's own host.</summary>
    public Uri Host { get; }

    /// <summary>The prefix of every path, such as <c>compute/v1/</c>; empty for most APIs.</summary>
    public string BasePath { get; }

    /// <summary>The suffix of the Google Cloud CLI's variable that overrides the endpoint.</summary>
    public string Override { get; }

    /// <summary>The operations that look like reads and are left out, with the reason.</summary>
    public FrozenDictionary<string, string> Refused { get; }

    /// <summary>Every operation that may be called, in file order.</summary>
    public ImmutableArray<string> OperationNames { get; }

    /// <summary>Reads a catalogue file; the bytes must not change afterwards.</summary>
    public static ApiModel Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return new(document.RootElement.Clone());
    }

    /// <summary>Returns the operation; null if the catalogue has none of that name.</summary>
    public OperationModel? Operation(string name)
    {
        if (_known.TryGetValue(name, out var known))
            return known;
        return _operations.TryGetProperty(name, out var found) ? _known.GetOrAdd(name, Parse(name, found)) : null;
    }

    private static OperationModel Parse(string name, JsonElement e)
    {
        var http = e.GetProperty("http").GetString()!.Split(' ', 2);
        var fills = e.TryGetProperty("fill", out var fill) ? fill.EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetRawText()) : [];
        return new(
            name, http[0], http[1], [.. Segments(Text(e, "path") ?? http[1])],
            [.. e.GetProperty("in").EnumerateObject().Select(p => Parameter(p.Name, p.Value.GetString()!, fills.GetValueOrDefault(p.Name)))],
            Text(e, "rows"), Text(e, "inner"),
            Text(e, "paged") switch { null => null, "query" => ParameterPlace.Query, _ => ParameterPlace.Body },
            Texts(e, "partial"), Texts(e, "whole"),
            [.. e.GetProperty("out").EnumerateObject().Select(c => new Column(c.Name, Enum.Parse<ColumnType>(c.Value.GetString()!, ignoreCase: true)))],
            Text(e, "reads"))
        {
            Beside = Texts(e, "beside"),
            Kind = Text(e, "kind"),
        };
    }

    /// <summary>
    /// Returns the segments of the template with every <c>{name}</c> as <c>{}</c>; text after it in the same segment is kept.
    /// </summary>
    private static IEnumerable<string> Segments(string path) => path.Split('/').Select(s =>
        s.StartsWith('{') ? "{}" + s[(s.IndexOf('}', StringComparison.Ordinal) + 1)..] : s);

    private static ParameterModel Parameter(string name, string line, string? fill)
    {
        var words = line.Split(' ');
        return new(
            name, Enum.Parse<ColumnType>(words[0], ignoreCase: true),
            words.Contains("in=path") ? ParameterPlace.Path : words.Contains("in=query") ? ParameterPlace.Query : ParameterPlace.Body,
            words.Contains("required"), fill);
    }

    private static ImmutableArray<string> Texts(JsonElement e, string name) =>
        e.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(t => t.GetString()!)] : [];

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetString() : null;
}
