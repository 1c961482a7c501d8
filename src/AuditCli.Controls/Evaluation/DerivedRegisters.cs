using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Lists the rows of a control's registers that match nothing again, by the control's own SQL over the sealed tables. Nothing else of a bundle says
/// which rows these are.
/// </summary>
/// <param name="process">Where the SQL runs. What exceeds its limits is not known again, and taken as it is.</param>
public sealed class DerivedRegisters(ControlInScope scope, AuditMoment moment, EvaluationProcess process)
{
    private readonly Control _control = scope.Control;

    /// <summary>Returns the registers of a control whose rows without a match it lists.</summary>
    public static IEnumerable<EvidenceNeed> Of(Control control) => control.Evidence.Where(n => n.Unmatched is not null);

    /// <summary>Returns the names of the evidence that the SQL of the registers reads.</summary>
    /// <exception cref="IOException">No process can be started.</exception>
    public async Task<ImmutableArray<string>> EvidenceAsync(CancellationToken cancellationToken)
    {
        // To the gate, the SQL of a register is one more text over the control's tables.
        var texts = _control with
        {
            Tests = [.. Of(_control).Select(n => new TestProcedure(n.Name, n.Name, n.Unmatched!, null, null, StandsWhenIncomplete: false))],
            Completeness = [],
            Waivers = null,
        };
        var read = await process.EvidenceOfAsync(texts, cancellationToken);
        return [.. read.SelectMany(r => r.Needs ?? r.Evidence).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Returns the registers as the results must list them.</summary>
    /// <param name="partitions">The evidence of the control, with the tables that <see cref="EvidenceAsync"/> names.</param>
    /// <param name="given">The registers of the results. One that a limit of the run ended is taken as it is, as an ERROR of a test is.</param>
    /// <exception cref="IOException">No process can be started.</exception>
    public async Task<ImmutableArray<RegisterResult>> EvaluateAsync(
        ImmutableArray<Partition> partitions, ImmutableArray<RegisterResult>? given, CancellationToken cancellationToken)
    {
        var alone = _control with { Tests = [], Completeness = [], Waivers = null };
        var slices = Slice.Of(alone, partitions, scope.LeftOut);
        var question = new ControlQuestion(alone, scope.Parameters, moment, process.Limits, Slice.Shared(alone, slices)) { Preparer = scope.Preparer };
        var outcomes = new List<RegisterOutcome>();
        foreach (var slice in slices)
        {
            cancellationToken.ThrowIfCancellationRequested();
            outcomes.AddRange((await process.EvaluateAsync(question, slice, [], cancellationToken)).Registers);
            if (outcomes.Any(o => Faults.IsOfLimits(o.Unknown)))
                break;
        }
        return
        [
            .. (RegisterOutcome.Summarise(outcomes) ?? []).Select(r => given?.FirstOrDefault(g => g.Evidence == r.Evidence) is { } known
                && (Faults.IsOfLimits(r.Unknown) || known.Unmatched.IsEmpty && Faults.IsOfLimits(known.Unknown))
                    ? known
                    : r),
        ];
    }
}
