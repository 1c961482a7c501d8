using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Collectors.Aws.Catalogue;
using AuditCli.Collectors.Aws.Protocols;

namespace AuditCli.Collectors.Aws;

/// <summary>Finds out how to ask for the next page, and that an answer does not lead in a circle.</summary>
internal sealed class PageTokens(string operation, Pager pager)
{
    /// <summary>The code of an answer whose token was given before.</summary>
    public const string Repeated = "RepeatedToken";

    /// <summary>The code of an answer that goes on where nobody can read it.</summary>
    public const string Unreadable = "NextPageUnreadable";

    /// <summary>Halves of digests: tokens are long, and pages are many.</summary>
    private readonly HashSet<UInt128> _given = [];

    /// <summary>The parameters for the next page; null when this was the last.</summary>
    /// <exception cref="CollectionException">The token was given before, or there is more and no token.</exception>
    public JsonObject? Next(JsonObject parameters, JsonElement page)
    {
        var more = pager.More is { } flag ? At(page, flag) : null;
        // Without the flag a token alone says that there is more; one that is made from the last row says nothing.
        if (more?.ValueKind == JsonValueKind.False || more is null && pager.More is not null && pager.Outputs.Any(o => o.Contains("[-1]", StringComparison.Ordinal)))
            return null;
        if (pager.Inputs.IsEmpty)
            return pager.Outputs.All(o => At(page, o) is null) ? null : throw new CollectionException(Unreadable, $"{operation}: there are more pages, and the operation takes no token to ask for them");
        var next = (JsonObject)parameters.DeepClone();
        var given = new List<string>();
        for (var i = 0; i < pager.Inputs.Length; i++)
        {
            next.Remove(pager.Inputs[i]);
            if (At(page, pager.Outputs[i]) is { } token && Text(token) is { Length: > 0 } text)
            {
                given.Add($"{pager.Inputs[i]}={text}");
                next[pager.Inputs[i]] = JsonNode.Parse(token.GetRawText());
            }
        }
        if (given.Count == 0)
            return more is null ? null : throw new CollectionException(TypedJson.Malformed, $"{operation}: there are more pages, and the answer does not say how to read them");
        if (!_given.Add(BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', given))))))
            throw new CollectionException(Repeated, $"{operation}: the answer gives a page token that it gave before; reading on would never end");
        return next;
    }

    private string Text(JsonElement token)
    {
        try
        {
            return token.ToString();
        }
        catch (InvalidOperationException e)
        {
            throw new CollectionException(Unreadable, $"{operation}: the page token is not well-formed Unicode", e);
        }
    }

    /// <summary>The value at a path such as <c>A.B</c> or <c>A[-1].B</c>; of alternatives (<c>||</c>) the first that is there.</summary>
    public static JsonElement? At(JsonElement page, string path)
    {
        foreach (var alternative in path.Split("||", StringSplitOptions.TrimEntries))
        {
            JsonElement? at = page;
            foreach (var step in alternative.Split('.'))
            {
                var last = step.EndsWith("[-1]", StringComparison.Ordinal);
                at = at is { ValueKind: JsonValueKind.Object } holder && holder.TryGetProperty(last ? step[..^4] : step, out var found) ? found : null;
                if (last)
                    at = at is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? list[list.GetArrayLength() - 1] : null;
            }
            if (at is { ValueKind: not JsonValueKind.Null })
                return at;
        }
        return null;
    }
}
