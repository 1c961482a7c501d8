using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Reads what a control declares for a column of a file: its type, and whether and with which words it is a key. The types are those of
/// parameters.
/// </summary>
internal static class FileColumnReader
{
    private const string Personal = "personal";

    /// <summary>
    /// Reads a column's type, as a word or under <c>type</c>, for a key column the words that are allowed in it, and whether its values
    /// are kept as digests only; returns null after a fault of its type.
    /// </summary>
    public static (Column Column, ImmutableArray<string>? Key, bool IsPersonal)? Read(string name, YamlNode value, FaultList faults)
    {
        if (value is not YamlMap)
            return ValueTypeReader.Read(name, value, $"the type of column '{name}'", ValueTypeReader.Words, faults) is { } plain ? (plain, null, false) : null;
        var reader = MapReader.Of(value, $"column '{name}'", faults)!;
        var column = reader.Required("type") is { } type ? ValueTypeReader.Read(name, type, "'type'", ValueTypeReader.Words, faults) : null;
        ImmutableArray<string>? key = reader.OptionalFlag("key") ? [] : null;
        if (key is not null && column is not null and not { Type: ColumnType.Text })
            faults.Meaning(reader.Map.Find("key")!.Position, $"only a text column can be a key, but column '{name}' is {TypedValue.Word(column)}");
        if (reader.Optional("one_of") is { } list)
            key = OneOf(name, column, list, faults);
        var isPersonal = reader.OptionalFlag(Personal);
        if (isPersonal && column is not null and not { Type: ColumnType.Text })
            faults.Meaning(reader.Map.Find(Personal)!.Position, $"only a text column can be personal, but column '{name}' is {TypedValue.Word(column)}");
        if (isPersonal && reader.Map.Find("one_of") is not null)
        {
            faults.Meaning(
                reader.Map.Find(Personal)!.Position, $"column '{name}' has one of a few words, which no digest hides; leave out 'one_of' or 'personal'");
        }
        reader.Close();
        return column is not null ? (column, key, isPersonal) : null;
    }

    private static ImmutableArray<string> OneOf(string name, Column? column, YamlNode list, FaultList faults)
    {
        var words = NodeReader.Texts(list, "'one_of'", 1, faults);
        if (column is not null and not { Type: ColumnType.Text })
            faults.Meaning(list.Position, $"'one_of' is only for text, but column '{name}' is {TypedValue.Word(column)}");
        if (words.GroupBy(w => w, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
            faults.Meaning(list.Position, $"'{twice.Key}' is in 'one_of' twice; case is ignored, because files may write the words in any case");
        if (words.FirstOrDefault(w => InputTable.Key(w, []).Value != w) is { } unseen)
        {
            faults.Meaning(
                list.Position,
                $"'{unseen}' can never be in a cell: cells are read without white space at their ends and without invisible characters");
        }
        return words;
    }
}
