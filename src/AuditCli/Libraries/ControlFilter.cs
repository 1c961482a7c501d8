using System.Collections.Immutable;
using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Yaml;

namespace AuditCli.Libraries;

/// <summary>
/// Which controls of a library are meant. Each list holds words or globs, of which one must match; an empty list matches every control; all
/// lists must match.
/// </summary>
internal sealed record ControlFilter(
    ImmutableArray<string> Frameworks, ImmutableArray<string> Domains, ImmutableArray<string> Packs, ImmutableArray<string> Sources)
{
    /// <summary>Returns the controls that match, in order; none, and why, where a word or all together match no control.</summary>
    /// <param name="packsOf">Returns the packs of a name or glob, or why there are none.</param>
    public (ImmutableArray<LoadedControl> Controls, ImmutableArray<string> Faults) Of(
        ControlLibrary library, FrameworkList frameworks, Func<string, (ImmutableArray<ControlPack> Packs, ImmutableArray<Diagnostic> Faults)> packsOf)
    {
        var faults = ImmutableArray.CreateBuilder<string>();
        var left = library.Controls;
        Narrow(Frameworks, written => OfFramework(library, FrameworkFilter.Parse(written), frameworks, faults));
        Narrow(Domains, written => OfWord(library, "--domain", written, c => [WordOf(c.Domain)], faults));
        Narrow(Packs, written => OfPack(library, packsOf(written), faults));
        Narrow(Sources, written => OfWord(library, "--source", written, SourcesOf, faults));
        if (faults.Count == 0 && left.IsEmpty)
            faults.Add($"no control is in all of these: {string.Join(", ", Written)}; 'auditcli controls list' lists every control");
        return faults.Count > 0 ? ([], faults.ToImmutable()) : (left, []);

        void Narrow(ImmutableArray<string> words, Func<string, IEnumerable<LoadedControl>> matching)
        {
            if (words.IsEmpty)
                return;
            var matched = words.SelectMany(matching).Select(c => c.Control.Id).ToHashSet(StringComparer.Ordinal);
            left = [.. left.Where(c => matched.Contains(c.Control.Id))];
        }
    }

    /// <summary>Returns the word of control files for a domain.</summary>
    public static string WordOf(ItgcDomain domain) => ControlWords.Of(ControlWords.Domains, domain);

    /// <summary>Returns the names of what a control reads, each once: sources, and the word for files of management.</summary>
    public static IEnumerable<string> SourcesOf(Control control) =>
        control.Evidence.Select(e => e.Source).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    private IEnumerable<string> Written =>
        [.. Of("--framework", Frameworks), .. Of("--domain", Domains), .. Of("--pack", Packs), .. Of("--source", Sources)];

    private static IEnumerable<string> Of(string option, ImmutableArray<string> words) => words.Select(w => $"{option} {w}");

    private static LoadedControl[] OfFramework(
        ControlLibrary library, FrameworkFilter filter, FrameworkList frameworks, ImmutableArray<string>.Builder faults)
    {
        if (filter.WhyNothing(frameworks) is { } wrong)
        {
            faults.Add(wrong);
            return [];
        }
        var matched = library.Controls.Where(c => filter.Matches(c.Control)).ToArray();
        if (matched.Length == 0)
        {
            var known = library.Controls.SelectMany(c => c.Control.References)
                .SelectMany(r => filter.Matches(r.Key) && filter.Clause is not null ? r.Value : filter.Clause is null ? [r.Key] : []);
            faults.Add($"--framework {filter.Written}: no control of the library refers to it; {Known("controls refer to", known)}");
        }
        return matched;
    }

    private static IEnumerable<LoadedControl> OfPack(
        ControlLibrary library, (ImmutableArray<ControlPack> Packs, ImmutableArray<Diagnostic> Faults) found, ImmutableArray<string>.Builder faults)
    {
        faults.AddRange(found.Faults.Select(f => f.ToString()));
        return library.Controls.Where(c => found.Packs.Any(p => p.Controls.Contains(c.Control.Id)));
    }

    private static LoadedControl[] OfWord(
        ControlLibrary library, string option, string written, Func<Control, IEnumerable<string>> wordsOf, ImmutableArray<string>.Builder faults)
    {
        var matched = library.Controls.Where(c => wordsOf(c.Control).Any(w => IdGlob.Matches(written, w))).ToArray();
        if (matched.Length == 0)
        {
            var known = library.Controls.SelectMany(c => wordsOf(c.Control)).ToArray();
            faults.Add($"{option} {written}: no control of the library has it{NearMiss.Hint(written, known)}; {Known("controls have", known)}");
        }
        return matched;
    }

    private static string Known(string verb, IEnumerable<string> words) =>
        words.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } some
            ? $"{verb} {string.Join(", ", some)}"
            : "the library is empty";
}
