using AuditCli.Controls.Yaml;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Controls.Loading;

/// <summary>
/// Finds the files and folders that an engagement names: at the stated paths, or in the bundle that contains the engagement.
/// </summary>
internal sealed class EngagementFiles
{
    private readonly Func<string, string>? _place;
    private readonly Func<string, bool>? _has;
    private readonly string? _exchanges;

    /// <summary>
    /// Whether the engagement's own library is read; when another one replaces it, or none is needed, it may be missing.
    /// </summary>
    public bool UsesLibrary { get; init; } = true;

    /// <summary>The folder of an unsealed bundle whose copies of the inputs are used, wherever the originals are; null for the originals.</summary>
    public string? InputsIn { get; init; }

    /// <param name="engagement">The engagement's file.</param>
    public EngagementFiles(string engagement) => Folder = Path.GetDirectoryName(Path.GetFullPath(engagement))!;

    /// <param name="place">Returns where a file of the bundle is, by its path in it; only the bundle's copies are used.</param>
    /// <param name="has">Whether there is a file in such a place.</param>
    /// <param name="exchanges">The full path of the folder of recorded exchanges.</param>
    public EngagementFiles(string engagement, Func<string, string> place, Func<string, bool> has, string exchanges)
        : this(engagement) => (_place, _has, _exchanges) = (place, has, exchanges);

    /// <summary>The full path of the engagement's folder.</summary>
    public string Folder { get; }

    /// <summary>Whether only the bundle's copies are used; they do not include inputs that no control requested.</summary>
    public bool AreABundles => _place is not null;

    /// <summary>Whether inputs are the files that people handed over, and not copies in a bundle.</summary>
    public bool AreOriginals => !AreABundles && InputsIn is null;

    /// <summary>Whether the targets are read over a network, so that the files named in their settings are needed.</summary>
    public bool AreLive(MapReader map) => !AreABundles && map.Map.Find("replay") is null;

    public string? Library(MapReader map, FaultList faults) => FolderAt(map, "library", faults, looks: UsesLibrary);

    public string? Replay(MapReader map, FaultList faults) => FolderAt(map, "replay", faults) ?? _exchanges;

    /// <summary>
    /// Returns the full path of an input's file; null with a fault, or where the bundle does not have the file.
    /// </summary>
    public string? Input(string name, YamlNode node, string written, FaultList faults)
    {
        if (InputsIn is { } folder)
            return Path.Combine([folder, .. BundleLayout.Input(name, written).Split('/')]);
        if (_place is null)
            return EngagementPath.InsideFile(node, written, Folder, faults);
        var copy = _place(BundleLayout.Input(name, written));
        return _has!(copy) ? copy : null;
    }

    private string? FolderAt(MapReader map, string key, FaultList faults, bool looks = true) =>
        map.OptionalText(key) is { } written && looks && !AreABundles
            ? EngagementPath.Folder(map.Map.Find(key)!, written, Folder, faults)
            : null;
}
