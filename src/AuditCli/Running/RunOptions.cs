using AuditCli.Controls.Planning;
using AuditCli.Signing;

namespace AuditCli.Running;

/// <summary>What is audited, as the command line names it. Paths are full.</summary>
/// <param name="ShownAs">The engagement's path as messages show it.</param>
/// <param name="Library">The folder of controls; null for the engagement's or the shipped library.</param>
internal sealed record RunSubject(string ShownAs, string Engagement, string? Library, PlanFilter Filter)
{
    /// <summary>The content of an engagement that the program made from the command line; null to read the file.</summary>
    public byte[]? Content { get; init; }

    /// <summary>The name of a pack of the library; null for every control that the engagement includes.</summary>
    public string? Pack { get; init; }
}

/// <summary>How a run writes its bundle.</summary>
/// <param name="Out">The full path of the folder for the bundle.</param>
internal sealed record RunOptions(string Out)
{
    /// <summary>Whether the log is shown on stderr too.</summary>
    public bool Verbose { get; init; }

    /// <summary>Whether to seal although a file holds what looks like a credential.</summary>
    public bool AllowSecrets { get; init; }

    /// <summary>Whether the bundle gets reports; a run that is re-performed for comparison does not need them.</summary>
    public bool SealReports { get; init; } = true;

    /// <summary>Whether the run repeats that of a bundle, from its exchanges: nothing is asked of a target.</summary>
    public bool Repeats { get; init; }

    /// <summary>Whether a second process may share the evaluation; beside other runs it would take their processors.</summary>
    public bool EvaluatesInTwo { get; init; } = Environment.ProcessorCount > 1;

    /// <summary>Whether the sealed bundle is put into an archive, and its folder deleted.</summary>
    public bool Archive { get; init; }

    /// <summary>
    /// The most accounts whose evidence lies in the bundle itself, and the most of a shard where there are more: what an interruption of a
    /// long run can cost.
    /// </summary>
    public int UnitsEach { get; init; } = 25;

    /// <summary>How to sign the bundle; null leaves it unsigned.</summary>
    public SigningOptions? Signing { get; init; }
}
