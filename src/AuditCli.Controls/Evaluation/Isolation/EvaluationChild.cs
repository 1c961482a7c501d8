using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;

namespace AuditCli.Controls.Evaluation.Isolation;

/// <summary>
/// The child's side: runs the SQL of possibly untrusted controls in a process that has no credentials, cannot write files, cannot
/// exceed its memory limit, and can be killed at any time without loss.
/// </summary>
public static class EvaluationChild
{
    /// <summary>The command-line word that starts the program as a child; its memory limit in bytes follows.</summary>
    public const string Word = "evaluation-child";

    /// <summary>The step in which SQL is parsed and checked, before any of it runs.</summary>
    internal const string GateStep = "sql";

    /// <summary>Serves jobs until the parent closes the pipe or ends, then ends the process.</summary>
    /// <param name="clean">Cleans every row before it leaves the process.</param>
    /// <exception cref="IOException">The process cannot be limited, or the parent no longer reads.</exception>
    public static async Task ServeAsync(Stream input, Stream output, long memory, RowCleaner clean)
    {
        // Ctrl+C reaches every process of the terminal; the parent decides when this one ends.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        var limited = ProcessLimits.Apply(memory);
        await Frame.Of(FrameKind.Ready, new(LockedDatabase.Describe(), limited), MessageContext.Default.Readiness).WriteAsync(output, CancellationToken.None);

        var jobs = Channel.CreateUnbounded<Frame>();
        _ = Task.Run(() => ListenAsync(input, jobs.Writer));
        ControlQuestion? question = null;
        ControlEvaluation? evaluation = null;
        await foreach (var job in jobs.Reader.ReadAllAsync())
        {
            switch (job.Kind)
            {
                case FrameKind.Question:
                    (question, var isSameControl) = job.Read(MessageContext.Default.QuestionJob);
                    if (!isSameControl)
                    {
                        evaluation?.Dispose();
                        evaluation = null;
                    }
                    break;
                case FrameKind.Slice:
                    var (slice, killed) = job.Read(MessageContext.Default.SliceJob);
                    var steps = Steps(output, killed);
                    // Only SQL that was not parsed yet can exceed the time for parsing.
                    if (evaluation is null)
                        _ = steps.Begin(GateStep);
                    var asked = question ?? throw new InvalidDataException("a slice came before its question");
                    evaluation ??= new ControlEvaluation(asked.Control, clean);
                    var rows = asked.Control.Tests.Select((_, n) => (Stream)new RowPipe(output, (ushort)n)).ToImmutableArray();
                    var outcome = await evaluation.RunAsync(asked, asked.Whole(slice), rows, steps, CancellationToken.None);
                    foreach (var pipe in rows)
                        await pipe.DisposeAsync();
                    await Frame.Of(FrameKind.Answer, outcome, MessageContext.Default.SliceOutcome).WriteAsync(output, CancellationToken.None);
                    break;
                case FrameKind.Check:
                    var check = job.Read(MessageContext.Default.CheckJob);
                    var messages = await ControlSql.CheckHereAsync(check.Control, Steps(output, check.Killed), CancellationToken.None);
                    await Frame.Of(FrameKind.Answer, new(messages), MessageContext.Default.CheckAnswer).WriteAsync(output, CancellationToken.None);
                    break;
                case FrameKind.Evidence:
                    var read = job.Read(MessageContext.Default.CheckJob);
                    var evidence = ControlSql.EvidenceHere(read.Control, Steps(output, read.Killed));
                    await Frame.Of(FrameKind.Answer, new(evidence), MessageContext.Default.EvidenceAnswer).WriteAsync(output, CancellationToken.None);
                    break;
                default:
                    throw new InvalidDataException($"a parent does not say {job.Kind}");
            }
        }
    }

    private static JobSteps Steps(Stream output, ImmutableDictionary<string, string> killed) => new(
        step => new Frame(FrameKind.Step, Encoding.UTF8.GetBytes(step)).WriteAsync(output, CancellationToken.None).GetAwaiter().GetResult(), killed);

    private static async Task ListenAsync(Stream input, ChannelWriter<Frame> jobs)
    {
        try
        {
            while (await Frame.ReadAsync(input, CancellationToken.None) is { } frame)
                await jobs.WriteAsync(frame);
        }
        finally
        {
            // Nobody reads a response any more, and the running job may never end. A kill is needed because an orderly exit does
            // not stop the engine's threads.
            Process.GetCurrentProcess().Kill();
        }
    }
}
