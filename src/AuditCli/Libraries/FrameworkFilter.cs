using AuditCli.Controls;
using AuditCli.Controls.Loading;
using AuditCli.Controls.Yaml;

namespace AuditCli.Libraries;

/// <summary>A framework or clauses of it, as the command line names them: KEY or KEY:CLAUSE, each exact or a glob.</summary>
/// <param name="Written">The text of the command line.</param>
/// <param name="Clause">Null for every clause.</param>
internal sealed record FrameworkFilter(string Written, string Key, string? Clause)
{
    public static FrameworkFilter Parse(string text) =>
        text.Split(':', 2) is [var key, var clause] ? new(text, key, clause) : new(text, text, Clause: null);

    public bool Matches(string key) => IdGlob.Matches(Key, key);

    public bool Matches(string key, string clause) => Matches(key) && (Clause is null || IdGlob.Matches(Clause, clause));

    /// <summary>Whether a control refers to what the filter names.</summary>
    public bool Matches(Control control) => control.References.Any(r => r.Value.Any(clause => Matches(r.Key, clause)));

    /// <summary>Returns why the filter names nothing, with what it could have named; null if it names a framework or a clause.</summary>
    public string? WhyNothing(FrameworkList frameworks)
    {
        var keys = frameworks.Frameworks.Select(f => f.Key).ToArray();
        var named = frameworks.Frameworks.Where(f => Matches(f.Key)).ToArray();
        if (named.Length == 0)
            return $"--framework {Written}: there is no framework '{Key}'{NearMiss.Hint(Key, keys)}; the frameworks are {string.Join(", ", keys)}";
        var clauses = named.SelectMany(f => f.Clauses.Select(c => c.Id)).Distinct(StringComparer.Ordinal).ToArray();
        if (Clause is null || clauses.Any(c => IdGlob.Matches(Clause, c)))
            return null;
        var owners = string.Join(", ", named.Select(f => f.Key));
        return $"--framework {Written}: {owners} has no clause '{Clause}'{NearMiss.Hint(Clause, clauses)}; its clauses are {string.Join(", ", clauses)}";
    }
}
