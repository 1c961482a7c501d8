using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Rest;

/// <summary>
/// One API's read-only operations, as a file of a catalogue lists them: every HTTP API that AuditCli reads is data of this form. It is
/// immutable to its users and thread-safe; an operation is parsed at its first use.
/// </summary>
internal sealed class RestApi
{
    private readonly JsonElement _root;
    private readonly JsonElement _operations;
    private readonly ConcurrentDictionary<string, RestOperation> _known = new(StringComparer.Ordinal);

    private RestApi(JsonElement root)
    {
        _root = root;
        Name = root.GetProperty("api").GetString()!;
        BasePath = root.GetProperty("base_path").GetString()!;
        Refused = root.GetProperty("refused").EnumerateObject().ToFrozenDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);
        _operations = root.GetProperty("operations");
        OperationNames = [.. _operations.EnumerateObject().Select(p => p.Name)];
    }

    /// <summary>The API name in controls, such as <c>iam</c>, or <c>cloudresourcemanager.v1</c> for the older of two versions.</summary>
    public string Name { get; }

    /// <summary>The prefix of every path, such as <c>compute/v1/</c>; empty for most APIs.</summary>
    public string BasePath { get; }

    /// <summary>The operations that look like reads and are left out, with the reason.</summary>
    public FrozenDictionary<string, string> Refused { get; }

    /// <summary>Every operation that may be called, in file order.</summary>
    public ImmutableArray<string> OperationNames { get; }

    /// <summary>Reads a catalogue file; the bytes must not change afterwards.</summary>
    public static RestApi Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        return new(document.RootElement.Clone());
    }

    /// <summary>Returns a text that the file states for the whole API, such as its <c>host</c>; null if it does not.</summary>
    public string? Text(string name) => Text(_root, name);

    /// <summary>Returns a list of texts that the file states for the whole API; empty if it does not.</summary>
    public ImmutableArray<string> Texts(string name) => Texts(_root, name);

    /// <summary>Returns the members of an object of texts that the file states for the whole API; empty if it does not.</summary>
    public ImmutableSortedDictionary<string, string> Map(string name) => Map(_root, name);

    /// <summary>Returns the operation; null if the catalogue has none of that name.</summary>
    public RestOperation? Operation(string name)
    {
        if (_known.TryGetValue(name, out var known))
            return known;
        return _operations.TryGetProperty(name, out var found) ? _known.GetOrAdd(name, Parse(name, found)) : null;
    }

    /// <summary>Whether rows of any operation are of that kind.</summary>
    public bool HasRowKind(string kind) => OperationNames.Any(n => Operation(n)!.RowKind == kind);

    /// <summary>
    /// Returns two operations to which the same request could belong; null if there are none. The guard of a product relies on this: a
    /// request that fits a read must not be another operation as well.
    /// </summary>
    public (string One, string Other)? Overlap()
    {
        var all = OperationNames.Select(n => Operation(n)!).ToArray();
        for (var i = 0; i < all.Length; i++)
        {
            for (var k = 0; k < i; k++)
            {
                if (all[i].Method == all[k].Method && Overlap(all[i].Segments, all[k].Segments))
                    return (all[k].Name, all[i].Name);
            }
        }
        return null;
    }

    private static bool Overlap(ImmutableArray<string> one, ImmutableArray<string> other) => one.Length == other.Length && one.Zip(other).All(s =>
        s.First == s.Second || RestGuard.Fits(s.First, s.Second) || RestGuard.Fits(s.Second, s.First)
        || RestGuard.IsVariable(s.First) && RestGuard.IsVariable(s.Second));

    private static RestOperation Parse(string name, JsonElement e)
    {
        var http = e.GetProperty("http").GetString()!.Split(' ', 2);
        var fills = e.TryGetProperty("fill", out var fill) ? fill.EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetRawText()) : [];
        var endings = Map(e, "ending");
        ImmutableArray<RestParameter> parameters =
        [
            .. e.GetProperty("in").EnumerateObject().Select(p =>
                Parameter(p.Name, p.Value.GetString()!, fills.GetValueOrDefault(p.Name)) with { Ending = endings.GetValueOrDefault(p.Name) }),
        ];
        return new(
            name, http[0], http[1], [.. Segments(Text(e, "path") ?? http[1], parameters)], parameters,
            Text(e, "rows"), Text(e, "inner"), PagerOf(e),
            Texts(e, "partial"), Texts(e, "whole"),
            [.. e.GetProperty("out").EnumerateObject().Select(c => new Column(c.Name, Enum.Parse<ColumnType>(c.Value.GetString()!, ignoreCase: true)))],
            Text(e, "reads"))
        {
            Host = Text(e, "host"),
            Beside = Texts(e, "beside"),
            Kind = Text(e, "kind"),
            RowKind = Text(e, "row_kind"),
            Flatten = Text(e, "flatten"),
            Cap = e.TryGetProperty("cap", out var cap) ? cap.GetInt32() : null,
            Permission = Text(e, "permission"),
            Row = Text(e, "row"),
            None = Texts(e, "none"),
        };
    }

    private static Pager? PagerOf(JsonElement e)
    {
        if (Text(e, "paged") is { } place)
            return new(PagerKind.Token, "/nextPageToken", "pageToken", place == "query" ? ParameterPlace.Query : ParameterPlace.Body);
        return !e.TryGetProperty("pages", out var pages) ? null
            : new(
                Enum.Parse<PagerKind>(pages.GetProperty("by").GetString()!, ignoreCase: true),
                Text(pages, "from") ?? "", Text(pages, "to") ?? "", ParameterPlace.Query)
            {
                Last = Text(pages, "last"),
                Total = Text(pages, "total"),
                Size = Text(pages, "size"),
                Count = Text(pages, "count"),
                Own = Texts(pages, "own"),
            };
    }

    /// <summary>
    /// Returns the segments of the template with every <c>{name}</c> as <c>{}</c>, or as <c>{#}</c> for a whole number; text after it in the
    /// same segment is kept.
    /// </summary>
    private static IEnumerable<string> Segments(string path, ImmutableArray<RestParameter> parameters) => path.Split('/').Select(s =>
    {
        if (!s.StartsWith('{'))
            return s;
        var end = s.IndexOf('}', StringComparison.Ordinal);
        var number = parameters.Any(p => p.Name == s[1..end] && p.Type == ColumnType.Integer);
        return (number ? "{#}" : "{}") + s[(end + 1)..];
    });

    private static RestParameter Parameter(string name, string line, string? fill)
    {
        var words = line.Split(' ');
        return new(
            name, Enum.Parse<ColumnType>(words[0], ignoreCase: true),
            words.Contains("in=path") ? ParameterPlace.Path
                : words.Contains("in=query") ? ParameterPlace.Query
                : words.Contains("in=host") ? ParameterPlace.Host
                : ParameterPlace.Body,
            words.Contains("required"), fill);
    }

    private static ImmutableSortedDictionary<string, string> Map(JsonElement e, string name) => e.TryGetProperty(name, out var map)
        ? map.EnumerateObject().ToImmutableSortedDictionary(m => m.Name, m => m.Value.GetString()!, StringComparer.Ordinal)
        : ImmutableSortedDictionary<string, string>.Empty;

    private static ImmutableArray<string> Texts(JsonElement e, string name) =>
        e.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(t => t.GetString()!)] : [];

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out var value) ? value.GetString() : null;
}
