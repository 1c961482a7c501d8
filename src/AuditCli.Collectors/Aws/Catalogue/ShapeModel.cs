using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Collectors.Aws.Catalogue;

/// <summary>
/// The type of a member. Every kind except <see cref="Shape"/> is a single value; a document is JSON without a fixed shape.
/// </summary>
internal enum MemberKind
{
    Shape,
    String,
    Integer,
    Long,
    Double,
    Boolean,
    Timestamp,
    Blob,
    Document,
}

/// <summary>The place of a member in an HTTP message.</summary>
internal enum MemberLocation
{
    Body,
    Uri,
    Query,
    Header,
    Headers,
    Status,
}

/// <summary>A member of a structure, or the element of a list or map.</summary>
/// <param name="Shape">The shape's name if <paramref name="Kind"/> is <see cref="MemberKind.Shape"/>, else empty.</param>
/// <param name="WireName">The name on the wire, if it differs from the member's own.</param>
/// <param name="TimeFormat"><c>iso8601</c>, <c>unixTimestamp</c> or <c>rfc822</c> if the model specifies it.</param>
/// <param name="Policy">Whether it is an IAM policy document: JSON, percent-encoded as text.</param>
/// <param name="Sensitive">Whether the provider marks it as sensitive, which includes names of people and accounts.</param>
/// <param name="Secret">Whether it is a secret within configuration; it is replaced before anything is written.</param>
/// <param name="Namespace">The XML namespace of the element in a request, and the prefix under which an attribute requires it.</param>
internal sealed record MemberReference(
    string Name,
    MemberKind Kind,
    string Shape,
    MemberLocation Location,
    string? WireName,
    string? QueryName,
    string? TimeFormat,
    bool Flat,
    bool Attribute,
    bool HostLabel,
    bool Sensitive,
    bool Secret,
    bool Policy,
    string? Namespace,
    string? NamespacePrefix)
{
    /// <summary>The name on the wire; for a map of headers the prefix, which is empty if the model does not name one.</summary>
    public string Wire => WireName ?? (Location == MemberLocation.Headers ? "" : Name);

    /// <summary>
    /// Whether a response has the member in its body. AWS's protocols define that members which a request puts in its path or query are in
    /// the body of a response of the same shape.
    /// </summary>
    public bool InAnswerBody => Location is MemberLocation.Body or MemberLocation.Uri or MemberLocation.Query;

    /// <summary>The column type of this member.</summary>
    public ColumnType Column => Kind switch
    {
        MemberKind.Integer or MemberKind.Long => ColumnType.Integer,
        MemberKind.Double => ColumnType.Double,
        MemberKind.Boolean => ColumnType.Boolean,
        MemberKind.Timestamp => ColumnType.Timestamp,
        MemberKind.Shape or MemberKind.Document => ColumnType.Json,
        _ => Policy ? ColumnType.Json : ColumnType.Text,
    };

    /// <summary>Reads the catalogue's one-line form, such as <c>string in=query name=prefix</c>.</summary>
    /// <exception cref="InvalidDataException">A word is unknown.</exception>
    public static MemberReference Read(string name, string line)
    {
        var words = line.Split(' ');
        var shape = words[0].StartsWith('@') ? words[0][1..] : "";
        var read = new MemberReference(name, shape.Length > 0 ? MemberKind.Shape : KindOf(words[0]), shape,
            MemberLocation.Body, null, null, null, false, false, false, false, false, false, null, null);
        foreach (var word in words.AsSpan(1))
        {
            var at = word.IndexOf('=', StringComparison.Ordinal);
            var value = word[(at + 1)..];
            read = (at < 0 ? word : word[..at]) switch
            {
                "in" => read with { Location = LocationOf(value) },
                "name" => read with { WireName = value },
                "query_name" => read with { QueryName = value },
                "time" => read with { TimeFormat = value },
                "flat" => read with { Flat = true },
                "attribute" => read with { Attribute = true },
                "host_label" => read with { HostLabel = true },
                "sensitive" => read with { Sensitive = true },
                "secret" => read with { Secret = true },
                "policy" => read with { Policy = true },
                "namespace" => read with { Namespace = value },
                "prefix" => read with { NamespacePrefix = value },
                _ => throw new InvalidDataException($"{name}: the catalogue's word \"{word}\" is unknown"),
            };
        }
        return read;
    }

    private static MemberKind KindOf(string word) => word switch
    {
        "string" => MemberKind.String,
        "integer" => MemberKind.Integer,
        "long" => MemberKind.Long,
        "double" => MemberKind.Double,
        "boolean" => MemberKind.Boolean,
        "timestamp" => MemberKind.Timestamp,
        "blob" => MemberKind.Blob,
        "document" => MemberKind.Document,
        _ => throw new InvalidDataException($"the catalogue's type \"{word}\" is unknown"),
    };

    private static MemberLocation LocationOf(string word) => word switch
    {
        "uri" => MemberLocation.Uri,
        "query" => MemberLocation.Query,
        "header" => MemberLocation.Header,
        "headers" => MemberLocation.Headers,
        "status" => MemberLocation.Status,
        _ => throw new InvalidDataException($"the catalogue's place \"{word}\" is unknown"),
    };
}

/// <summary>A structure, a list or a map; exactly one of the three.</summary>
internal abstract record ShapeModel
{
    private ShapeModel()
    {
    }

    /// <param name="Payload">The member that is the whole body; null if the body holds the members.</param>
    public sealed record Structure(ImmutableArray<MemberReference> Members, ImmutableArray<string> Required, string? Payload) : ShapeModel
    {
        /// <summary>Returns the member of that name; null if there is none.</summary>
        public MemberReference? Member(string name)
        {
            foreach (var member in Members)
            {
                if (member.Name == name)
                    return member;
            }
            return null;
        }
    }

    public sealed record List(MemberReference Element) : ShapeModel;

    public sealed record Map(MemberReference Key, MemberReference Value) : ShapeModel;

    /// <summary>Reads one entry of a catalogue file's <c>shapes</c>.</summary>
    public static ShapeModel Read(JsonElement e)
    {
        if (e.TryGetProperty("list", out var element))
            return new List(MemberReference.Read("member", element.GetString()!));
        if (e.TryGetProperty("map", out var pair))
            return new Map(MemberReference.Read("key", pair[0].GetString()!), MemberReference.Read("value", pair[1].GetString()!));
        // Loops instead of LINQ: the first query over a JSON type costs the process more time than parsing the whole entry.
        var members = ImmutableArray.CreateBuilder<MemberReference>();
        foreach (var member in e.GetProperty("members").EnumerateObject())
            members.Add(MemberReference.Read(member.Name, member.Value.GetString()!));
        return new Structure(
            members.ToImmutable(), e.TryGetProperty("required", out var required) ? Texts(required) : [],
            e.TryGetProperty("payload", out var payload) ? payload.GetString() : null);
    }

    /// <summary>Reads a list of texts.</summary>
    public static ImmutableArray<string> Texts(JsonElement list)
    {
        var texts = ImmutableArray.CreateBuilder<string>(list.GetArrayLength());
        foreach (var text in list.EnumerateArray())
            texts.Add(text.GetString()!);
        return texts.MoveToImmutable();
    }
}
