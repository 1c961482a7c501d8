using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using AuditCli.Evidence.Text;

namespace AuditCli.Evidence;

/// <summary>States which values a row may have in one place.</summary>
/// <param name="Path">A column, or a column that holds JSON and members inside it; see <see cref="MemberPath"/>.</param>
/// <param name="Values">
/// Texts, in which <c>*</c> stands for any characters, whole numbers, and booleans; one of them must match.
/// </param>
public sealed record RowCondition(string Path, ImmutableArray<JsonElement> Values);

/// <summary>
/// Selects rows by their values (<c>keep</c> and <c>where</c> of a control): a row is taken where every condition holds. It is
/// data and not SQL, so that it can be applied while rows arrive, and gives the same rows live and replayed.
/// </summary>
public sealed record RowFilter(ImmutableArray<RowCondition> Conditions)
{
    /// <summary>
    /// Returns the form from which identifiers are made: path to values, in which the order of paths and values does not matter
    /// and a number is never equal to the text of its digits.
    /// </summary>
    public JsonObject Canonical() => new(Conditions.Select(c => KeyValuePair.Create(
        c.Path,
        (JsonNode?)new JsonArray([.. c.Values
            .Select(v => v.ValueKind == JsonValueKind.String ? $"text:{v.GetString()}" : $"json:{v.GetRawText()}")
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(v => (JsonNode?)v)]))));

    /// <summary>Prints the conditions as a control's author would write them.</summary>
    public override string ToString() => string.Join("; ", Conditions.Select(c => $"{c.Path}: {string.Join(", ", c.Values.Select(JsonMember.TextOrRaw))}"));
}
