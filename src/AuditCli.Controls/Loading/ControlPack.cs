using System.Collections.Immutable;
using AuditCli.Controls.Yaml;

namespace AuditCli.Controls.Loading;

/// <summary>
/// A named selection of controls: <c>packs/&lt;name&gt;.yaml</c> in a library, with <c>schema: 1</c>, <c>title</c> and
/// <c>controls</c>, a list of IDs. The pack's controls that have a target run; the others are listed as not tested.
/// </summary>
public sealed record ControlPack(string Name, string Title, ImmutableArray<string> Controls)
{
    /// <summary>The folder of packs in a library.</summary>
    public const string Folder = "packs";

    /// <summary>Finds the pack of that name; returns null, with the faults, when it does not exist or is invalid.</summary>
    /// <param name="files">Every pack of the library, by path from its root.</param>
    /// <param name="library">Every control of the library.</param>
    public static (ControlPack? Pack, ImmutableArray<Diagnostic> Faults) Find(string name, ImmutableArray<LibraryFile> files, ImmutableArray<Control> library)
    {
        if (files.FirstOrDefault(f => Path.GetFileNameWithoutExtension(f.Path) == name) is { } file)
            return Read(file, library);
        var names = files.Select(f => Path.GetFileNameWithoutExtension(f.Path)).ToImmutableArray();
        var known = names.IsEmpty ? "" : $"; it has {string.Join(", ", names.Order(StringComparer.Ordinal))}";
        var message = $"{name}: the library has no such pack{NearMiss.Hint(name, names)}{known}";
        return (null, [new("--pack", 1, 1, message, DiagnosticKind.Meaning)]);
    }

    /// <summary>Reads one pack; every ID must name an active control, and only once.</summary>
    public static (ControlPack? Pack, ImmutableArray<Diagnostic> Faults) Read(LibraryFile file, ImmutableArray<Control> library)
    {
        var (root, parseFaults) = YamlDocument.Parse(file.ShownAs, file.Content.Span);
        var faults = new FaultList();
        faults.AddRange(parseFaults);
        if (root is null || MapReader.Of(root, "a pack", faults) is not { } map || !map.SchemaIsOne())
            return (null, faults.InOrder());
        var title = map.Text("title");
        ImmutableArray<string> controls = map.Required("controls") is { } node ? NodeReader.Texts(node, "'controls'", 1, faults) : [];
        map.Close();
        var items = (map.Map.Find("controls") as YamlList)?.Items.OfType<YamlScalar>() ?? [];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (!seen.Add(item.Text))
                faults.Meaning(item.Position, $"'{item.Text}' is listed twice");
            else if (library.FirstOrDefault(c => c.Id == item.Text) is not { } control)
                faults.Meaning(item.Position, $"there is no control '{item.Text}'{NearMiss.Hint(item.Text, library.Select(c => c.Id))}");
            else if (control.Status != "active")
                faults.Meaning(item.Position, $"{item.Text} is {control.Status}");
        }
        return faults.Count > 0 ? (null, faults.InOrder()) : (new(Path.GetFileNameWithoutExtension(file.Path), title, controls), []);
    }
}
