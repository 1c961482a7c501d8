using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Yaml;

/// <summary>
/// Reads single nodes. Free text takes any scalar's text as it is written (<c>1.10</c> stays <c>1.10</c>); texts of a fixed form
/// and words must be text under the core schema too, so that editors that apply the JSON Schema agree.
/// </summary>
internal static class NodeReader
{
    /// <summary>Returns any scalar's text that is not blank; null after a fault.</summary>
    public static string? Text(YamlNode node, string label, FaultList faults)
    {
        if (node is not YamlScalar scalar)
        {
            faults.Form(node.Position, $"{label} must be text, but is {node.Described}");
            return null;
        }
        if (string.IsNullOrWhiteSpace(scalar.Text) || CoreSchema.KindOf(scalar) == ScalarKind.Null)
        {
            faults.Form(node.Position, $"{label} is empty");
            return null;
        }
        return scalar.Text;
    }

    /// <summary>Returns a text of a fixed form; null after a fault.</summary>
    public static string? Formed(YamlNode node, string label, TextForm form, FaultList faults)
    {
        if (Word(node) is { } text && form.Pattern.IsMatch(text))
            return text;
        faults.Form(node.Position, $"{label} must be {form.Described}, but is {Shown(node)}");
        return null;
    }

    public static T? Word<T>(YamlNode node, string label, ImmutableArray<(string Word, T Value)> words, FaultList faults) where T : struct
    {
        foreach (var (word, value) in words)
        {
            if (Word(node) == word)
                return value;
        }
        NotAWord(node, label, words.Select(w => w.Word), faults);
        return null;
    }

    public static string? Word(YamlNode node, string label, ImmutableArray<string> words, FaultList faults)
    {
        if (Word(node) is { } text && words.Contains(text))
            return text;
        NotAWord(node, label, words, faults);
        return null;
    }

    public static bool? Flag(YamlNode node, string label, FaultList faults)
    {
        if (node is YamlScalar { Style: ScalarStyle.Plain, Text: "true" or "false" } scalar)
            return scalar.Text == "true";
        faults.Form(node.Position, $"{label} must be true or false, but is {Shown(node)}");
        return null;
    }

    /// <summary>Returns a day of the calendar; null after a fault.</summary>
    public static DateOnly? Date(YamlNode node, string label, FaultList faults)
    {
        if (Formed(node, label, TextForm.Date, faults) is not { } text)
            return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return date;
        faults.Meaning(node.Position, $"{label}: there is no such date as {text}");
        return null;
    }

    /// <summary>Returns an instant in UTC; null after a fault.</summary>
    public static DateTimeOffset? Timestamp(YamlNode node, string label, FaultList faults)
    {
        if (Formed(node, label, TextForm.Timestamp, faults) is not { } text)
            return null;
        if (Rfc3339.TryParse(text, out var instant))
            return instant;
        faults.Meaning(node.Position, $"{label}: there is no time {text}");
        return null;
    }

    /// <summary>Returns a decimal integer that is neither negative nor quoted; null after a fault.</summary>
    public static long? Count(YamlNode node, string label, FaultList faults)
    {
        if (node is YamlScalar { Style: ScalarStyle.Plain } scalar && CoreSchema.KindOf(scalar) == ScalarKind.Integer
            && long.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        faults.Form(node.Position, $"{label} must be a whole number, but is {Shown(node)}");
        return null;
    }

    /// <summary>
    /// Returns the entries of a map whose keys its author chooses. Entries with a key of another form are left out.
    /// </summary>
    public static ImmutableArray<YamlEntry> Entries(YamlNode node, string label, TextForm? keys, int atLeast, FaultList faults)
    {
        if (node is not YamlMap map)
        {
            faults.Form(node.Position, $"{label} must be a map, but is {node.Described}");
            return [];
        }
        if (map.Entries.Length < atLeast)
            faults.Form(node.Position, $"{label} must have at least {Many(atLeast, "entry", "entries")}");
        foreach (var (key, _) in map.Entries)
        {
            if (keys is null ? string.IsNullOrWhiteSpace(key.Text) : !keys.Pattern.IsMatch(key.Text))
                faults.Form(key.Position, $"in {label}, '{key.Text}' is not {keys?.Described ?? "a name"}");
        }
        return [.. map.Entries.Where(e => keys?.Pattern.IsMatch(e.Key.Text) ?? !string.IsNullOrWhiteSpace(e.Key.Text))];
    }

    public static ImmutableArray<YamlNode> Items(YamlNode node, string label, int atLeast, FaultList faults)
    {
        if (node is not YamlList list)
        {
            faults.Form(node.Position, $"{label} must be a list, but is {node.Described}");
            return [];
        }
        if (list.Items.Length < atLeast)
            faults.Form(node.Position, $"{label} must have at least {Many(atLeast, "item", "items")}");
        return list.Items;
    }

    /// <summary>Returns a list of texts; items with a fault are left out.</summary>
    public static ImmutableArray<string> Texts(YamlNode node, string label, int atLeast, FaultList faults) =>
        [.. Items(node, label, atLeast, faults).Select(i => Text(i, $"an item of {label}", faults)).OfType<string>()];

    /// <summary>Returns the node as a message quotes it.</summary>
    public static string Shown(YamlNode node) => node is YamlScalar scalar && scalar.Text.Length is > 0 and <= 80
        ? scalar.Style != ScalarStyle.Plain ? $"the text '{scalar.Text}'" : $"'{scalar.Text}'"
        : node.Described;

    private static string? Word(YamlNode node) =>
        node is YamlScalar scalar && CoreSchema.KindOf(scalar) == ScalarKind.Text ? scalar.Text : null;

    private static void NotAWord(YamlNode node, string label, IEnumerable<string> words, FaultList faults)
    {
        var hint = node is YamlScalar scalar ? NearMiss.Hint(scalar.Text, words) : "";
        faults.Form(node.Position, $"{label} must be one of {string.Join(", ", words)}, but is {Shown(node)}{hint}");
    }

    private static string Many(int count, string one, string more) => count == 1 ? $"one {one}" : $"{count} {more}";
}
