using System.Collections.Immutable;
using AuditCli.Collectors;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using Spectre.Console;

namespace AuditCli;

/// <summary>Everything commands take from outside themselves; made once in <see cref="Composition"/>, by tests as they need it.</summary>
/// <param name="Environment">A variable of the process, or null.</param>
/// <param name="Random">That many unpredictable bytes, for bundle ids.</param>
/// <param name="LiveError">Whether stderr is a terminal that can redraw a line.</param>
/// <param name="OutputWidth">Characters that fit a line of stdout.</param>
/// <param name="OutputColours">Whether stdout shows colours.</param>
/// <param name="WorkingFolder">What relative paths on the command line are relative to; empty where it is gone.</param>
/// <param name="Program">How this program is started once more, without arguments.</param>
public sealed record AuditHost(
    TimeProvider Clock,
    Func<string, string?> Environment,
    Func<int, byte[]> Random,
    bool LiveError,
    int OutputWidth,
    bool OutputColours,
    string WorkingFolder,
    ImmutableArray<string> Program,
    ImmutableArray<CollectorEntry> Collectors)
{
    /// <summary>Asks the person at the terminal for a secret, which is not shown; null when there is nobody to ask.</summary>
    public Func<string, string?> AskSecret { get; init; } = _ => null;

    /// <summary>A process in which controls are evaluated, on its way; the caller ends it.</summary>
    public EvaluationProcess StartEvaluation() => StartEvaluation(EvaluationLimits.Default);

    /// <inheritdoc cref="StartEvaluation()"/>
    public EvaluationProcess StartEvaluation(EvaluationLimits limits)
    {
        var process = new EvaluationProcess(Program, limits);
        process.Start();
        return process;
    }

    /// <summary>Whether stdout is a terminal, which bytes of a stranger could steer.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Stdout for bytes; disposed by who opens it.</summary>
    public Func<Stream> OpenOutput { get; init; } = System.Console.OpenStandardOutput;

    /// <summary>Why the output is lost; null where it was written, or where the reader wanted no more of it.</summary>
    public Func<string?> WhyNotPrinted { get; init; } = () => null;

    /// <summary>The sources as data, for checking controls and engagements.</summary>
    public ImmutableArray<EvidenceSource> Sources => [.. Collectors.Select(c => c.Source)];

    /// <summary>A console that writes to stdout as the host can show it.</summary>
    public IAnsiConsole Console(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(TerminalText.Drawing(output)),
            Ansi = OutputColours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = OutputColours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = OutputWidth;
        return console;
    }

    /// <summary>Where a path on the command line is.</summary>
    /// <exception cref="IOException">It is relative, and the folder to which it is has been removed.</exception>
    public string FullPath(string path) => WorkingFolder.Length > 0 ? Path.GetFullPath(path, WorkingFolder)
        : Path.IsPathFullyQualified(path) ? Path.GetFullPath(path)
        : throw new IOException($"{path}: the current folder has been removed; change into one that is there, or give the whole path");

    /// <summary>A full path as messages show it: from the working folder, where there is one.</summary>
    public string Shown(string full) => WorkingFolder.Length > 0 ? Path.GetRelativePath(WorkingFolder, full) : full;
}
