using System.Collections.Immutable;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// The steps of a job, each told before it begins, so that whoever waits for the job knows what it was at when it stopped answering; a
/// step that ended the process once is not begun again.
/// </summary>
/// <param name="Tell">Given the step's name.</param>
/// <param name="Killed">Why, by step.</param>
internal sealed record JobSteps(Action<string> Tell, ImmutableDictionary<string, string> Killed)
{
    /// <summary>Steps of a job in this process, which nobody watches from outside.</summary>
    public static JobSteps Unwatched { get; } = new(_ => { }, ImmutableDictionary<string, string>.Empty);

    /// <summary>Null when the step may be done, else why not.</summary>
    public string? Begin(string step)
    {
        if (Killed.TryGetValue(step, out var why))
            return why;
        Tell(step);
        return null;
    }
}
