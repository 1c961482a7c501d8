using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Text;

namespace AuditCli.Controls.Loading;

/// <summary>One entry of a control's <c>evidence</c> as far as it could be read.</summary>
/// <param name="Need">The parsed need; null where the entry does not state it.</param>
/// <param name="Operation">The operation; null for files, and where the source has no such operation.</param>
internal sealed record EvidenceDraft(YamlEntry Entry, EvidenceNeed? Need, Operation? Operation)
{
    public string Name => Entry.Key.Text;

    /// <summary>Returns the position of a key's value, or of the entry itself.</summary>
    public YamlPosition At(string key) => (Entry.Value as YamlMap)?.Find(key)?.Position ?? Entry.Key.Position;
}

/// <summary>
/// Reads a control's <c>evidence</c>: the operation or file from which each table comes. <see cref="EvidenceChecks"/> checks the
/// relations between the tables.
/// </summary>
internal static partial class EvidenceReader
{
    private static readonly ImmutableArray<string> Empty = ["empty"];

    public static ImmutableArray<EvidenceDraft> Read(
        ImmutableArray<YamlEntry> entries, ImmutableArray<EvidenceSource> sources, bool inBundle, FaultList faults) =>
        [.. entries.Select(e => Read(e, sources, inBundle, faults))];

    private static EvidenceDraft Read(YamlEntry entry, ImmutableArray<EvidenceSource> sources, bool inBundle, FaultList faults)
    {
        var label = $"evidence '{entry.Key.Text}'";
        if (MapReader.Of(entry.Value, label, faults) is not { } reader)
            return new(entry, null, null);
        var words = sources.Select(s => s.Name).Append(EvidenceNeed.FileSource).ToImmutableArray();
        var given = reader.Map.Entries.Where(e => words.Contains(e.Key.Text)).ToImmutableArray();
        if (given.Length == 1 && given[0].Key.Text == EvidenceNeed.FileSource)
            return File(entry, reader, faults);

        // The other sources' words are allowed here, so that naming two sources gives one fault and not three.
        reader.Allow(words);
        if (given.Length == 0)
            faults.Form(reader.Map.Position, $"{label} must say where it comes from: one of {string.Join(", ", words)}");
        else if (given.Length > 1)
            faults.Form(given[1].Key.Position, $"{label} comes from one source, but names {string.Join(" and ", given.Select(g => g.Key.Text))}");
        return FromSource(entry, reader, given.Length == 1 ? sources.Single(s => s.Name == given[0].Key.Text) : null, inBundle, faults);
    }

    private static EvidenceDraft File(YamlEntry entry, MapReader reader, FaultList faults)
    {
        var input = reader.Formed(EvidenceNeed.FileSource, TextForm.Name);
        var optional = reader.OptionalFlag("optional");
        var unmatched = reader.OptionalText("unmatched");
        var columns = ImmutableArray.CreateBuilder<Column>();
        var keys = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        var personal = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var (name, value) in reader.Entries("columns", TextForm.FileColumn, atLeast: 1))
        {
            if (FileColumnReader.Read(name.Text, value, faults) is not (var column, var key, var isPersonal))
                continue;
            if (columns.FirstOrDefault(c => c.Name.Equals(name.Text, StringComparison.OrdinalIgnoreCase)) is { } twin)
                faults.Meaning(name.Position, $"the columns '{twin.Name}' and '{name.Text}' differ only in case, which SQL ignores");
            else
                columns.Add(column);
            if (key is { } words)
                keys[name.Text] = words;
            if (isPersonal)
                personal.Add(name.Text);
        }
        reader.Close();
        var need = new EvidenceNeed(
            entry.Key.Text, EvidenceNeed.FileSource, input, NoValues, null, NoTexts, [], optional, false, null, columns.ToImmutable())
        {
            Keys = keys.ToImmutable(),
            Personal = personal.ToImmutable(),
            Unmatched = unmatched,
        };
        return new(entry, need, null);
    }

    private static EvidenceDraft FromSource(YamlEntry entry, MapReader reader, EvidenceSource? source, bool inBundle, FaultList faults)
    {
        var name = source is null ? "" : reader.Text(source.Name);
        var operation = source is not null && name.Length > 0 ? Find(source, name, reader.Map.Find(source.Name)!, faults) : null;
        var parameters = NoValues.ToBuilder();
        foreach (var (key, value) in reader.OptionalEntries("params", null))
        {
            var parameter = operation?.Parameters.FirstOrDefault(p => p.Name == key.Text);
            if (operation is not null && parameter is null)
                UnknownParameter(operation, key, faults);
            else if (Constant(value, parameter?.Type ?? ColumnType.Json, $"parameter '{key.Text}'", faults) is { } typed)
            {
                parameters[key.Text] = typed;
                if (typed.ValueKind == JsonValueKind.String && parameter?.WhyNot(typed.GetString()!) is { } why)
                    faults.Meaning(value.Position, $"parameter '{key.Text}' {why}");
            }
        }
        var forEach = reader.OptionalText("for_each");
        var with = NoTexts.ToBuilder();
        foreach (var (key, value) in reader.OptionalEntries("with", null))
        {
            if (NodeReader.Text(value, $"the column for '{key.Text}'", faults) is { } column)
                with[key.Text] = column;
        }
        var allowed = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var (key, value) in reader.OptionalEntries("allow_errors", null))
        {
            if (NodeReader.Word(value, $"what '{key.Text}' means", Empty, faults) is null)
                continue;
            allowed.Add(key.Text);
            // A bundle that was sealed with such a control can still be read; a new collection counts the code as a failure.
            if (operation?.SaysNone(key.Text) == false && !inBundle)
                faults.Meaning(key.Position, $"'{key.Text}' does not mean 'there is none', so it cannot count as an empty result{NoneCodes(operation)}");
        }
        var across = reader.OptionalWord("across", ["engagement"]) is not null;
        var ifTarget = reader.OptionalFlag("if_target");
        var keep = RowFilterReader.Read(reader, "keep", faults);
        var where = RowFilterReader.Read(reader, "where", faults);
        reader.Close();
        return source is null || name.Length == 0
            ? new(entry, null, null)
            : new(entry, new(entry.Key.Text, source.Name, name, parameters.ToImmutable(), forEach, with.ToImmutable(),
                allowed.ToImmutable(), false, ifTarget, keep, operation?.Columns ?? [])
            {
                AcrossEngagement = across,
                Where = where,
            }, operation);
    }

    private static string NoneCodes(Operation operation) => operation switch
    {
        { NotConfigured: { IsEmpty: false } codes } => $"; the codes of {operation.Name} for that are {string.Join(" or ", codes)}",
        { NotFound: not null } => $"; for {operation.Source}, only the codes for something that was not found do",
        _ => $"; {operation.Name} has no code for it",
    };

    /// <summary>
    /// Reads a constant in the JSON form of its parameter. A text with words for the engagement's moments is checked in the form
    /// of the later request, with a moment in place of each word.
    /// </summary>
    private static JsonElement? Constant(YamlNode node, ColumnType type, string label, FaultList faults)
    {
        UnknownWords(node, label, faults);
        return node is YamlScalar scalar && type == ColumnType.Timestamp && MomentWords.All.Any(w => scalar.Text.Contains(w, StringComparison.Ordinal))
            && TypedValue.Read(scalar with { Text = MomentWords.In(scalar.Text, Sample) }, type, label, new()) is not null
                ? CoreSchema.ToJson(scalar.Text)
                : TypedValue.Read(node, type, label, faults);
    }

    /// <summary>Reports words that look like moment words but are not. They would be sent literally and find nothing.</summary>
    private static void UnknownWords(YamlNode node, string label, FaultList faults)
    {
        switch (node)
        {
            case YamlScalar scalar:
                foreach (var word in MomentWord().Matches(scalar.Text).Select(m => m.Value).Except(MomentWords.All))
                {
                    var hint = NearMiss.Hint(word, MomentWords.All);
                    faults.Meaning(node.Position, $"{label}: {word} is not a placeholder{hint}; the placeholders are {string.Join(", ", MomentWords.All)}");
                }
                break;
            case YamlList list:
                foreach (var element in list.Items)
                    UnknownWords(element, label, faults);
                break;
            case YamlMap map:
                foreach (var entry in map.Entries)
                    UnknownWords(entry.Value, label, faults);
                break;
        }
    }

    private static (string, DateTimeOffset)[] Sample => [.. MomentWords.All.Select(w => (w, DateTimeOffset.UnixEpoch))];

    [GeneratedRegex(@"\{(?:period|as_of|asof)\w*\}")]
    private static partial Regex MomentWord();

    private static Operation? Find(EvidenceSource source, string name, YamlNode node, FaultList faults)
    {
        if (source.FindOperation(name) is { } operation)
            return operation;
        var near = source.Suggest(name);
        // A source that refuses the operation returns its name with the reason, and no other name.
        var hint = near.IsEmpty ? ""
            : near[0].StartsWith(name + " ", StringComparison.Ordinal) ? $"; {near[0]}"
            : $"; did you mean {string.Join(" or ", near)}?";
        faults.Meaning(node.Position, $"'{name}' is not in the read-only catalogue of {source.Name}{hint}");
        return null;
    }

    internal static void UnknownParameter(Operation operation, YamlScalar key, FaultList faults)
    {
        var names = operation.Parameters.Select(p => p.Name).ToImmutableArray();
        var takes = names.IsEmpty ? "; it takes none" : NearMiss.Hint(key.Text, names);
        faults.Meaning(key.Position, $"{operation.Name} has no parameter '{key.Text}'{takes}");
    }

    private static ImmutableSortedDictionary<string, JsonElement> NoValues =>
        ImmutableSortedDictionary.Create<string, JsonElement>(StringComparer.Ordinal);

    private static ImmutableSortedDictionary<string, string> NoTexts =>
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
}
