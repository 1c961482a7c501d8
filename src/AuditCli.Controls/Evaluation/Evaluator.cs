using System.Collections.Immutable;
using System.Globalization;
using AuditCli.Evidence.Bundles;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Evaluates whether a control held, from evidence alone: no clock, no network, and the same bytes for the same evidence.
/// </summary>
/// <remarks>
/// The conclusions where the design leaves room:
/// a deviation FAILs although other items are undetermined;
/// a failed completeness check makes deviations <c>indicated</c>, as unread evidence does, and a test that stands when incomplete
/// still FAILs;
/// a state read away from <c>as_of</c> is INCONCLUSIVE even then, since no rows are missing;
/// an incomplete waiver table makes uncovered deviations <c>indicated</c>, since an approval may be among the unread rows;
/// an open human question turns PASS and NO_OCCURRENCE into NEEDS_REVIEW.
/// </remarks>
public static class Evaluator
{
    /// <summary>Evaluates one control over its partitions.</summary>
    /// <param name="partitions">The partitions in any order; results are ordered by target, then account.</param>
    /// <param name="process">
    /// Where the control's SQL runs; null uses this process, which is safe only for trusted controls.
    /// </param>
    /// <param name="open">
    /// Opens a file of results: the rows of a test, named <c>&lt;control&gt;.&lt;test&gt;.ndjson</c> in lower case, and the results by partition,
    /// <c>&lt;control&gt;.partitions.ndjson</c>; it is closed here. It must be seekable: rows that a process wrote before it was killed are
    /// truncated.
    /// </param>
    /// <param name="clean">Cleans the results by partition; rows are cleaned where the SQL runs. Null leaves them as they are.</param>
    /// <returns>The result; a test that fails to run or exceeds its limits is ERROR in it, not an exception.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="IOException">Rows cannot be written, or no process can be started.</exception>
    public static async Task<ControlResult> EvaluateAsync(
        ControlInScope scope,
        ImmutableArray<Partition> partitions,
        AuditMoment moment,
        EvaluationLimits limits,
        EvaluationProcess? process,
        Func<string, Stream> open,
        RowCleaner? clean,
        CancellationToken cancellationToken)
    {
        using var here = process is null ? new ControlEvaluation(scope.Control, clean: null) : null;
        return await EvaluateWithAsync(here, scope, partitions, moment, limits, process, open, clean, cancellationToken);
    }

    /// <inheritdoc cref="EvaluateAsync"/>
    /// <param name="here">Without a process, the compiled control; it serves any number of evaluations.</param>
    internal static async Task<ControlResult> EvaluateWithAsync(
        ControlEvaluation? here,
        ControlInScope scope,
        ImmutableArray<Partition> partitions,
        AuditMoment moment,
        EvaluationLimits limits,
        EvaluationProcess? process,
        Func<string, Stream> open,
        RowCleaner? clean,
        CancellationToken cancellationToken)
    {
        var control = scope.Control;
        var units = control.Tests.ToImmutableDictionary(t => t.Id, t => t.Unit, StringComparer.Ordinal);
        var rows = ImmutableArray.CreateBuilder<Stream>();
        using var written = new PartitionResultsWriter(control.Id, open, clean);
        try
        {
            foreach (var test in control.Tests)
                rows.Add(open(BundleLayout.RowsName(control.Id, test.Id)));
            var (streams, outcomes) = (rows.ToImmutable(), ImmutableArray.CreateBuilder<SliceOutcome>());
            var slices = Slice.Of(control, partitions, scope.LeftOut);
            var question = new ControlQuestion(control, scope.Parameters, moment, limits, Slice.Shared(control, slices)) { Preparer = scope.Preparer };
            foreach (var slice in slices)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var outcome = process is null
                    ? await here!.RunAsync(question, slice, streams, JobSteps.Unwatched, cancellationToken)
                    : await process.EvaluateAsync(question, slice, streams, cancellationToken);
                foreach (var test in outcome.Tests)
                    await written.WriteAsync(test with { Unit = units[test.Id] }, cancellationToken);
                outcomes.Add(outcome with { Tests = [] });
            }
            return Conclude(scope, outcomes.ToImmutable(), written);
        }
        finally
        {
            foreach (var stream in rows)
                await stream.DisposeAsync();
        }
    }

    private static ControlResult Conclude(ControlInScope scope, ImmutableArray<SliceOutcome> outcomes, PartitionResultsWriter written)
    {
        var control = scope.Control;
        var tests = written.Totals;
        var conclusion = Standing.Of(control, [.. tests.Select(t => t.Conclusion)]);
        var notes = Notes(outcomes.SelectMany(o => o.Notes), outcomes.SelectMany(o => o.TakenAsNone), tested: !tests.IsEmpty);
        return new ControlResult(
            control.Id, control.Version, control.Sha256, scope.Origin, conclusion, control.Title, control.Domain,
            HasOneUnit(control) ? outcomes.Sum(o => o.Items.Population) : null,
            outcomes.Sum(o => o.Items.Deviations), outcomes.Sum(o => o.Items.Approved),
            outcomes.Sum(o => o.Items.Undetermined), outcomes.Sum(o => o.Items.Indicated),
            InOrder(outcomes.SelectMany(o => o.Limitations)),
            tests,
            WaiverOutcome.Summarise(outcomes.SelectMany(o => o.Waivers)),
            notes,
            ParameterResult.Of(scope))
        {
            Partitions = written.Written,
            Registers = RegisterOutcome.Summarise(outcomes.SelectMany(o => o.Registers)),
            RefusedDecision = scope.RefusedDecision,
        };
    }

    /// <summary>Whether the populations of a control's tests can be added: regions and events cannot.</summary>
    internal static bool HasOneUnit(Control control) => control.Tests.Select(t => t.Unit).Distinct(StringComparer.Ordinal).Count() == 1;

    /// <summary>Returns limitations as results list them, each once.</summary>
    internal static ImmutableArray<Limitation> InOrder(IEnumerable<Limitation> limitations) => [.. limitations.Distinct().Order(LimitationOrder)];

    /// <summary>Returns the remarks about evidence as results list them, each once.</summary>
    /// <param name="tested">Whether there was a partition to test.</param>
    internal static ImmutableArray<string> Notes(IEnumerable<string> remarks, IEnumerable<TakenAsNone> takenAsNone, bool tested)
    {
        var nones = takenAsNone.GroupBy(n => (n.Evidence, n.Code), n => n.Count).Select(g => (g.Key, Calls: g.Sum()))
            .Select(n => string.Create(
                CultureInfo.InvariantCulture,
                $"{n.Key.Evidence}: {n.Key.Code} was accepted as 'there is none' ({n.Calls} {(n.Calls == 1 ? "call" : "calls")})"));
        var notes = remarks.Distinct().Concat(nones).Order(StringComparer.Ordinal);
        return tested ? [.. notes] : [.. notes, "no partition was collected for this control"];
    }

    private static Comparer<Limitation> LimitationOrder { get; } = Comparer<Limitation>.Create((a, b) =>
        string.CompareOrdinal(Key(a), Key(b)));

    private static string Key(Limitation l) =>
        string.Join('\u001f', l.Evidence, l.Target, l.Account, l.Region, l.Operation, l.Code, l.Message, l.Outcome, l.Count);
}
