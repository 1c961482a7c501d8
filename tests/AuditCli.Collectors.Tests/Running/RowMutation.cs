using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>A change to one member of a row, at any depth.</summary>
/// <param name="Path">The path from the row to the member: names, and indexes of list elements.</param>
/// <param name="Said">The new value of the row's top-level member; null if it was removed.</param>
/// <param name="Row">The whole changed row.</param>
internal sealed record RowMutation(Change Change, ImmutableArray<string> Path, JsonElement? Said, string Row)
{
    /// <summary>Values of every kind, and some that a lenient parser takes for a number or a boolean.</summary>
    private static readonly string[] Values =
        [
            "\"text\"", "7", "-1", "1.5", "true", "false", "{}", "[]", "null", "\"\"", "0", "[{}]", "[\"a\"]", "{\"a\":{}}", "\"7\"",
            "\"true\"", "\"false\"", "\"null\"", "\"2026-01-01\"",
        ];

    /// <summary>The top-level member of the row that contains the change.</summary>
    public string Member => Path[0];

    /// <summary>Whether the changed member is below the top level of the row.</summary>
    public bool IsDeep => Path.Length > 1;

    public override string ToString() => $"{Change} {string.Join('.', Path)}: {Row}";

    /// <summary>Returns a random change.</summary>
    public static RowMutation Of(Random lot, string row)
    {
        var root = JsonElement.Parse(row);
        var path = lot.GetItems([.. Paths(root)], 1)[0];
        var change = lot.GetItems([Change.Rename, Change.Case, Change.Duplicate, Change.Drop, Change.Retype, Change.Retype], 1)[0];
        var changed = new StringBuilder();
        Write(changed, root, path.AsSpan(), (name, value) => change switch
        {
            Change.Rename => Written(name + "X", value),
            Change.Case => Written(Mutation.InAnotherCase(lot, name), value),
            Change.Duplicate =>
                lot.Next(2) == 0
                    ? $"{Written(name, value)},{Written(name, Other(lot, value))}"
                    : $"{Written(name, Other(lot, value))},{Written(name, value)}",
            Change.Drop => "",
            _ => Written(name, Other(lot, value)),
        });
        var text = changed.ToString();
        var said = change == Change.Duplicate ? default : JsonElement.Parse(text);
        return new(change, path, said.ValueKind == JsonValueKind.Object && said.TryGetProperty(path[0], out var member) ? member : null, text);
    }

    private static string Written(string name, string value) => $"{JsonSerializer.Serialize(name)}:{value}";

    private static string Other(Random lot, string value) => lot.GetItems([.. Values.Where(v => v != value)], 1)[0];

    private static IEnumerable<ImmutableArray<string>> Paths(JsonElement at) => at.ValueKind switch
    {
        JsonValueKind.Object => at.EnumerateObject().SelectMany(m => Paths(m.Value).Select(p => p.Insert(0, m.Name)).Prepend([m.Name])),
        JsonValueKind.Array => at.EnumerateArray().SelectMany((e, i) => Paths(e).Select(p => p.Insert(0, i.ToString(CultureInfo.InvariantCulture)))),
        _ => [],
    };

    private static void Write(StringBuilder text, JsonElement at, ReadOnlySpan<string> path, Func<string, string, string> change)
    {
        var isObject = at.ValueKind == JsonValueKind.Object;
        text.Append(isObject ? '{' : '[');
        var parts = isObject
            ? at.EnumerateObject().Select(m => (m.Name, m.Value)).ToArray()
            : [.. at.EnumerateArray().Select((e, i) => (i.ToString(CultureInfo.InvariantCulture), e))];
        var any = false;
        foreach (var (name, value) in parts)
        {
            var part = new StringBuilder();
            if (name == path[0] && path.Length == 1)
                part.Append(change(name, Raw(value)));
            else
            {
                if (isObject)
                    part.Append(JsonSerializer.Serialize(name)).Append(':');
                if (name == path[0])
                    Write(part, value, path[1..], change);
                else
                    part.Append(Raw(value));
            }
            if (part.Length == 0)
                continue;
            text.Append(any ? "," : "").Append(part);
            any = true;
        }
        text.Append(isObject ? '}' : ']');
    }

    private static string Raw(JsonElement value) => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value));
}
