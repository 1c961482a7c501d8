using System.Collections.Immutable;

namespace AuditCli.Controls;

/// <summary>
/// A framework to whose clauses controls refer: ids of clauses with AuditCli's own short words for each, never the standard's sentences.
/// </summary>
/// <param name="Key">The word that controls write, with the version where its numbers depend on it, such as <c>cis-aws-5.0</c>.</param>
/// <param name="Complete">Whether every clause is listed.</param>
/// <param name="Listed">Which clauses are listed, in a sentence.</param>
/// <param name="Clauses">The clauses in the order of the file.</param>
public sealed record Framework(
    string Key, string Title, string Publisher, string Version, bool Complete, string Listed, ImmutableArray<FrameworkClause> Clauses)
{
    /// <summary>The folder of frameworks in a library.</summary>
    public const string Folder = "frameworks";

    /// <summary>Whether the framework lists a clause of that id.</summary>
    public bool Has(string clause) => Clauses.Any(c => c.Id == clause);
}

/// <summary>A clause of a framework.</summary>
/// <param name="Words">What the clause is about, in our own words.</param>
public sealed record FrameworkClause(string Id, string Words);
