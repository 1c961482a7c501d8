using System.Collections.Immutable;
using AuditCli.Collectors;
using AuditCli.Controls.Evaluation;
using AuditCli.Evidence;
using AuditCli.Text;
using Spectre.Console;

namespace AuditCli;

/// <summary>
/// The environment of a command (clock, streams, terminal, collectors). <see cref="Composition"/> makes it once; tests replace parts of it.
/// </summary>
/// <param name="Environment">Returns the value of an environment variable, or null.</param>
/// <param name="Random">Returns that many cryptographically random bytes, for bundle ids.</param>
/// <param name="LiveError">Whether stderr is a terminal that can redraw a line.</param>
/// <param name="OutputWidth">Columns in one line of stdout.</param>
/// <param name="OutputColours">Whether stdout shows colours.</param>
/// <param name="WorkingFolder">The folder that relative paths on the command line start from; empty if it has been removed.</param>
/// <param name="Program">The command line that starts this program again, without arguments.</param>
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
    /// <summary>Prompts for a secret at the terminal without echo; returns null if there is no terminal to prompt at.</summary>
    public Func<string, string?> AskSecret { get; init; } = _ => null;

    /// <summary>Starts a process that evaluates controls. The caller disposes it.</summary>
    public EvaluationProcess StartEvaluation() => StartEvaluation(EvaluationLimits.Default);

    /// <inheritdoc cref="StartEvaluation()"/>
    public EvaluationProcess StartEvaluation(EvaluationLimits limits)
    {
        var process = new EvaluationProcess(Program, limits);
        process.Start();
        return process;
    }

    /// <summary>
    /// Whether stdout is a terminal. Response bytes must not be written to one unescaped: they may hold control sequences.
    /// </summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Opens stdout for bytes. The caller disposes the stream.</summary>
    public Func<Stream> OpenOutput { get; init; } = System.Console.OpenStandardOutput;

    /// <summary>Returns why output could not be written; null if it was written, or if the reader closed the pipe.</summary>
    public Func<string?> WhyNotPrinted { get; init; } = () => null;

    /// <summary>The evidence sources of the collectors, for checking controls and engagements.</summary>
    public ImmutableArray<EvidenceSource> Sources => [.. Collectors.Select(c => c.Source)];

    /// <summary>Creates a console on stdout with the width and colours that the host supports.</summary>
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

    /// <summary>Returns the full path of a path on the command line.</summary>
    /// <exception cref="IOException">The path is relative, and the working folder has been removed.</exception>
    public string FullPath(string path) => WorkingFolder.Length > 0 ? Path.GetFullPath(path, WorkingFolder)
        : Path.IsPathFullyQualified(path) ? Path.GetFullPath(path)
        : throw new IOException($"{path}: the current folder has been removed; change to an existing folder, or give the full path");

    /// <summary>Returns a full path as messages show it: relative to the working folder, if that exists.</summary>
    public string Shown(string full) => WorkingFolder.Length > 0 ? Path.GetRelativePath(WorkingFolder, full) : full;
}
