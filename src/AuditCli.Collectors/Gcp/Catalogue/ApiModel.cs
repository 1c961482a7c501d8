using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Gcp.Catalogue;

/// <summary>Where in a request a parameter stands.</summary>
internal enum ParameterPlace
{
    Path,
    Query,
    Body,
}

/// <summary>A parameter of an operation.</summary>
/// <param name="Fill">What the collector gives where the control gives nothing, as JSON text; null for nothing.</param>
internal sealed record ParameterModel(string Name, ColumnType Type, ParameterPlace Place, bool Required, string? Fill);

/// <summary>One read-only call.</summary>
/// <param name="Path">Template below the API's base, with <c>{+name}</c> where a name has several segments.</param>
/// <param name="Segments">What may really stand in the path, <c>{}</c> for one segment each; the guard compares with it.</param>
/// <param name="Rows">The member whose elements are the rows; null when the whole answer is one row.</param>
/// <param name="Inner">Where <paramref name="Rows"/> is a map of lists: the member of each of its values that has the rows.</param>
/// <param name="Token">Where the page token goes; null for an operation without pages.</param>
/// <param name="Partial">Members of the answer that say that some of it is missing.</param>
/// <param name="Whole">Members of the answer that are true when nothing is missing, <c>a.b</c> for one inside another.</param>
/// <param name="Reads">For what is no GET with a read verb: why it only reads.</param>
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
    /// <summary>The column of the map's key where the rows come from a map of lists.</summary>
    public const string KeyColumn = "_key";

    /// <summary>Members that an answer with rows has beside them, those of pages and of missing parts apart.</summary>
    public ImmutableArray<string> Beside { get; init; } = [];

    /// <summary>What the answer calls itself; null where the API does not say.</summary>
    public string? Kind { get; init; }

    /// <summary>The names of the columns, with the case that counts.</summary>
    public FrozenSet<string> ColumnNames => field ??= Columns.Select(c => c.Name).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The same by what they are in any case.</summary>
    public FrozenDictionary<string, string> ColumnsInAnyCase => field ??= Columns.ToFrozenDictionary(c => c.Name, c => c.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The parameter of that name, or null.</summary>
    public ParameterModel? Parameter(string name) => Parameters.FirstOrDefault(p => p.Name == name);
}

/// <summary>One API's read-only operations. Immutable to its users: an operation is read from the file when it is first asked for.</summary>
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

    /// <summary>The name control authors write, such as <c>iam</c>, or <c>cloudresourcemanager.v1</c> for the older of two versions.</summary>
    public string Name { get; }

    /// <summary>Google's own host.</summary>
    public Uri Host { get; }

    /// <summary>What stands before every path, such as <c>compute/v1/</c>; empty for most.</summary>
    public string BasePath { get; }

    /// <summary>The end of the Google Cloud CLI's variable that names another endpoint.</summary>
    public string Override { get; }

    /// <summary>Operations that look like reads and are left out, and why.</summary>
    public FrozenDictionary<string, string> Refused { get; }

    /// <summary>Every operation that may be called, in order.</summary>
    public ImmutableArray<string> OperationNames { get; }

    /// <summary>Reads a catalogue file; the bytes must not change afterwards.</summary>
    public static ApiModel Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return new(document.RootElement.Clone());
    }

    /// <summary>The operation, or null when the catalogue has none of that name.</summary>
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

    /// <summary>The template with every <c>{name}</c> as <c>{}</c>; what stands behind it in the same segment stays.</summary>
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

    private static ImmutableArray<string> Texts(JsonElement e, string name) => e.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(t => t.GetString()!)] : [];

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetString() : null;
}
