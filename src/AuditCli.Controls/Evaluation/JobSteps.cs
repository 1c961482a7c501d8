using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// The steps of a job, each reported before it begins, so that the process that waits for the job knows the step in progress when
/// the job stops responding; a step that once ended the process is not started again.
/// </summary>
/// <param name="Tell">Receives the step's name.</param>
/// <param name="Killed">The reason, by step, for steps that must not be started.</param>
internal sealed record JobSteps(Action<string> Tell, ImmutableDictionary<string, string> Killed)
{
    /// <summary>Steps of a job in this process, which no other process watches.</summary>
    public static JobSteps Unwatched { get; } = new(_ => { }, ImmutableDictionary<string, string>.Empty);

    /// <summary>Reports the step and returns null when it may run; otherwise returns why not.</summary>
    public string? Begin(string step)
    {
        if (Killed.TryGetValue(step, out var why))
            return why;
        Tell(step);
        return null;
    }
}
