using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>The parts of an evaluation that are the same for every partition of a control.</summary>
/// <param name="Shared">
/// The evidence that is the same for every partition: files, and evidence read across the engagement. It is sent and loaded once;
/// otherwise a run over many accounts would read all of it again for each of them.
/// </param>
internal sealed record ControlQuestion(
    Control Control,
    ImmutableArray<EffectiveParameter> Parameters,
    AuditMoment Moment,
    EvaluationLimits Limits,
    ImmutableSortedDictionary<string, ImmutableArray<EvidenceTable>> Shared)
{
    /// <inheritdoc cref="ControlInScope.Preparer"/>
    public string? Preparer { get; init; }

    /// <summary>Returns the slice without the shared evidence.</summary>
    public Slice Own(Slice slice) => slice with { Tables = slice.Tables.RemoveRange(Shared.Keys) };

    /// <summary>Returns the slice with the shared evidence.</summary>
    public Slice Whole(Slice slice) => slice with { Tables = slice.Tables.SetItems(Shared) };
}

/// <summary>
/// A control whose SQL went through the gate once; it runs over any number of partitions and questions, one after another.
/// </summary>
internal sealed class ControlEvaluation : IDisposable
{
    private readonly SqlGate _gate = new();
    private readonly CompiledControl _compiled;
    private readonly RowCleaner? _clean;
    private readonly HashSet<string> _loaded = new(StringComparer.Ordinal);
    private ControlQuestion? _question;
    private LockedDatabase? _database;

    /// <param name="clean">Cleans every row; null in fixtures, whose rows contain no real data.</param>
    public ControlEvaluation(Control control, RowCleaner? clean) => (_compiled, _clean) = (CompiledControl.Compile(control, _gate), clean);

    /// <summary>Runs the control's tests over one partition.</summary>
    /// <param name="question">The evaluation to run; it must be for this control.</param>
    /// <param name="rows">The stream for the rows of each test.</param>
    public async Task<SliceOutcome> RunAsync(
        ControlQuestion question, Slice slice, ImmutableArray<Stream> rows, JobSteps steps, CancellationToken cancellationToken)
    {
        var database = _database ??= Open(question);
        if (!ReferenceEquals(question, _question))
        {
            _loaded.Clear();
            database.DropAllBut(_loaded);
            _question = question;
        }
        var parameters = new SqlParameters(question.Moment, slice, question.Parameters);
        var run = new SliceRun(_compiled, slice, question, parameters, database, _loaded, _clean, steps);
        SliceOutcome? outcome = null;
        try
        {
            return outcome = await run.RunAsync(rows, cancellationToken);
        }
        finally
        {
            // An engine that was stopped or ran out of memory may be in an undefined state and is not reused for the next
            // partition.
            if (outcome is null || outcome.Tests.Any(t => t.Error is not null))
                Close();
            else
                database.DropAllBut(_loaded);
        }
    }

    public void Dispose()
    {
        Close();
        _gate.Dispose();
    }

    private LockedDatabase Open(ControlQuestion question)
    {
        var database = LockedDatabase.Open(question.Limits.Memory);
        database.Define(_compiled.Functions);
        return database;
    }

    private void Close()
    {
        _database?.Dispose();
        _database = null;
        _loaded.Clear();
    }
}
