using System.Collections.Immutable;
using AuditCli.Bundles;
using AuditCli.Controls;
using AuditCli.Controls.Evaluation;

namespace AuditCli.Diff;

/// <summary>
/// Determines which evidence the SQL of tests names. The SQL may come from an untrusted bundle, so a separate process parses it, with a
/// short time limit for each text and for all together.
/// </summary>
internal static class TestsRead
{
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Returns, for each bundle, the evidence by control and test. A test that could not be parsed is left out, and a note names its
    /// control.
    /// </summary>
    /// <param name="controls">The controls to parse; if there are none, no process is started.</param>
    /// <exception cref="InvalidDataException">A control's file is not the one that was sealed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<(ImmutableArray<ImmutableDictionary<(string Control, string Test), ImmutableArray<string>>> Read, ImmutableArray<string> Notes)>
        OfAsync(
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
            var wanted = bundle.Results.Controls.Where(c => controls.Contains(c.Id)).DistinctBy(c => c.Id);
            foreach (var control in wanted.Select(c => bundle.ControlOf(c, host.Sources)).OfType<Control>())
            {
                var found = ImmutableArray<TestEvidence>.Empty;
                try
                {
                    found = await evaluation.EvidenceOfAsync(control, limited.Token);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // The time limit for all tests has passed: the remaining ones count as reading all evidence of their control.
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
