using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Reads and checks <c>keep</c> and <c>where</c>: paths to the values that a row may have there. A condition that can never hold is
/// refused here, because it would give an empty table, and an empty table can pass.
/// </summary>
internal static class RowFilterReader
{
    /// <summary>Reads the filter; returns null where there is none, or nothing of it could be read.</summary>
    public static RowFilter? Read(MapReader reader, string key, FaultList faults)
    {
        if (reader.Optional(key) is not { } node)
            return null;
        var conditions = ImmutableArray.CreateBuilder<RowCondition>();
        foreach (var (path, value) in NodeReader.Entries(node, $"'{key}'", null, 1, faults))
        {
            var label = $"the value for '{path.Text}'";
            var nodes = value is YamlList ? NodeReader.Items(value, $"'{path.Text}'", 1, faults) : [value];
            var values = nodes.Select(n => Value(n, label, faults)).OfType<JsonElement>().ToImmutableArray();
            if (!values.IsEmpty)
                conditions.Add(new(path.Text, values));
        }
        return conditions.Count == 0 ? null : new([.. conditions.OrderBy(c => c.Path, StringComparer.Ordinal)]);
    }

    /// <summary>Reports paths that lead nowhere in these columns, and values that can never be there.</summary>
    /// <param name="filter">The map in the file.</param>
    /// <param name="table">What has the columns, as messages name it.</param>
    public static void Check(YamlMap filter, string key, ImmutableArray<Column> columns, string table, FaultList faults)
    {
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, value) in filter.Entries)
        {
            if (ColumnOf(path, columns, table, faults) is not { } type)
                continue;
            var place = MemberPath.Of(path.Text, name => columns.Any(c => c.Name == name)).ToString();
            if (!places.TryAdd(place, path.Text))
                faults.Meaning(path.Position, $"'{path.Text}' is the same place as '{places[place]}'; give all its values in one list");
            if (type is not (ColumnType.Text or ColumnType.Integer or ColumnType.Boolean or ColumnType.Json))
            {
                faults.Meaning(
                    path.Position,
                    $"'{key}' compares texts, whole numbers, booleans and members of JSON, but column '{path.Text}' of {table} is {TypedValue.Word(type)}; "
                    + "narrow it with a parameter of the operation, or in the SQL of the test");
                continue;
            }
            foreach (var scalar in (value is YamlList list ? list.Items : [value]).OfType<YamlScalar>().Where(s => !Suits(s, type)))
            {
                faults.Meaning(
                    scalar.Position,
                    $"column '{path.Text}' of {table} is {TypedValue.Word(type)}, so it is never {NodeReader.Shown(scalar)}{Quoting(type)}");
            }
        }
    }

    /// <summary>
    /// Returns the type of what a path leads to, <see cref="ColumnType.Json"/> for a member; null after a fault.
    /// </summary>
    public static ColumnType? ColumnOf(YamlScalar path, ImmutableArray<Column> columns, string table, FaultList faults)
    {
        bool IsColumn(string name) => columns.Any(c => c.Name == name);
        if (MemberPath.FaultOf(path.Text, IsColumn) is { } fault)
        {
            faults.Meaning(path.Position, $"'{path.Text}' {fault}");
            return null;
        }
        var read = MemberPath.Of(path.Text, IsColumn);
        if (columns.FirstOrDefault(c => c.Name == read.Column) is not { } column)
        {
            faults.Meaning(path.Position, $"{table} has no column '{read.Column}'{NearMiss.Hint(read.Column, columns.Select(c => c.Name))}");
            return null;
        }
        if (read.Members.IsEmpty)
            return column.Type;
        if (column.Type != ColumnType.Json)
        {
            faults.Meaning(
                path.Position,
                $"'{path.Text}' reaches into column '{column.Name}' of {table}, which is {TypedValue.Word(column.Type)}; only a json column has members");
            return null;
        }
        if (read.Members.Any(string.IsNullOrWhiteSpace))
        {
            faults.Meaning(path.Position, $"'{path.Text}' has a member without a name");
            return null;
        }
        return ColumnType.Json;
    }

    private static JsonElement? Value(YamlNode node, string label, FaultList faults)
    {
        if (NodeReader.Text(node, label, faults) is null || node is not YamlScalar scalar)
            return null;
        switch (CoreSchema.KindOf(scalar))
        {
            case ScalarKind.Text or ScalarKind.Boolean:
                return CoreSchema.ToJson(scalar);
            case ScalarKind.Integer when long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
                return CoreSchema.ToJson(scalar);
            default:
                faults.Meaning(node.Position, $"{label} must be a text, a whole number of 64 bits, true or false, but is {NodeReader.Shown(node)}");
                return null;
        }
    }

    /// <summary>Whether a column of the type may have the value; true for what is no value at all, which is a fault of its own.</summary>
    private static bool Suits(YamlScalar value, ColumnType type) => CoreSchema.KindOf(value) is var kind
        && (kind is ScalarKind.Null or ScalarKind.Float || type switch
        {
            ColumnType.Text => kind == ScalarKind.Text,
            ColumnType.Integer => kind == ScalarKind.Integer,
            ColumnType.Boolean => kind == ScalarKind.Boolean,
            _ => true,
        });

    private static string Quoting(ColumnType type) => type == ColumnType.Text ? "; put it in quotes if the text is meant" : "";
}
