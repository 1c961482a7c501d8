using System.Text.Json;
using AuditCli.Collectors.Aws.Catalogue;

namespace AuditCli.Collectors.Aws.Protocols;

/// <summary>
/// Rejects a body that has the form of a response but is not one. Services add members at any time, so an unknown member alone means
/// nothing. The body is rejected if a name differs from a known one only by case; if it has no known member, as in a message of an
/// intermediary; if the list is missing and an unknown member could hold the rows; and if an unknown member suggests further pages.
/// </summary>
internal static class AnswerForm
{
    /// <summary>The elements of an XML response that no model contains.</summary>
    private static readonly string[] OfEveryAnswer = ["requestId", "RequestId", "ResponseMetadata"];

    private static readonly string[] ErrorNames = ["Error", "Errors", "ErrorCode", "ErrorResponse", "Fault"];

    /// <summary>Checks the members of a JSON response.</summary>
    /// <param name="known">The members that the body may have.</param>
    /// <exception cref="FormatException">The body is not a response to the operation.</exception>
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
                throw new FormatException($"it came as a success, but is an error: {member.Name}");
        }
        if (unknown is null)
            return;
        if (found == 0 && known.Count > 0)
            throw new FormatException($"it has no member of the model, but {unknown}");
        if (operation.Rows is null)
            return;
        string[] names = [.. known.Select(k => k.Wire)];
        var texts = root.EnumerateObject().Where(m => !names.Contains(m.Name) && m.Value.ValueKind == JsonValueKind.String).Select(m => m.Name);
        if ((UnknownMembers.OfMore(root, names) ?? LikeToken(operation, texts)) is { } more)
            throw new FormatException($"it says that more follows ({more}), but the model does not say how to read it");
        var list = known.FirstOrDefault(k => k.Name == operation.Rows.Split('.')[0]);
        if (list is not null && !root.TryGetProperty(list.Wire, out _)
            && root.EnumerateObject().Where(m => m.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object).Select(m => m.Name)
                .FirstOrDefault(n => !names.Contains(n)) is { } part)
            throw new FormatException($"it has no {list.Wire}, but {part}, which is not in the model");
    }

    /// <summary>Checks the element that holds the members of an XML response, after the members were read.</summary>
    /// <exception cref="FormatException">The body is not a response to the operation.</exception>
    public static void Check(OperationModel operation, IReadOnlyList<MemberReference> known, Func<MemberReference, string, bool> isOf, AnswerElement root)
    {
        if (known.Count == 0)
            return;
        var unknown = root.Children.Where(c => !known.Any(k => isOf(k, c.Name)) && !OfEveryAnswer.Contains(c.Name)).ToArray();
        if (root.Children.Count == 0 && root.Text.AsSpan().Trim().Length > 0)
            throw new FormatException($"<{root.Name}> is a text");
        if (unknown.Length == 0)
            return;
        if (unknown.FirstOrDefault(u => SaysError(u.Name)) is { } error)
            throw new FormatException($"<{root.Name}> came as a success, but has <{error.Name}>");
        if (!root.Children.Any(c => known.Any(k => isOf(k, c.Name))))
            throw new FormatException($"<{root.Name}> has no element of the model, but <{unknown[0].Name}>");
        if (unknown.FirstOrDefault(u => IsOfMore(operation, u)) is { } more)
            throw new FormatException($"<{root.Name}> says that more follows (<{more.Name}>), but the model does not say how to read it");
    }

    /// <summary>Whether an element that the model does not have there says that more follows.</summary>
    public static bool IsOfMore(OperationModel operation, AnswerElement element) => operation.Rows is not null
        && (element.Children.Count > 0 || element.Text is not ("" or "false" or "0"))
        && (UnknownMembers.SpeaksOfMore(element.Name) || LikeToken(operation, [element.Name]) is not null);

    /// <summary>Whether the name of an element that the model does not have says that the response is an error.</summary>
    public static bool SaysError(string name) => ErrorNames.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Returns the first name that contains the name of one of the operation's own page tokens, compared by letters and digits only.
    /// </summary>
    private static string? LikeToken(OperationModel operation, IEnumerable<string> names)
    {
        string[] tokens =
        [
            .. (operation.Pager?.Outputs ?? [])
                .Where(o => !o.Contains('[', StringComparison.Ordinal))
                .Select(o => Letters(o.Split('.', '|')[^1])),
        ];
        return names.FirstOrDefault(n => tokens.Any(t => t.Length > 0 && Letters(n).Contains(t, StringComparison.OrdinalIgnoreCase)));
    }

    private static string Letters(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit));

    /// <summary>Rejects a name that differs from a member's only by case: the value would be missing in the result.</summary>
    /// <exception cref="FormatException">The name is such a name.</exception>
    public static void CheckCase(string name, IEnumerable<MemberReference> known)
    {
        if (known.FirstOrDefault(k => k.Wire.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } member && member.Wire != name)
            throw new FormatException($"it has {name} where the model has {member.Wire}");
    }

    /// <summary>Whether a member indicates an error and not a list: <c>error</c> in any case, or a type named like an exception.</summary>
    private static bool SaysError(JsonProperty member) => member.Name.ToUpperInvariant() switch
    {
        var name when SaysError(name) => member.Value.ValueKind != JsonValueKind.Array || member.Value.GetArrayLength() > 0,
        "__TYPE" => member.Value.ValueKind == JsonValueKind.String && IsException(member.Value.GetString()!),
        _ => false,
    };

    private static bool IsException(string type) =>
        new[] { "Exception", "Error", "Fault", "Failure", "Denied", "Expired", "Throttling" }.Any(w => type.Contains(w, StringComparison.OrdinalIgnoreCase));
}
