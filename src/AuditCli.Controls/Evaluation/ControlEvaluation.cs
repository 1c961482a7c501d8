using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>What is asked of every partition of a control.</summary>
/// <param name="Shared">
/// The evidence that is the same for every partition: files, and what is read across the engagement. It is said once and loaded once,
/// or a run over many accounts would read all of it again for each of them.
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

    /// <summary>The slice without what the question says already.</summary>
    public Slice Own(Slice slice) => slice with { Tables = slice.Tables.RemoveRange(Shared.Keys) };

    /// <summary>The slice with it.</summary>
    public Slice Whole(Slice slice) => slice with { Tables = slice.Tables.SetItems(Shared) };
}

/// <summary>A control whose SQL went through the gate once, to be run over one partition after another, of one question after another.</summary>
internal sealed class ControlEvaluation : IDisposable
{
    private readonly SqlGate _gate = new();
    private readonly CompiledControl _compiled;
    private readonly RowCleaner? _clean;
    private readonly HashSet<string> _loaded = new(StringComparer.Ordinal);
    private ControlQuestion? _question;
    private LockedDatabase? _database;

    /// <param name="clean">What every row goes through; null in fixtures, whose rows hold nobody's data.</param>
    public ControlEvaluation(Control control, RowCleaner? clean) => (_compiled, _clean) = (CompiledControl.Compile(control, _gate), clean);

    /// <summary>Runs its tests over one partition.</summary>
    /// <param name="question">Of this control.</param>
    /// <param name="rows">Where each test's rows go.</param>
    public async Task<SliceOutcome> RunAsync(ControlQuestion question, Slice slice, ImmutableArray<Stream> rows, JobSteps steps, CancellationToken cancellationToken)
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
            // An engine that was stopped or ran out of memory in the middle of something is not trusted with the next partition.
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
