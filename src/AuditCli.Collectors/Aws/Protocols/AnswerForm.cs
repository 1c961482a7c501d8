using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>
/// Refuses what came as an answer and is none. Services add members at any time, so that an unknown one means nothing by itself. It does where
/// its name is a known one in another case; where no member is known, as in the words of something in between; where the list is
/// missing and rows could stand in it; and where it speaks of further pages.
/// </summary>
internal static class AnswerForm
{
    /// <summary>Elements around an XML answer that no model has.</summary>
    private static readonly string[] OfEveryAnswer = ["requestId", "RequestId", "ResponseMetadata"];

    /// <summary>Checks the members of a JSON answer.</summary>
    /// <param name="known">The members that its body has.</param>
    /// <exception cref="FormatException">It is no answer.</exception>
    public static void Check(OperationModel operation, IReadOnlyList<MemberReference> known, JsonElement root)
    {
        string? unknown = null;
        var found = 0;
        foreach (var member in root.EnumerateObject())
        {
            if (known.Any(k => member.NameEquals(k.Wire)))
            {
                found++;
                continue;
            }
            CheckCase(member.Name, known);
            if (member.Value.ValueKind == JsonValueKind.Null)
                continue;
            unknown ??= member.Name;
            if (SaysError(member))
                throw new FormatException($"it came as an answer, and is an error: {member.Name}");
        }
        if (unknown is null)
            return;
        if (found == 0 && known.Count > 0)
            throw new FormatException($"it has no member that the model has, but {unknown}");
        if (operation.Rows is null)
            return;
        string[] names = [.. known.Select(k => k.Wire)];
        var texts = root.EnumerateObject().Where(m => !names.Contains(m.Name) && m.Value.ValueKind == JsonValueKind.String).Select(m => m.Name);
        if ((UnknownMembers.OfMore(root, names) ?? LikeToken(operation, texts)) is { } more)
            throw new FormatException($"it says that more follows ({more}), and the model does not know how to read it");
        var list = known.FirstOrDefault(k => k.Name == operation.Rows.Split('.')[0]);
        if (list is not null && !root.TryGetProperty(list.Wire, out _)
            && root.EnumerateObject().Where(m => m.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object).Select(m => m.Name)
                .FirstOrDefault(n => !names.Contains(n)) is { } part)
            throw new FormatException($"it has no {list.Wire}, but {part}, which the model does not have");
    }

    /// <summary>Checks what the members of an XML answer are in, after they were read.</summary>
    /// <exception cref="FormatException">It is no answer.</exception>
    public static void Check(OperationModel operation, IReadOnlyList<MemberReference> known, Func<MemberReference, string, bool> isOf, AnswerElement root)
    {
        if (known.Count == 0)
            return;
        var unknown = root.Children.Where(c => !known.Any(k => isOf(k, c.Name)) && !OfEveryAnswer.Contains(c.Name)).ToArray();
        if (root.Children.Count == 0 && root.Text.AsSpan().Trim().Length > 0)
            throw new FormatException($"<{root.Name}> is a text");
        if (unknown.Length == 0)
            return;
        if (!root.Children.Any(c => known.Any(k => isOf(k, c.Name))))
            throw new FormatException($"<{root.Name}> has nothing that the model has, but <{unknown[0].Name}>");
        var said = unknown.Where(u => u.Children.Count > 0 || u.Text is not ("" or "false" or "0")).Select(u => u.Name).ToArray();
        if (operation.Rows is not null && (said.FirstOrDefault(UnknownMembers.SpeaksOfMore) ?? LikeToken(operation, said)) is { } more)
            throw new FormatException($"<{root.Name}> says that more follows (<{more}>), and the model does not know how to read it");
    }

    /// <summary>The first name that has the name of one of the operation's own tokens in it, whatever stands before, behind or between.</summary>
    private static string? LikeToken(OperationModel operation, IEnumerable<string> names)
    {
        string[] tokens = [.. (operation.Pager?.Outputs ?? []).Where(o => !o.Contains('[', StringComparison.Ordinal)).Select(o => Letters(o.Split('.', '|')[^1]))];
        return names.FirstOrDefault(n => tokens.Any(t => t.Length > 0 && Letters(n).Contains(t, StringComparison.OrdinalIgnoreCase)));
    }

    private static string Letters(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit));

    /// <summary>Refuses a name that is a member's but for its case: what stands there would be missing.</summary>
    /// <exception cref="FormatException">It is one.</exception>
    public static void CheckCase(string name, IEnumerable<MemberReference> known)
    {
        if (known.FirstOrDefault(k => k.Wire.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } member && member.Wire != name)
            throw new FormatException($"{name} stands where the model has {member.Wire}");
    }

    /// <summary>What no list has, and errors have: <c>error</c> in some case, or a type that is named like an exception.</summary>
    private static bool SaysError(JsonProperty member) => member.Name.ToUpperInvariant() switch
    {
        "ERROR" or "ERRORS" or "ERRORCODE" => member.Value.ValueKind != JsonValueKind.Array || member.Value.GetArrayLength() > 0,
        "__TYPE" => member.Value.ValueKind == JsonValueKind.String && IsException(member.Value.GetString()!),
        _ => false,
    };

    private static bool IsException(string type) =>
        new[] { "Exception", "Error", "Fault", "Failure", "Denied", "Expired", "Throttling" }.Any(w => type.Contains(w, StringComparison.OrdinalIgnoreCase));
}
