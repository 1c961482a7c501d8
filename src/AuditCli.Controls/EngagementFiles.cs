using AuditCli.Controls.Yaml;

namespace AuditCli.Controls;

/// <summary>Where the files and folders are that an engagement names: where it says, or in the bundle that it stands in.</summary>
internal sealed class EngagementFiles
{
    private readonly string? _bundle;
    private readonly string? _exchanges;

    /// <summary>Whether the engagement's own library is read; where another takes its place, or none is needed, it need not be there.</summary>
    public bool UsesLibrary { get; init; } = true;

    /// <param name="engagement">The engagement's file.</param>
    public EngagementFiles(string engagement) => Folder = Path.GetDirectoryName(Path.GetFullPath(engagement))!;

    /// <param name="bundle">The folder of the bundle, at whose copies alone is looked.</param>
    /// <param name="exchanges">The folder of recorded exchanges, full path.</param>
    public EngagementFiles(string engagement, string bundle, string exchanges)
        : this(engagement) => (_bundle, _exchanges) = (Path.GetFullPath(bundle), exchanges);

    /// <summary>The engagement's folder, full path.</summary>
    public string Folder { get; }

    /// <summary>Whether only the bundle's copies are looked at; an input that no control asked for is not among them.</summary>
    public bool AreABundles => _bundle is not null;

    /// <summary>Whether the targets are reached over a network, so that what their settings name is needed.</summary>
    public bool AreLive(MapReader map) => !AreABundles && map.Map.Find("replay") is null;

    public string? Library(MapReader map, FaultList faults) => FolderAt(map, "library", faults, looks: UsesLibrary);

    public string? Replay(MapReader map, FaultList faults) => FolderAt(map, "replay", faults) ?? _exchanges;

    /// <summary>An input's file by full path; null with a fault, or where the bundle does not hold it.</summary>
    public string? Input(string name, YamlNode node, string written, FaultList faults)
    {
        if (_bundle is null)
            return EngagementPath.InsideFile(node, written, Folder, faults);
        var copy = Path.Combine(_bundle, "data", "inputs", name, name + Path.GetExtension(written).ToLowerInvariant());
        return File.Exists(copy) ? copy : null;
    }

    private string? FolderAt(MapReader map, string key, FaultList faults, bool looks = true) =>
        map.OptionalText(key) is { } written && looks && !AreABundles ? EngagementPath.Folder(map.Map.Find(key)!, written, Folder, faults) : null;
}
