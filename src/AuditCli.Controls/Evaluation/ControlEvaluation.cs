using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>What is asked of every partition of a control.</summary>
internal sealed record ControlQuestion(Control Control, ImmutableArray<EffectiveParameter> Parameters, AuditMoment Moment, EvaluationLimits Limits);

/// <summary>A control whose SQL went through the gate once, to be run over one partition after another.</summary>
internal sealed class ControlEvaluation : IDisposable
{
    private readonly ControlQuestion _question;
    private readonly SqlGate _gate = new();
    private readonly CompiledControl _compiled;

    public ControlEvaluation(ControlQuestion question)
    {
        _question = question;
        _compiled = CompiledControl.Compile(question.Control, _gate);
    }

    /// <summary>Runs its tests over one partition.</summary>
    /// <param name="rows">Where each test's rows go.</param>
    public async Task<SliceOutcome> RunAsync(Slice slice, ImmutableArray<Stream> rows, JobSteps steps, CancellationToken cancellationToken)
    {
        using var database = LockedDatabase.Open(_question.Limits.Memory);
        database.Define(_compiled.Functions);
        var parameters = new SqlParameters(_question.Moment, slice, _question.Parameters);
        return await new SliceRun(_compiled, slice, _question.Moment, parameters, _question.Limits, database, steps).RunAsync(rows, cancellationToken);
    }

    public void Dispose() => _gate.Dispose();
}
