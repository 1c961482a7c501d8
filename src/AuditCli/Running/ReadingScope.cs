using System.Collections.Immutable;
using AuditCli.Controls.Planning;
using AuditCli.Evidence;
using AuditCli.Libraries;

namespace AuditCli.Running;

/// <summary>What selected controls read from one source.</summary>
/// <param name="Controls">The ids of the controls, in order.</param>
/// <param name="Operations">The operations, each once, ordered by name.</param>
/// <param name="Targets">The targets; empty if there is no engagement to name them.</param>
internal sealed record SourceScope(ImmutableArray<string> Controls, ImmutableArray<Operation> Operations, ImmutableArray<Target> Targets);

/// <summary>What selected controls would read, by source. Determined without any request.</summary>
/// <param name="NotTested">Controls and targets of the engagement for which no request would be made.</param>
internal sealed record ReadingScope(ImmutableSortedDictionary<string, SourceScope> Asked, ImmutableArray<NotTested> NotTested)
{
    /// <summary>Returns exactly what a run of the engagement would read.</summary>
    public static async Task<(ReadingScope? Scope, ImmutableArray<string> Faults)> OfEngagementAsync(
        AuditHost host, string file, string? library, PlanFilter filter, CancellationToken cancellationToken)
    {
        var subject = new RunSubject(host.Shown(host.FullPath(file)), host.FullPath(file), library is null ? null : host.FullPath(library), filter);
        await using var evaluation = host.StartEvaluation();
        var (run, faults) = await PreparedRun.LoadAsync(subject, host, evaluation, cancellationToken);
        if (run is null)
            return (null, [.. faults.Select(f => f.ToString())]);
        var asked = run.Plan.Plan.Requests.GroupBy(r => r.Operation.Source, StringComparer.Ordinal).ToImmutableSortedDictionary(
            g => g.Key,
            g => new SourceScope(
                InOrder(g.SelectMany(r => r.Names).Select(n => n.Control)),
                Each(g.Select(r => r.Operation)),
                [.. run.Engagement.Targets.Where(t => g.Any(r => r.Target == t.Name))]),
            StringComparer.Ordinal);
        return (new(asked, run.Plan.Plan.NotTested), []);
    }

    /// <summary>Returns what the active controls of a library would read, for any engagement.</summary>
    /// <param name="ids">Ids and globs of controls; empty for all.</param>
    public static (ReadingScope? Scope, ImmutableArray<string> Faults) OfLibrary(AuditHost host, string? folder, ImmutableArray<string> ids)
    {
        var library = ChosenLibrary.Load(folder, host);
        if (!library.Faults.IsEmpty)
            return (null, [.. library.Faults.Select(f => f.ToString())]);
        var (selected, unknown) = library.Select(ids);
        if (!unknown.IsEmpty)
            return (null, [.. unknown.Select(u => $"--control {u}")]);
        var needs = selected.Where(c => c.Control.Status != "retired")
            .SelectMany(c => c.Control.Evidence.Where(e => !e.IsFile).Select(e => (c.Control.Id, Need: e)));
        var asked = needs.GroupBy(n => n.Need.Source, StringComparer.Ordinal).ToImmutableSortedDictionary(
            g => g.Key,
            g => new SourceScope(
                InOrder(g.Select(n => n.Id)),
                Each(g.Select(n => host.Sources.Single(s => s.Name == g.Key).FindOperation(n.Need.Operation)!)),
                []),
            StringComparer.Ordinal);
        return (new(asked, []), []);
    }

    private static ImmutableArray<string> InOrder(IEnumerable<string> ids) => [.. ids.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static ImmutableArray<Operation> Each(IEnumerable<Operation> operations) =>
        [.. operations.DistinctBy(o => o.Name).OrderBy(o => o.Name, StringComparer.Ordinal)];
}
