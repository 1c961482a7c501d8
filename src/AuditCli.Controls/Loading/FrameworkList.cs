using System.Collections.Immutable;
using AuditCli.Controls.Yaml;

namespace AuditCli.Controls.Loading;

/// <summary>The frameworks that references of controls may name, by key, and every fault of their files.</summary>
public sealed record FrameworkList(ImmutableArray<Framework> Frameworks, ImmutableArray<Diagnostic> Faults)
{
    private const string End = ".yaml";

    /// <summary>
    /// The keys whose file has faults. What refers to them is not checked, because those faults come first.
    /// </summary>
    public ImmutableSortedSet<string> Unread { get; init; } = [];

    /// <summary>Reads the frameworks of a library over the shipped ones; a key that both have is the library's own.</summary>
    public static FrameworkList Load(IEnumerable<LibraryFile> shipped, IEnumerable<LibraryFile> own)
    {
        var faults = new FaultList();
        var found = new SortedDictionary<string, Framework?>(StringComparer.Ordinal);
        foreach (var file in shipped.Concat(own))
        {
            if (KeyOf(file, faults) is not { } key)
                continue;
            var (framework, wrong) = Read(key, file);
            faults.AddRange(wrong);
            found[key] = framework;
        }
        return new([.. found.Values.OfType<Framework>()], faults.InOrder())
        {
            Unread = [.. found.Where(f => f.Value is null).Select(f => f.Key)],
        };
    }

    /// <summary>Returns the framework of that key, or null when there is none.</summary>
    public Framework? Find(string key) => Frameworks.FirstOrDefault(f => f.Key == key);

    /// <summary>Returns the faults of a control's references: a framework or clause that does not exist, or a clause named twice.</summary>
    public ImmutableArray<Diagnostic> FaultsOf(LoadedControl loaded)
    {
        ArgumentNullException.ThrowIfNull(loaded);
        var faults = ImmutableArray.CreateBuilder<Diagnostic>();
        foreach (var (key, clauses) in loaded.Control.References)
        {
            if (WhyNoFramework(key) is { } wrong)
                faults.Add(loaded.FaultIn(PlaceOf(key), 1, 1, wrong));
            for (var i = 0; i < clauses.Length; i++)
            {
                var fault = clauses.IndexOf(clauses[i]) < i ? $"{key} {clauses[i]} is listed twice" : WhyNoClause(key, clauses[i]);
                if (fault is not null)
                    faults.Add(loaded.FaultIn(PlaceOf(key, i), 1, 1, fault));
            }
        }
        return faults.ToImmutable();
    }

    /// <summary>Returns why a key names no framework, with the nearest one; null when it does.</summary>
    public string? WhyNoFramework(string key) => Find(key) is not null || Unread.Contains(key) ? null
        : $"there is no framework '{key}'{NearMiss.Hint(key, Frameworks.Select(f => f.Key))}; "
            + $"add {Framework.Folder}/{key}{End} to the library, or name one of {string.Join(", ", Frameworks.Select(f => f.Key))}";

    /// <summary>Returns why a framework has no such clause, with the nearest one; null when it has it, or is unknown itself.</summary>
    public string? WhyNoClause(string key, string clause) => Find(key) is not { } framework || framework.Has(clause) ? null
        : $"{key} has no clause '{clause}'{NearMiss.Hint(clause, framework.Clauses.Select(c => c.Id))}"
            + (framework.Complete ? "" : $"; it lists a selection, and {Framework.Folder}/{key}{End} of the library may list more");

    /// <summary>The key of <see cref="LoadedControl.Positions"/> for a framework among a control's references.</summary>
    internal static string PlaceOf(string framework) => $"references.{framework}";

    /// <summary>The key of <see cref="LoadedControl.Positions"/> for a clause among a control's references.</summary>
    internal static string PlaceOf(string framework, int index) => $"references.{framework}[{index}]";

    private static string? KeyOf(LibraryFile file, FaultList faults)
    {
        var parts = file.Path.Split('/');
        var key = parts[^1].EndsWith(End, StringComparison.Ordinal) ? parts[^1][..^End.Length] : "";
        if (parts.Length == 2 && TextForm.Framework.Pattern.IsMatch(key))
            return key;
        faults.Meaning(
            new(file.ShownAs, 1, 1), $"a framework must be {Framework.Folder}/<key>{End}, and its key {TextForm.Framework.Described}; this is not");
        return null;
    }

    private static (Framework? Framework, ImmutableArray<Diagnostic> Faults) Read(string key, LibraryFile file)
    {
        var (root, parseFaults) = YamlDocument.Parse(file.ShownAs, file.Content.Span);
        var faults = new FaultList();
        faults.AddRange(parseFaults);
        if (root is null || MapReader.Of(root, "a framework", faults) is not { } map || !map.SchemaIsOne())
            return (null, faults.InOrder());
        var framework = new Framework(
            key, map.Text("title"), map.Text("publisher"), map.Text("version"), map.Flag("complete"), map.Text("listed"),
            [
                .. map.Entries("clauses", TextForm.Clause, atLeast: 1)
                    .Select(e => new FrameworkClause(e.Key.Text, NodeReader.Text(e.Value, $"'{e.Key.Text}'", faults) ?? "")),
            ]);
        map.Close();
        return (faults.Count == 0 ? framework : null, faults.InOrder());
    }
}
