using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Evidence;

namespace AuditCli.Controls.Yaml;

/// <summary>Reads the keys that give a parameter its form: <c>min</c>, <c>max</c>, <c>one_of</c>, <c>pattern</c> and <c>list</c>.</summary>
internal static class ParameterFormReader
{
    /// <summary>The types that a list's entries may have.</summary>
    private static readonly ImmutableArray<string> EntryTypes = ValueTypeReader.Words.Remove(TypedValue.Word(ColumnType.Boolean));

    /// <summary>Reads the form; returns null after a fault.</summary>
    /// <param name="type">
    /// The parameter's type; null where it could not be read, so that only the shape of the keys is checked.
    /// </param>
    public static ParameterForm? Read(MapReader reader, Column? type, FaultList faults)
    {
        var before = faults.Count;
        var isList = reader.Map.Find("list") is not null;
        var form = Own(reader, type, isList ? "; for a list it belongs inside 'list', because it applies to the entries" : "", faults);
        form = form with { List = List(reader, type, faults) };
        foreach (var key in (string[])["one_of", "pattern"])
        {
            if (isList && type is { Type: ColumnType.Text } && reader.Map.Find(key) is { } stray)
                faults.Meaning(stray.Position, $"'{key}' of a list applies to its entries; put it inside 'list'");
        }
        return faults.Count == before ? form : null;
    }

    private static ParameterForm Own(MapReader reader, Column? type, string hint, FaultList faults)
    {
        var (min, max) = (Bound(reader, "min", type, hint, faults), Bound(reader, "max", type, hint, faults));
        if (min is { } least && max is { } most && ParameterValue.Compare(type!.Type, least, most) > 0)
            faults.Meaning(reader.Map.Find("max")!.Position, $"'max' is {most}, which is less than 'min' ({least}), so that no value is allowed");
        return new() { Min = min, Max = max, OneOf = OneOf(reader, type, faults), Pattern = Pattern(reader, type, faults) };
    }

    private static JsonElement? Bound(MapReader reader, string key, Column? type, string hint, FaultList faults)
    {
        if (reader.Optional(key) is not { } node)
            return null;
        if (node is not YamlScalar || TypedValue.IsNull(node))
            faults.Form(node.Position, $"'{key}' must be one value, but is {node.Described}");
        else if (type is { Type: ColumnType.Text or ColumnType.Boolean })
            faults.Meaning(node.Position, $"'{key}' applies to integers, decimals, dates and timestamps, but this is {TypedValue.Word(type)}{hint}");
        else if (type is { } known)
            return TypedValue.Read(node, known, $"'{key}'", faults);
        return null;
    }

    private static ImmutableArray<string> OneOf(MapReader reader, Column? type, FaultList faults)
    {
        if (reader.Optional("one_of") is not { } node)
            return [];
        var words = Words(node, "one_of", faults);
        OnlyText(node, "one_of", type, faults);
        return words;
    }

    private static string? Pattern(MapReader reader, Column? type, FaultList faults)
    {
        if (reader.Optional("pattern") is not { } node || NodeReader.Text(node, "'pattern'", faults) is not { } pattern)
            return null;
        OnlyText(node, "pattern", type, faults);
        if (ParameterPattern.Fault(pattern) is { } fault)
            faults.Meaning(node.Position, $"'pattern' {fault}");
        return pattern;
    }

    private static ParameterList? List(MapReader reader, Column? type, FaultList faults)
    {
        if (reader.OptionalMap("list") is not { } list)
            return null;
        OnlyText(list.Map, "list", type, faults);
        var of = list.Optional("of") is { } word ? ValueTypeReader.Read("entry", word, "'of'", EntryTypes, faults) : new("entry", ColumnType.Text);
        var entries = Own(list, of, "", faults);
        ImmutableArray<string> or = list.Optional("or") is { } words ? Words(words, "or", faults) : [];
        var mayBeEmpty = list.OptionalFlag("empty");
        list.Close();
        foreach (var unseen in entries.OneOf.Where(w => w.Contains(',', StringComparison.Ordinal) || w.Trim() != w))
            faults.Meaning(list.Map.Find("one_of")!.Position, $"'{unseen}' cannot be an entry: entries are separated by commas and have no blanks around them");
        return of is { } known ? new(known, entries, or, mayBeEmpty) : null;
    }

    private static ImmutableArray<string> Words(YamlNode node, string key, FaultList faults)
    {
        var words = NodeReader.Texts(node, $"'{key}'", 1, faults);
        if (words.GroupBy(w => w, StringComparer.Ordinal).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
            faults.Meaning(node.Position, $"'{twice.Key}' is in '{key}' twice");
        return words;
    }

    private static void OnlyText(YamlNode node, string key, Column? type, FaultList faults)
    {
        if (type is { Type: not ColumnType.Text } known)
            faults.Meaning(node.Position, $"'{key}' applies only to text, but this is {TypedValue.Word(known)}");
    }
}
