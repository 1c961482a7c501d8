using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace AuditCli.Collectors.Tests.Running;

/// <summary>The ways to change a response: one member around its rows, its status, or its end.</summary>
internal enum Change
{
    Rename,
    Case,
    Duplicate,
    Drop,
    Retype,
    Status,
    Cut,
}

/// <summary>A change to one of several pages. The path leads to the changed member; it is empty for a changed status or end.</summary>
internal sealed record Mutation(int Page, Change Change, ImmutableArray<string> Path, string Body, int Status)
{
    private static readonly string[] Values = ["\"text\"", "7", "true", "false", "{}", "[]", "null", "\"\"", "0", "[{}]", "[\"a\"]", "{\"a\":{}}"];

    /// <summary>Successful statuses that no list has.</summary>
    public static readonly int[] Statuses = [201, 202, 203, 204, 205, 206, 207, 226, 299];

    public override string ToString() => $"page {Page}: {Change} {string.Join('.', Path)} (status {Status}): {(Body.Length > 600 ? Body[..600] : Body)}";

    /// <summary>Returns a random change.</summary>
    /// <param name="pages">The valid bodies.</param>
    /// <param name="around">Returns the paths of the members around a page's rows.</param>
    /// <param name="isToken">Whether a path is that of a page token. If renamed, it gets another name that could be a token's.</param>
    public static Mutation Of(
        Random lot, IReadOnlyList<string> pages, Func<JsonElement, IEnumerable<ImmutableArray<string>>> around,
        Func<ImmutableArray<string>, bool> isToken)
    {
        var page = lot.Next(pages.Count);
        var root = JsonElement.Parse(pages[page]);
        var change = lot.GetItems(Enum.GetValues<Change>(), 1)[0];
        var paths = around(root).ToArray();
        if (paths.Length == 0 && change < Change.Status)
            change = Change.Status;
        if (change == Change.Status)
            return new(page, change, [], pages[page], lot.GetItems(Statuses, 1)[0]);
        if (change == Change.Cut)
            return new(page, change, [], pages[page][..lot.Next(pages[page].TrimEnd().Length)], 200);
        var path = lot.GetItems(paths, 1)[0];
        var body = new StringBuilder();
        Write(body, root, path.AsSpan(), (name, value) => change switch
        {
            Change.Rename => Member(Renamed(lot, name, isToken(path)), value),
            Change.Case => Member(InAnotherCase(lot, name), value),
            Change.Duplicate => string.Join(',', lot.Next(3) switch
            {
                0 => [Member(name, value), Member(name, value)],
                1 => [Member(name, value), Member(name, "null")],
                _ => new[] { Member(name, Other(lot, value)), Member(name, value) },
            }),
            Change.Retype => Member(name, Other(lot, value)),
            _ => "",
        });
        return new(page, change, path, body.ToString(), 200);
    }

    private static string Member(string name, string value) => $"{JsonSerializer.Serialize(name)}:{value}";

    private static string Renamed(Random lot, string name, bool isToken)
    {
        string[] near =
        [
            name + "X", "x" + name, name + "_", "_" + name,
            string.Concat(name.Select(c => char.IsUpper(c) ? "_" + char.ToLowerInvariant(c) : c.ToString())),
        ];
        string[] far = ["data", "result", "zzz", "message", "error", "value", "entries"];
        var drawn = lot.GetItems(isToken ? near : [.. near, .. far], 1)[0];
        return drawn == name ? name + "X" : drawn;
    }

    /// <summary>Returns the name in another case, or another name if it has no letters.</summary>
    public static string InAnotherCase(Random lot, string name)
    {
        string[] ways =
        [
            name.ToUpperInvariant(), name.ToLowerInvariant(), char.ToUpperInvariant(name[0]) + name[1..],
            char.ToLowerInvariant(name[0]) + name[1..],
        ];
        var others = ways.Where(w => w != name).ToArray();
        return others.Length == 0 ? name + "X" : lot.GetItems(others, 1)[0];
    }

    private static string Other(Random lot, string value)
    {
        var kind = JsonElement.Parse(value).ValueKind;
        return lot.GetItems([.. Values.Where(v => JsonElement.Parse(v).ValueKind != kind)], 1)[0];
    }

    /// <summary>Writes an object with the member at the path changed.</summary>
    private static void Write(StringBuilder body, JsonElement holder, ReadOnlySpan<string> path, Func<string, string, string> change)
    {
        body.Append('{');
        var any = false;
        foreach (var member in holder.EnumerateObject())
        {
            string text;
            if (member.Name != path[0])
                text = Member(member.Name, Raw(member.Value));
            else if (path.Length == 1)
                text = change(member.Name, Raw(member.Value));
            else
            {
                var inner = new StringBuilder();
                Write(inner, member.Value, path[1..], change);
                text = Member(member.Name, inner.ToString());
            }
            if (text.Length == 0)
                continue;
            if (any)
                body.Append(',');
            any = true;
            body.Append(text);
        }
        body.Append('}');
    }

    private static string Raw(JsonElement value) => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value));
}
