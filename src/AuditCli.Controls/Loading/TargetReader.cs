using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls.Loading;

/// <summary>Reads the targets of an engagement and checks their settings against those that each source allows.</summary>
internal static class TargetReader
{
    private const string Credentials = "credentials_of";

    /// <summary>Reads the targets, and the names of those that the auditor's own credentials read.</summary>
    /// <param name="folder">The full path of the engagement's folder.</param>
    /// <param name="live">Whether files named in settings are needed; a replay does not read them.</param>
    public static (ImmutableArray<Target> Targets, ImmutableSortedSet<string> ReadByAuditor) Read(
        MapReader map, ImmutableArray<EvidenceSource> sources, string folder, bool live, FaultList faults)
    {
        var entries = map.Entries("targets", TextForm.Name);
        var auditors = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if ((entry.Value as YamlMap)?.Find(Credentials) is { } whose
                && NodeReader.Word(whose, $"'{Credentials}'", ControlWords.CredentialsOf, faults) == ControlWords.Auditor)
                auditors.Add(entry.Key.Text);
        }
        return ([.. entries.Select(e => Read(e, sources, folder, live, faults)).OfType<Target>()], auditors.ToImmutable());
    }

    private static Target? Read(YamlEntry entry, ImmutableArray<EvidenceSource> sources, string folder, bool live, FaultList faults)
    {
        var (name, node) = (entry.Key.Text, entry.Value);
        if (node is not YamlMap map)
        {
            faults.Form(node.Position, $"target '{name}' must be a map of its source and settings, but is {node.Described}");
            return null;
        }
        var known = string.Join(", ", sources.Select(s => s.Name));
        var named = map.Entries.Where(e => e.Key.Text != Credentials).ToArray();
        if (named.Length != 1)
        {
            faults.Form(map.Position, $"target '{name}' must have exactly one source ({known}), but has {named.Length}");
            return null;
        }
        var (word, settings) = named[0];
        if (sources.FirstOrDefault(s => s.Name == word.Text) is not { } source)
        {
            faults.Form(word.Position, $"unknown source '{word.Text}'{NearMiss.Hint(word.Text, sources.Select(s => s.Name))}; the sources are {known}");
            return null;
        }
        if (MapReader.Of(settings, $"'{word.Text}'", faults) is not { } reader)
            return null;
        var values = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        foreach (var setting in source.TargetSettings)
        {
            if ((setting.Required ? reader.Required(setting.Name) : reader.Optional(setting.Name)) is { } value
                && Value(value, setting, folder, live, faults) is { } read)
                values[setting.Name] = read;
        }
        reader.Close();
        var target = new Target(name, source.Name, values.ToImmutable());
        if (source.WhyNotTarget(target) is { } why)
            faults.Meaning(settings.Position, $"target '{name}': {why}");
        return target;
    }

    private static ImmutableArray<string>? Value(YamlNode node, TargetSetting setting, string folder, bool live, FaultList faults)
    {
        var label = $"'{setting.Name}'";
        return setting.Form switch
        {
            TargetSettingForm.Flag => NodeReader.Flag(node, label, faults) is { } flag ? [flag ? "true" : "false"] : null,
            TargetSettingForm.Text => One(node, label, setting, faults),
            TargetSettingForm.File => NodeReader.Text(node, label, faults) is { } written
                && EngagementPath.CredentialsFile(node, written, folder, live, faults) is { } file
                    ? [file]
                    : null,
            TargetSettingForm.TextList => NodeReader.Texts(node, label, 0, faults),
            TargetSettingForm.TextOrList => node is YamlList ? NodeReader.Texts(node, label, 1, faults) : One(node, label, setting, faults),
            _ => throw new InvalidOperationException("a setting form that cannot be read"),
        };
    }

    private static ImmutableArray<string>? One(YamlNode node, string label, TargetSetting setting, FaultList faults)
    {
        var text = setting.Choices.IsEmpty ? NodeReader.Text(node, label, faults) : NodeReader.Word(node, label, setting.Choices, faults);
        return text is null ? null : [text];
    }
}
