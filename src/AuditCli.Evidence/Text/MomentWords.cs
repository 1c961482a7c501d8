using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AuditCli.Evidence.Text;

/// <summary>
/// The words that stand for the engagement's moments in the texts of a request's constant parameters, alone or inside a longer
/// text. Each is replaced by an instant as <see cref="Rfc3339"/> writes it.
/// </summary>
public static class MomentWords
{
    /// <summary>The first instant of the period.</summary>
    public const string PeriodStart = "{period_start}";

    /// <summary>The first instant after the period.</summary>
    public const string PeriodEnd = "{period_end}";

    /// <summary>The moment as of which the state is judged; for a live run that names none, the start of collection.</summary>
    public const string AsOf = "{as_of}";

    /// <summary>All three words.</summary>
    public static ImmutableArray<string> All { get; } = [PeriodStart, PeriodEnd, AsOf];

    /// <summary>Returns the text with each word replaced by its moment.</summary>
    public static string In(string text, params ReadOnlySpan<(string Word, DateTimeOffset Moment)> moments)
    {
        foreach (var (word, moment) in moments)
            text = text.Replace(word, Rfc3339.Format(moment), StringComparison.Ordinal);
        return text;
    }

    /// <summary>
    /// Returns the parameters with each word replaced by its moment, in every text that is a value, at any depth.
    /// </summary>
    public static ImmutableSortedDictionary<string, JsonElement> In(
        ImmutableSortedDictionary<string, JsonElement> parameters, params ReadOnlySpan<(string Word, DateTimeOffset Moment)> moments)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        foreach (var (name, value) in parameters)
        {
            var (found, raw) = (false, value.GetRawText());
            foreach (var (word, _) in moments)
                found |= raw.Contains(word[1..^1], StringComparison.Ordinal);
            if (found)
                parameters = parameters.SetItem(name, JsonSerializer.SerializeToElement(In(JsonNode.Parse(raw), moments)));
        }
        return parameters;
    }

    private static JsonNode? In(JsonNode? value, ReadOnlySpan<(string Word, DateTimeOffset Moment)> moments)
    {
        switch (value)
        {
            case JsonObject members:
                var named = new JsonObject();
                foreach (var (name, member) in members)
                    named[name] = In(member, moments);
                return named;
            case JsonArray elements:
                var list = new JsonArray();
                foreach (var element in elements)
                    list.Add(In(element, moments));
                return list;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                return JsonValue.Create(In(text.GetValue<string>(), moments));
            default:
                return value?.DeepClone();
        }
    }
}
