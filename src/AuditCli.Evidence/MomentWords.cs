using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AuditCli.Evidence;

/// <summary>
/// The words that stand for the engagement's moments in the texts of a question's constant parameters, whole or inside a longer text. Each
/// becomes an instant as <see cref="Rfc3339"/> writes it.
/// </summary>
public static class MomentWords
{
    /// <summary>The first instant of the period.</summary>
    public const string PeriodStart = "{period_start}";

    /// <summary>The first instant after the period.</summary>
    public const string PeriodEnd = "{period_end}";

    /// <summary>The moment as of which the state is judged; of a live run that names none, the start of collection.</summary>
    public const string AsOf = "{as_of}";

    /// <summary>All of them.</summary>
    public static ImmutableArray<string> All { get; } = [PeriodStart, PeriodEnd, AsOf];

    /// <summary>The text with moments in the place of words.</summary>
    public static string In(string text, params ReadOnlySpan<(string Word, DateTimeOffset Moment)> moments)
    {
        foreach (var (word, moment) in moments)
            text = text.Replace(word, Rfc3339.Format(moment), StringComparison.Ordinal);
        return text;
    }

    /// <summary>The parameters with moments in the place of words, in every text that is a value, however deep.</summary>
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
