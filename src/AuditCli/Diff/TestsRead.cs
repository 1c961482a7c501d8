using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Diff;

/// <summary>
/// Which evidence the SQL of tests names. The SQL may be a stranger's, so a process of its own parses it, under a short limit for each text
/// and for all together.
/// </summary>
internal static class TestsRead
{
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(30);

    /// <summary>For each bundle, by control and test; a test of which it could not be found out is left out, and its control named.</summary>
    /// <param name="controls">Those that matter; of none no process is started.</param>
    /// <exception cref="InvalidDataException">A control's file is not the one that was sealed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<(ImmutableArray<ImmutableDictionary<(string Control, string Test), ImmutableArray<string>>> Read, ImmutableArray<string> Notes)> OfAsync(
        ImmutableArray<OpenedBundle> bundles, ImmutableSortedSet<string> controls, AuditHost host, CancellationToken cancellationToken)
    {
        await using var evaluation = new EvaluationProcess(host.Program, EvaluationLimits.Reading);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(MostTime);
        var read = ImmutableArray.CreateBuilder<ImmutableDictionary<(string, string), ImmutableArray<string>>>();
        var notes = ImmutableArray.CreateBuilder<string>();
        foreach (var bundle in bundles)
        {
            var tests = ImmutableDictionary.CreateBuilder<(string, string), ImmutableArray<string>>();
            foreach (var control in bundle.Results.Controls.Where(c => controls.Contains(c.Id)).DistinctBy(c => c.Id).Select(c => bundle.ControlOf(c, host.Sources)).OfType<Control>())
            {
                var found = ImmutableArray<TestEvidence>.Empty;
                try
                {
                    found = await evaluation.EvidenceOfAsync(control, limited.Token);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // The time for all is up: what is left counts as reading everything.
                }
                tests.AddRange(found.Select(t => KeyValuePair.Create((control.Id, t.Test), t.Evidence)));
                if (control.Tests.Where(t => found.All(f => f.Test != t.Id)).Select(t => t.Id).ToArray() is { Length: > 0 } unread)
                {
                    var limits = EvaluationLimits.Reading;
                    notes.Add($"{bundle.Id}: the SQL of {control.Id} {string.Join(", ", unread)} could not be read within {limits.SqlTime.TotalSeconds} s "
                        + $"and {limits.ProcessMemory >> 20} MiB, or is refused; all evidence of the control counts as read by it");
                }
            }
            read.Add(tests.ToImmutable());
        }
        return (read.ToImmutable(), notes.ToImmutable());
    }
}
