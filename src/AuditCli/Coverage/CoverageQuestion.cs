using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;
using AuditCli.Controls.Loading;
using AuditCli.Evidence;
using AuditCli.Libraries;
using AuditCli.Reports;

namespace AuditCli.Coverage;

/// <summary>What <c>coverage</c> is asked: which frameworks, for which pack, with which controls, over which bundles.</summary>
/// <param name="Library">The active controls of the library.</param>
/// <param name="Filters">The frameworks and clauses that are meant; empty for all.</param>
internal sealed record CoverageQuestion(
    ImmutableArray<Control> Library,
    FrameworkList Frameworks,
    ImmutableArray<FrameworkFilter> Filters,
    ControlPack? Pack,
    ImmutableArray<OpenedBundle> Bundles,
    ImmutableArray<EvidenceSource> Sources)
{
    /// <exception cref="InvalidDataException">A file of a bundle is not the one that was sealed.</exception>
    public CoverageReport Answer()
    {
        var notes = new SortedSet<string>(StringComparer.Ordinal);
        var known = Known(notes);
        foreach (var control in known)
            notes.UnionWith(control.Versions.SelectMany(v => Unlisted(control.Id, v)));
        var claims = Pack is { Clauses.IsEmpty: false } or { Domains.IsEmpty: false };
        var asked = Frameworks.Frameworks.Where(IsAsked).ToArray();
        var all = Filters.IsEmpty && Pack is null;
        var unreferenced = asked.Where(f => all && !known.Any(k => k.Versions.Any(v => v.References.ContainsKey(f.Key)))).ToArray();
        return new(
            Bundles,
            Pack is null ? null : new(Pack.Name, Pack.Title, claims),
            Filters.IsEmpty && Pack is not null
                ? [.. Pack.Domains.Select(d => new CoverageRow(ControlFilter.WordOf(d), Wording.Name(d), Controls(known, v => v.Domain == d)))]
                : [],
            [.. asked.Except(unreferenced).Select(f => new FrameworkCoverage(f, [.. ClausesOf(f).Select(c => Row(known, f, c))]))],
            [.. unreferenced],
            [.. notes]);
    }

    private CoverageRow Row(ImmutableArray<KnownControl> known, Framework framework, FrameworkClause clause) => new(
        clause.Id, clause.Words, Controls(known, v => v.References.TryGetValue(framework.Key, out var clauses) && clauses.Contains(clause.Id)));

    /// <summary>
    /// Returns whether a framework is meant: the filters name it or, without filters, the pack stands for clauses of it or, if it states
    /// none, has a control that refers to it.
    /// </summary>
    private bool IsAsked(Framework framework) =>
        !Filters.IsEmpty ? Filters.Any(f => f.Matches(framework.Key))
        : Pack is null || Pack.Clauses.ContainsKey(framework.Key)
            || (Pack.Clauses.IsEmpty && Pack.Domains.IsEmpty && Library.Any(c => Pack.Controls.Contains(c.Id) && c.References.ContainsKey(framework.Key)));

    private IEnumerable<FrameworkClause> ClausesOf(Framework framework) => framework.Clauses
        .Where(c => Filters.IsEmpty || Filters.Any(f => f.Matches(framework.Key, c.Id)))
        .Where(c => Pack is null || !Pack.Clauses.TryGetValue(framework.Key, out var chosen) || chosen.Contains(c.Id));

    private ImmutableArray<CoveringControl> Controls(ImmutableArray<KnownControl> known, Predicate<Control> helps) =>
    [
        .. known.Where(k => k.Versions.Any(v => helps(v)))
            .Select(k => new CoveringControl(k.Id, k.Title, Pack is null || Pack.Controls.Contains(k.Id), [.. k.InBundles.Select(b => b.Answer(helps))])),
    ];

    private IEnumerable<string> Unlisted(string id, Control version) => version.References.SelectMany(r =>
        Frameworks.Find(r.Key) is not { } framework
            ? [$"{id} {version.Version} refers to {r.Key}, which is no framework of the library or the program"]
            : r.Value.Where(c => !framework.Has(c)).Select(c => $"{id} {version.Version} refers to {r.Key} {c}, which the framework does not list"));

    private ImmutableArray<KnownControl> Known(SortedSet<string> notes)
    {
        var library = Library.ToDictionary(c => c.Id, StringComparer.Ordinal);
        var ids = library.Keys.Concat(Bundles.SelectMany(b => b.Results.Controls.Select(c => c.Id))).Distinct(StringComparer.Ordinal);
        return [.. ids.Order(StringComparer.Ordinal).Select(id => Known(id, library.GetValueOrDefault(id), notes))];
    }

    private KnownControl Known(string id, Control? definition, SortedSet<string> notes)
    {
        var found = Bundles.Select(b => InBundle.Of(b, id, definition, Sources)).ToImmutableArray();
        foreach (var (bundle, seen) in Bundles.Zip(found))
        {
            if (seen is { Result: not null, IsOwnFile: false })
            {
                notes.Add($"{bundle.Id} holds no file of {id} that can be read as the one that concluded; "
                    + (definition is null ? "what it refers to is not known" : "what the library's refers to is shown"));
            }
        }
        var versions = found.Select(f => f.Version).Append(definition).OfType<Control>().DistinctBy(c => c.Sha256).ToImmutableArray();
        var title = definition?.Title ?? found.Select(f => f.Result?.Title).OfType<string>().First();
        return new(id, title, versions, found);
    }

    /// <summary>A control of the library or of a bundle.</summary>
    /// <param name="Versions">Its files in the library and in the bundles, each once.</param>
    private sealed record KnownControl(string Id, string Title, ImmutableArray<Control> Versions, ImmutableArray<InBundle> InBundles);

    /// <summary>A control as one bundle has it.</summary>
    /// <param name="Result">Null if it was not tested.</param>
    /// <param name="Version">What states its references: the bundle's own file, else the library's; null if there is neither.</param>
    /// <param name="IsOwnFile">Whether it is the bundle's own.</param>
    /// <param name="Reason">Why it was not tested.</param>
    private sealed record InBundle(ControlResult? Result, Control? Version, bool IsOwnFile, string Reason)
    {
        public static InBundle Of(OpenedBundle bundle, string id, Control? definition, ImmutableArray<EvidenceSource> sources)
        {
            if (bundle.Results.Controls.FirstOrDefault(c => c.Id == id) is { } result)
            {
                var own = bundle.ControlOf(result, sources);
                return new(result, own ?? definition, own is not null, "");
            }
            var reasons = bundle.Results.NotTested.Where(n => n.Id == id).Select(n => n.Reason).ToArray();
            return new(Result: null, Version: null, IsOwnFile: false, reasons.Length > 0 ? string.Join("; ", reasons) : "the run did not have it");
        }

        public BundleAnswer Answer(Predicate<Control> helps) =>
            Result is null ? new(Conclusion: null, $"not tested: {Reason}")
            : Version is null || !helps(Version) ? new(Conclusion: null, $"not tested for this: version {Result.Version} does not refer to it")
            : new(Result.Conclusion, ControlReasons.Conclusion(Result));
    }
}
