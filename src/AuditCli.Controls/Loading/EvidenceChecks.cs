using System.Collections.Immutable;
using System.Text.Json;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;
using AuditCli.Evidence.Tables;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Checks the relations between a control's tables: names, parents and the columns they pass on, required parameters, waivers.
/// </summary>
internal static class EvidenceChecks
{
    /// <summary>The suffix of the names of tables of calls.</summary>
    private const string CallsMark = "__calls";

    /// <param name="inBundle">Whether the control is a bundle's copy, which may be older than a reserved name.</param>
    public static void Check(ImmutableArray<EvidenceDraft> drafts, bool inBundle, FaultList faults)
    {
        var byName = drafts.ToDictionary(d => d.Name, StringComparer.Ordinal);
        foreach (var draft in drafts)
        {
            if (draft.Name.Contains(CallsMark, StringComparison.Ordinal))
                faults.Meaning(draft.Entry.Key.Position, $"evidence '{draft.Name}': '{CallsMark}' is reserved for the companion tables of for_each");
            if (TableNames.Always.Contains(draft.Name) && !inBundle)
            {
                faults.Meaning(
                    draft.Entry.Key.Position, $"evidence '{draft.Name}': every control has a table of this name already; give the evidence another one");
            }
            if (draft.Need is { IsFile: false } need)
                Check(draft, need, byName, faults);
        }
        Cycles(drafts, byName, faults);
    }

    public static void Check(WaiverRule rule, YamlMap map, ImmutableArray<EvidenceDraft> drafts, FaultList faults)
    {
        var from = map.Find("from")!.Position;
        if (drafts.FirstOrDefault(d => d.Name == rule.From) is not { } draft)
        {
            faults.Meaning(from, $"there is no evidence '{rule.From}'{NearMiss.Hint(rule.From, drafts.Select(d => d.Name))}");
            return;
        }
        if (draft.Need is not { } need)
            return;
        if (!need.IsFile)
        {
            faults.Meaning(from, $"waivers must come from a supplied file, but evidence '{rule.From}' is read from {need.Source}");
            return;
        }
        if (need.Personal.Contains(rule.Item))
            faults.Meaning(map.Find("item")!.Position, $"column '{rule.Item}' of '{need.Name}' is personal, so that no item would match its digests");
        Column("item", rule.Item, ColumnType.Text);
        Column("expires", rule.Expires, ColumnType.Date);
        Column("approved_by", rule.ApprovedBy, ColumnType.Text);
        Column("approved_on", rule.ApprovedOn, ColumnType.Date);
        Column("reason", rule.Reason, ColumnType.Text);

        void Column(string key, string name, ColumnType type)
        {
            if (name.Length == 0)
                return;
            var at = map.Find(key)!.Position;
            var column = need.Columns.FirstOrDefault(c => c.Name == name);
            if (column is null)
                faults.Meaning(at, $"evidence '{need.Name}' has no column '{name}'{NearMiss.Hint(name, need.Columns.Select(c => c.Name))}");
            else if (column.Type != type)
            {
                faults.Meaning(
                    at,
                    $"column '{name}' of '{need.Name}' must be of type {TypedValue.Word(type)} to serve as {key}, but is {TypedValue.Word(column)}");
            }
        }
    }

    private static void Check(EvidenceDraft draft, EvidenceNeed need, Dictionary<string, EvidenceDraft> byName, FaultList faults)
    {
        var map = (YamlMap)draft.Entry.Value;
        if (need.ForEach is null && map.Find("with") is { } stray)
            faults.Meaning(stray.Position, "'with' passes on columns of the table that 'for_each' names, but there is no 'for_each'");
        if (need.ForEach is not null && map.Find("with") is null)
        {
            faults.Meaning(
                draft.At("for_each"),
                "'for_each' without 'with' would repeat the same request; state in 'with' which parameter takes which column");
        }
        var parent = need.ForEach is null ? null : Parent(draft, need, byName, faults);
        if (map.Find("with") is YamlMap with)
        {
            foreach (var (key, value) in with.Entries)
                With(draft, need, parent, key, value, faults);
        }
        Filters(draft, need, parent, map, faults);
        foreach (var parameter in draft.Operation?.Parameters ?? [])
        {
            if (parameter.Required && !Given(map, "params", parameter.Name) && !Given(map, "with", parameter.Name))
            {
                faults.Meaning(
                    draft.At(need.Source),
                    $"{need.Operation} needs the parameter '{parameter.Name}': give it in 'params', "
                    + "or in 'with' from a column of the evidence that 'for_each' names");
            }
        }
    }

    private static bool Given(YamlMap map, string key, string parameter) => (map.Find(key) as YamlMap)?.Find(parameter) is not null;

    private static EvidenceDraft? Parent(EvidenceDraft draft, EvidenceNeed need, Dictionary<string, EvidenceDraft> byName, FaultList faults)
    {
        var at = draft.At("for_each");
        if (!byName.TryGetValue(need.ForEach!, out var parent))
        {
            faults.Meaning(at, $"there is no evidence '{need.ForEach}'{NearMiss.Hint(need.ForEach!, byName.Keys.Where(n => n != draft.Name))}");
            return null;
        }
        if (parent.Need is { } other && other.Source != need.Source)
        {
            faults.Meaning(at, $"'{need.Name}' is read from {need.Source} and cannot be called for each row of '{other.Name}', which is from {other.Source}");
            return null;
        }
        if (draft.Operation is { } child && parent.Operation is { } of && child.Scope != of.Scope)
        {
            faults.Meaning(at, $"{child.Name} is {Word(child.Scope)} but {of.Name} is {Word(of.Scope)}; for_each stays in the parent row's region");
            return null;
        }
        if (AskedOnceOf(draft) is { } whole && whole != AskedOnceOf(parent))
        {
            faults.Meaning(
                at, $"{draft.Operation!.Name} is asked once of the {whole} but {parent.Operation?.Name} is not; for_each stays in the parent row's account");
            return null;
        }
        return parent;
    }

    /// <summary>Returns the kind of whole of which the operation is asked once; what comes from a parent's row is no default of the whole.</summary>
    private static string? AskedOnceOf(EvidenceDraft draft) => draft is { Need: { } need, Operation: { } operation }
        ? operation.AskedOnceOf(need.Params.SetItems(need.With.Select(w => KeyValuePair.Create(w.Key, JsonSerializer.SerializeToElement("")))))
        : null;

    private static void With(EvidenceDraft draft, EvidenceNeed need, EvidenceDraft? parent, YamlScalar key, YamlNode value, FaultList faults)
    {
        if (draft.Operation is { } operation && operation.Parameters.All(p => p.Name != key.Text))
            EvidenceReader.UnknownParameter(operation, key, faults);
        if (need.Params.ContainsKey(key.Text))
            faults.Meaning(key.Position, $"the parameter '{key.Text}' is given in both 'params' and 'with'");
        if (parent is not { Need: { } from, Operation: not null } || value is not YamlScalar column)
            return;
        if (RowFilterReader.ColumnOf(column, HandedOn(parent, from), Shown(from), faults) is { } type
            && draft.Operation?.Parameters.FirstOrDefault(p => p.Name == key.Text) is { } parameter && !PassedValue.MayFit(parameter.Type, type))
        {
            faults.Meaning(
                column.Position,
                $"column '{column.Text}' of {Shown(from)} is {TypedValue.Word(type)}, which the parameter '{key.Text}' of {draft.Operation!.Name} "
                + $"({TypedValue.Word(parameter.Type)}) does not take");
        }
    }

    /// <summary>Checks <c>keep</c> against the columns of the table itself, and <c>where</c> against those of its parent.</summary>
    private static void Filters(EvidenceDraft draft, EvidenceNeed need, EvidenceDraft? parent, YamlMap map, FaultList faults)
    {
        if (map.Find("keep") is YamlMap keep && draft.Operation is not null)
            RowFilterReader.Check(keep, "keep", Selected(draft, need), Shown(need), faults);
        if (need.ForEach is null && map.Find("where") is { } stray)
            faults.Meaning(stray.Position, "'where' selects rows of the table that 'for_each' names, but there is no 'for_each'");
        if (map.Find("where") is YamlMap where && parent is { Need: { } from, Operation: not null })
            RowFilterReader.Check(where, "where", HandedOn(parent, from), Shown(from), faults);
    }

    /// <summary>
    /// Returns the columns that a parent's rows pass on. A parent that was itself requested per row also passes on the parameters of its
    /// requests: ListAttachedRolePolicies does not repeat the role.
    /// </summary>
    private static ImmutableArray<Column> HandedOn(EvidenceDraft draft, EvidenceNeed parent) =>
        [.. Selected(draft, parent), .. parent.With.Keys.Select(p => new Column("_with_" + p, ColumnType.Text))];

    /// <summary>Returns the columns that the provider fills in: a parameter may choose some of them.</summary>
    private static ImmutableArray<Column> Selected(EvidenceDraft draft, EvidenceNeed need) =>
        draft.Operation?.Selected(need.Params) is { } chosen ? [.. need.Columns.Where(c => c.Name[0] == '_' || chosen.Contains(c.Name))] : need.Columns;

    private static string Shown(EvidenceNeed need) => $"'{need.Name}' ({need.Operation})";

    private static void Cycles(ImmutableArray<EvidenceDraft> drafts, Dictionary<string, EvidenceDraft> byName, FaultList faults)
    {
        var reported = new HashSet<string>(StringComparer.Ordinal);
        foreach (var draft in drafts)
        {
            var path = new List<string> { draft.Name };
            var next = draft.Need?.ForEach;
            while (next is not null && !path.Contains(next) && byName.TryGetValue(next, out var parent))
            {
                path.Add(next);
                next = parent.Need?.ForEach;
            }
            if (next != draft.Name || !reported.Add(draft.Name))
                continue;
            reported.UnionWith(path);
            faults.Meaning(draft.At("for_each"), $"for_each forms a cycle: {string.Join(" -> ", path)} -> {next}");
        }
    }

    private static string Word(OperationScope scope) => scope == OperationScope.Global ? "global" : "regional";
}
