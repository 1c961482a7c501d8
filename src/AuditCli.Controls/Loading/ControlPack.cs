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

    /// <summary>The domains that the pack stands for, so that one without a control is a gap.</summary>
    public ImmutableArray<ItgcDomain> Domains { get; init; } = [];

    /// <summary>The clauses that the pack stands for, by framework and in its order, so that one without a control is a gap.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Clauses { get; init; } =
        ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>Finds the pack of that name; returns null, with the faults, when it does not exist or is invalid.</summary>
    /// <param name="files">Every pack of the library, by path from its root.</param>
    /// <param name="library">Every control of the library.</param>
    public static (ControlPack? Pack, ImmutableArray<Diagnostic> Faults) Find(
        string name, ImmutableArray<LibraryFile> files, ImmutableArray<Control> library, FrameworkList frameworks)
    {
        if (files.FirstOrDefault(f => NameOf(f) == name) is { } file)
            return Read(file, library, frameworks);
        var names = files.Select(NameOf).ToImmutableArray();
        var known = names.IsEmpty ? "" : $"; it has {string.Join(", ", names.Order(StringComparer.Ordinal))}";
        var message = $"{name}: the library has no such pack{NearMiss.Hint(name, names)}{known}";
        return (null, [new("--pack", 1, 1, message, DiagnosticKind.Meaning)]);
    }

    /// <summary>Returns the name of a pack, which is that of its file.</summary>
    public static string NameOf(LibraryFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Path.GetFileNameWithoutExtension(file.Path);
    }

    /// <summary>Whether a file of a library stands where a pack must stand.</summary>
    internal static bool IsPack(LibraryFile file) => file.Path.Split('/') is [Folder, var name] && name.EndsWith(".yaml", StringComparison.Ordinal);

    /// <summary>
    /// Reads one pack. Every ID must name an active control, and only once; every clause must exist in its framework.
    /// </summary>
    public static (ControlPack? Pack, ImmutableArray<Diagnostic> Faults) Read(LibraryFile file, ImmutableArray<Control> library, FrameworkList frameworks)
    {
        var (root, parseFaults) = YamlDocument.Parse(file.ShownAs, file.Content.Span);
        var faults = new FaultList();
        faults.AddRange(parseFaults);
        if (root is null || MapReader.Of(root, "a pack", faults) is not { } map || !map.SchemaIsOne())
            return (null, faults.InOrder());
        var title = map.Text("title");
        ImmutableArray<string> controls = map.Required("controls") is { } node ? NodeReader.Texts(node, "'controls'", 1, faults) : [];
        var pack = new ControlPack(NameOf(file), title, controls);
        if (map.OptionalMap("covers") is { } covers)
        {
            pack = pack with { Domains = DomainsOf(covers, faults), Clauses = ClausesOf(covers, frameworks, faults) };
            covers.Close();
        }
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
        return faults.Count > 0 ? (null, faults.InOrder()) : (pack, []);
    }

    private static ImmutableArray<ItgcDomain> DomainsOf(MapReader covers, FaultList faults) =>
    [
        .. covers.OptionalItems("domains").Select(d => NodeReader.Word(d, "an item of 'domains'", ControlWords.Domains, faults))
            .OfType<ItgcDomain>().Distinct().Order(),
    ];

    /// <summary>Returns the clauses that the pack names, with globs such as <c>CC6.*</c> replaced by what they match.</summary>
    private static ImmutableSortedDictionary<string, ImmutableArray<string>> ClausesOf(MapReader covers, FrameworkList frameworks, FaultList faults)
    {
        var chosen = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
        foreach (var (key, value) in covers.OptionalEntries("frameworks", TextForm.Framework))
        {
            if (frameworks.WhyNoFramework(key.Text) is { } wrong)
                faults.Meaning(key.Position, wrong);
            var items = NodeReader.Items(value, $"'{key.Text}'", 1, faults);
            var globs = items.Select(i => NodeReader.Text(i, $"an item of '{key.Text}'", faults)).ToArray();
            if (frameworks.Find(key.Text) is not { } framework)
                continue;
            foreach (var (glob, item) in globs.Zip(items))
            {
                if (glob is not null && !framework.Clauses.Any(c => IdGlob.Matches(glob, c.Id)))
                    faults.Meaning(item.Position, frameworks.WhyNoClause(key.Text, glob)!);
            }
            chosen[key.Text] = [.. framework.Clauses.Select(c => c.Id).Where(id => globs.Any(g => g is not null && IdGlob.Matches(g, id)))];
        }
        return chosen.ToImmutable();
    }
}
