using System.Collections.Immutable;
using AuditCli.Controls.Yaml;
using AuditCli.Evidence;

namespace AuditCli.Controls.Loading;

/// <summary>A control, with the details of its file.</summary>
/// <param name="Positions">
/// The positions of texts in the file: <c>id</c>, <c>replaced_by</c>, <c>tests[T1].sql</c>, <c>completeness[0].sql</c>,
/// <c>completeness[0].equals</c>, so that a fault inside SQL can be shown in the file;
/// <c>parameters.days</c>, the parameter's type; and <c>references.soc2-tsc</c>, <c>references.soc2-tsc[0]</c>.
/// </param>
/// <param name="Fixtures">The <c>&lt;id&gt;.fixtures.yaml</c> next to it; null if it does not exist.</param>
public sealed record LoadedControl(
    Control Control,
    ControlOrigin Origin,
    ImmutableDictionary<string, TextPosition> Positions,
    LibraryFile? Fixtures)
{
    /// <summary>Creates a fault of meaning inside one of the control's SQL texts, at its position in the file.</summary>
    /// <param name="key">One of <see cref="Positions"/>; for any other key the fault is at the file's beginning.</param>
    /// <param name="line">The line in the text, from 1.</param>
    /// <param name="column">The column in the text, from 1.</param>
    public Diagnostic FaultIn(string key, int line, int column, string message)
    {
        var at = Positions.TryGetValue(key, out var text) ? text.At(line, column) : new(Control.File, 1, 1);
        return new(at.File, at.Line, at.Column, message, DiagnosticKind.Meaning);
    }
}

/// <summary>The controls of a library, by ID, and every fault of every file. A file with a fault yields no control.</summary>
public sealed record ControlLibrary(ImmutableArray<LoadedControl> Controls, ImmutableArray<Diagnostic> Faults)
{
    private const string ControlEnd = ".yaml";
    private const string FixturesEnd = ".fixtures.yaml";

    /// <summary>Reads a folder laid out as <c>&lt;domain&gt;/&lt;id&gt;.yaml</c>.</summary>
    /// <param name="shipped">ID to digest of the controls embedded in the program.</param>
    public static ControlLibrary Load(string folder, ImmutableArray<EvidenceSource> sources, ImmutableDictionary<string, Digest> shipped)
    {
        var (files, faults) = LibraryFile.ReadFolder(folder);
        var library = Load(files, sources, shipped);
        return library with { Faults = [.. faults, .. library.Faults] };
    }

    /// <summary>Reads a library's files, in any order; the result does not depend on it.</summary>
    /// <param name="shipped">ID to digest of the controls embedded in the program.</param>
    public static ControlLibrary Load(IEnumerable<LibraryFile> files, ImmutableArray<EvidenceSource> sources, ImmutableDictionary<string, Digest> shipped)
    {
        var faults = new FaultList();
        var found = files.Where(f => !LibraryFile.IsNoControl(f.Path) && StandsRight(f, faults))
            .ToImmutableSortedDictionary(f => f.Path, f => f, StringComparer.Ordinal);
        var read = ImmutableArray.CreateBuilder<LoadedControl>();
        foreach (var (path, file) in found)
        {
            if (path.EndsWith(FixturesEnd, StringComparison.Ordinal))
            {
                if (!found.ContainsKey(path[..^FixturesEnd.Length] + ControlEnd))
                    faults.Meaning(new(file.ShownAs, 1, 1), "the control of these fixtures is missing; put its <id>.yaml in the same folder");
                continue;
            }
            var (control, positions, fileFaults) = ControlReader.Read(file, sources);
            faults.AddRange(fileFaults);
            if (control is not null)
                read.Add(new(control, OriginOf(control, shipped), positions, found.GetValueOrDefault(path[..^ControlEnd.Length] + FixturesEnd)));
        }
        CheckTogether(read, found, faults);
        return new([.. read.OrderBy(c => c.Control.Id, StringComparer.Ordinal)], faults.InOrder());
    }

    /// <summary>
    /// Reads a bundle's copies of the controls that were run: a flat folder of <c>&lt;id in lower case&gt;.yaml</c> without
    /// fixtures. The successor of a retired control may be missing.
    /// </summary>
    /// <param name="files">The files of the bundle's folder of controls.</param>
    /// <param name="shipped">ID to digest of the controls embedded in the program.</param>
    public static ControlLibrary OfBundle(IEnumerable<LibraryFile> files, ImmutableArray<EvidenceSource> sources, ImmutableDictionary<string, Digest> shipped)
    {
        var faults = new FaultList();
        var read = ImmutableArray.CreateBuilder<LoadedControl>();
        foreach (var file in files.Where(f => !LibraryFile.IsNoControl(f.Path)).OrderBy(f => f.Path, StringComparer.Ordinal))
        {
            var (control, positions, fileFaults) = ControlReader.Read(file, sources, inBundle: true);
            faults.AddRange(fileFaults);
            if (control is not null)
                read.Add(new(control, OriginOf(control, shipped), positions, Fixtures: null));
        }
        return new([.. read.DistinctBy(c => c.Control.Id).OrderBy(c => c.Control.Id, StringComparer.Ordinal)], faults.InOrder());
    }

    /// <summary>
    /// Returns the controls that match the IDs and globs, each once and in order; all controls where none are given.
    /// </summary>
    /// <returns>The controls, and a message for each ID or glob that matches none.</returns>
    public (ImmutableArray<LoadedControl> Controls, ImmutableArray<string> Faults) Select(ImmutableArray<string> idsOrGlobs)
    {
        var ids = Controls.Select(c => c.Control.Id).ToImmutableArray();
        return (
            [.. Controls.Where(c => idsOrGlobs.IsEmpty || idsOrGlobs.Any(i => IdGlob.Matches(i, c.Control.Id)))],
            [.. idsOrGlobs.Where(i => !ids.Any(id => IdGlob.Matches(i, id))).Select(i => NoSuch(i, ids))]);
    }

    internal static string NoSuch(string idOrGlob, ImmutableArray<string> ids) => $"{idOrGlob}: the library has no such control{NearMiss.Hint(idOrGlob, ids)}";

    /// <summary>Checks what only the library as a whole can show: IDs are unique, and a replacement exists.</summary>
    private static void CheckTogether(IEnumerable<LoadedControl> controls, ImmutableSortedDictionary<string, LibraryFile> files, FaultList faults)
    {
        var names = files.Keys.Select(p => p.Split('/')[^1]).ToImmutableHashSet(StringComparer.Ordinal);
        var first = new Dictionary<string, Control>(StringComparer.Ordinal);
        foreach (var (control, _, positions, _) in controls)
        {
            if (!first.TryAdd(control.Id, control))
                faults.Meaning(positions["id"].Start, $"the id '{control.Id}' is taken by {first[control.Id].File}; ids are never reused");
            if (control.ReplacedBy is { } successor && !names.Contains(successor + ControlEnd))
                faults.Meaning(positions["replaced_by"].Start, $"there is no control '{successor}'");
        }
    }

    private static bool StandsRight(LibraryFile file, FaultList faults)
    {
        var parts = file.Path.Split('/');
        var top = new YamlPosition(file.ShownAs, 1, 1);
        if (!file.Path.EndsWith(ControlEnd, StringComparison.Ordinal))
            faults.Meaning(top, "a library holds <domain>/<id>.yaml and <id>.fixtures.yaml; this is neither");
        else if (parts.Length != 2)
            faults.Meaning(top, "a control must be in its domain's folder: <domain>/<id>.yaml");
        else if (ControlWords.Domains.All(d => d.Word != parts[0]))
        {
            var domains = ControlWords.Domains.Select(d => d.Word).ToImmutableArray();
            faults.Meaning(top, $"'{parts[0]}' is not a domain{NearMiss.Hint(parts[0], domains)}; the domains are {string.Join(", ", domains)}");
        }
        else
            return true;
        return false;
    }

    private static ControlOrigin OriginOf(Control control, ImmutableDictionary<string, Digest> shipped) =>
        !shipped.TryGetValue(control.Id, out var digest) ? ControlOrigin.Local
        : digest == control.Sha256 ? ControlOrigin.Shipped
        : ControlOrigin.Modified;
}
