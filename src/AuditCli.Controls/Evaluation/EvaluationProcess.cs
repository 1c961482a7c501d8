using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AuditCli.Controls.Evaluation.Isolation;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Runs the SQL of controls in a child process of the same program, limited in memory, time and output, without credentials and
/// without the right to write files. One child serves many jobs. When it dies or is killed, the step in progress becomes ERROR,
/// and a new child is started for the next one. The operating system limits memory and files on Linux (files on macOS too);
/// elsewhere only time and output are limited. It handles one job at a time.
/// </summary>
/// <param name="command">The command that starts this program, without arguments.</param>
public sealed class EvaluationProcess(ImmutableArray<string> command, EvaluationLimits limits) : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private Task<(ChildProcess Child, Readiness Readiness)>? _started;
    private ControlQuestion? _asked;
    private (Control Control, string Why)? _unreadable;

    /// <summary>Limits of each step.</summary>
    public EvaluationLimits Limits => limits;

    /// <summary>Starts a child in the background, so that it is ready when it is needed.</summary>
    public void Start() => _started ??= Task.Run(StartAsync);

    /// <summary>Returns the engine, and whether the operating system limits the child's memory.</summary>
    /// <exception cref="IOException">No child can be started.</exception>
    public async Task<(EngineDescription Engine, bool MemoryIsLimited)> DescribeAsync()
    {
        var (_, readiness) = await ReadyAsync();
        return (readiness.Engine, readiness.MemoryIsLimited);
    }

    /// <summary>
    /// Does the same as <see cref="ControlSql.CheckAsync"/>; SQL that ends the child is reported like any other fault.
    /// </summary>
    internal async Task<ImmutableArray<SqlMessage>> CheckAsync(Control control, CancellationToken cancellationToken)
    {
        var killed = ImmutableDictionary<string, string>.Empty;
        while (true)
        {
            var job = Frame.Of(FrameKind.Check, new(WithoutSource(control), killed), MessageContext.Default.CheckJob);
            var (answer, end) = await AskAsync(question: null, job, [], MessageContext.Default.CheckAnswer, cancellationToken);
            if (answer is not null)
                return answer.Messages;
            if (end!.Step is not { } step || killed.ContainsKey(step))
                return [new(end.Step ?? "tests", $"the control's SQL cannot be checked: {end.Why}", null, IsWarning: false)];
            killed = killed.Add(step, end.Why);
        }
    }

    /// <summary>
    /// Returns the evidence that each test's SQL names, including the approvals. A test whose SQL is refused, or ends the child,
    /// is left out, because it is not known what it reads.
    /// </summary>
    /// <exception cref="IOException">No process can be started.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<ImmutableArray<TestEvidence>> EvidenceOfAsync(Control control, CancellationToken cancellationToken)
    {
        var killed = ImmutableDictionary<string, string>.Empty;
        while (true)
        {
            var job = Frame.Of(FrameKind.Evidence, new(WithoutSource(control), killed), MessageContext.Default.CheckJob);
            var (answer, end) = await AskAsync(question: null, job, [], MessageContext.Default.EvidenceAnswer, cancellationToken);
            if (answer is not null)
                return answer.Tests;
            if (end!.Step is not { } step || killed.ContainsKey(step))
                return [];
            killed = killed.Add(step, end.Why);
        }
    }

    /// <summary>Runs one slice of an evaluation. Rows that a child wrote before it died are truncated from the streams.</summary>
    internal async Task<SliceOutcome> EvaluateAsync(
        ControlQuestion question, Slice slice, ImmutableArray<Stream> rows, CancellationToken cancellationToken)
    {
        var begin = rows.Select(r => r.Position).ToImmutableArray();
        if (_unreadable is { } known && ReferenceEquals(known.Control, question.Control))
            return SliceOutcome.Broken(question.Control, slice, known.Why);
        var killed = ImmutableDictionary<string, string>.Empty;
        while (true)
        {
            var job = Frame.Of(FrameKind.Slice, new(question.Own(slice), killed), MessageContext.Default.SliceJob);
            var (answer, end) = await AskAsync(question, job, rows, MessageContext.Default.SliceOutcome, cancellationToken);
            if (answer is not null)
            {
                // The memory may not return to the process, which would make the next partition fail, so the child is replaced.
                if (answer.Tests.Any(t => Faults.IsExhausted(t.Error, limits)))
                    Forget((await ReadyAsync()).Child);
                return answer;
            }
            foreach (var (n, stream) in rows.Index())
            {
                stream.SetLength(begin[n]);
                stream.Position = begin[n];
            }
            // SQL that ends the child at the gate is not tried again for every account.
            if (end!.Step == EvaluationChild.GateStep)
                _unreadable = (question.Control, end.Why);
            if (end.Step is not { } step || step == EvaluationChild.GateStep || killed.ContainsKey(step))
                return SliceOutcome.Broken(question.Control, slice, end.Why);
            killed = killed.Add(step, end.Why);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_started is not { } started)
            return;
        _started = null;
        try
        {
            (await started).Child.Dispose();
        }
        catch (Exception e) when (CannotStart(e))
        {
            // It never started, and the caller that needed it got the exception.
        }
    }

    /// <summary>Runs a job; returns its response, or how the child ended without one.</summary>
    private async Task<(T? Answer, ChildEnd? End)> AskAsync<T>(
        ControlQuestion? question, Frame job, ImmutableArray<Stream> rows, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (child, _) = await ReadyAsync();
        // Before its first step a child only reads the job. A check only parses and binds SQL, which the engine cannot interrupt,
        // so there is no grace time.
        var reads = job.Kind != FrameKind.Slice;
        using var watch = new ChildWatch(child, reads ? limits.SqlTime : limits.TestTime + limits.Grace, TimeOf, cancellationToken);
        (TimeSpan, TimeSpan) TimeOf(string step) =>
            reads || step == EvaluationChild.GateStep ? (limits.SqlTime, TimeSpan.Zero) : (limits.TestTime, limits.Grace);
        T? answer = null;
        try
        {
            if (await SendAsync(child, question, job))
                answer = await ListenAsync(child, rows, watch, type, cancellationToken);
            if (answer is not null)
                return (answer, null);
            cancellationToken.ThrowIfCancellationRequested();
            var (exitCode, _) = await child.EndAsync();
            var why = watch.Why
                ?? $"{Faults.ProcessEnded} with exit code {exitCode} before it answered: "
                + "it exceeded its memory limit, or crashed the SQL engine";
            return (null, new(watch.Step, why));
        }
        finally
        {
            // After an exception, too, a child in the middle of a job cannot be reused.
            if (answer is null)
                Forget(child);
        }
    }

    private async Task<T?> ListenAsync<T>(
        ChildProcess child, ImmutableArray<Stream> rows, ChildWatch watch, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class
    {
        long written = 0;
        while (await ReceiveAsync(child) is { } frame)
        {
            switch (frame.Kind)
            {
                case FrameKind.Step:
                    watch.Begin(Encoding.UTF8.GetString(frame.Content.Span));
                    break;
                case FrameKind.Rows:
                    var n = frame.Content.Length < RowPipe.HeadBytes ? int.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(frame.Content.Span);
                    if (n >= rows.Length)
                        throw new InvalidDataException("the evaluation process sent rows of a test that was not requested");
                    var part = frame.Content[RowPipe.HeadBytes..];
                    written += part.Length;
                    if (written > limits.Output)
                        watch.Stop($"stopped after {limits.Output} bytes of rows, the limit");
                    else
                        await rows[n].WriteAsync(part, cancellationToken);
                    break;
                case FrameKind.Answer:
                    return frame.Read(type);
                default:
                    throw new InvalidDataException($"the evaluation process sent an unexpected frame {frame.Kind}");
            }
        }
        return null;
    }

    /// <summary>Sends a job to the child; returns false when the child has ended.</summary>
    private async Task<bool> SendAsync(ChildProcess child, ControlQuestion? question, Frame job)
    {
        try
        {
            if (question is not null && !ReferenceEquals(question, _asked))
            {
                var isSameControl = ReferenceEquals(question.Control, _asked?.Control);
                var sent = new QuestionJob(question with { Control = WithoutSource(question.Control) }, isSameControl);
                await Frame.Of(FrameKind.Question, sent, MessageContext.Default.QuestionJob).WriteAsync(child.Input, CancellationToken.None);
                _asked = question;
            }
            await job.WriteAsync(child.Input, CancellationToken.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Reads the next message; returns null when the child ended, even in the middle of a message.</summary>
    private static async Task<Frame?> ReceiveAsync(ChildProcess child)
    {
        try
        {
            // No token is needed: a timeout or cancellation kills the child, which ends the pipe.
            return await Frame.ReadAsync(child.Output, CancellationToken.None);
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    private async Task<(ChildProcess Child, Readiness Readiness)> ReadyAsync()
    {
        Start();
        try
        {
            return await _started!;
        }
        catch (Exception e) when (CannotStart(e))
        {
            _started = null;
            throw;
        }
    }

    /// <summary>Whether a child did not start, or sent something else than that it is ready.</summary>
    private static bool CannotStart(Exception e) => e is IOException or InvalidDataException or JsonException;

    private async Task<(ChildProcess Child, Readiness Readiness)> StartAsync()
    {
        var child = ChildProcess.Start(command, limits);
        using var watch = new ChildWatch(child, StartTime, _ => (StartTime, TimeSpan.Zero), CancellationToken.None);
        try
        {
            if (await ReceiveAsync(child) is { Kind: FrameKind.Ready } ready)
                return (child, ready.Read(MessageContext.Default.Readiness));
            var (exitCode, words) = await child.EndAsync();
            throw new IOException($"the process in which controls are evaluated did not start: {watch.Why ?? $"exit code {exitCode}"}: {words.Trim()}");
        }
        catch
        {
            child.Dispose();
            throw;
        }
    }

    private void Forget(ChildProcess child)
    {
        child.Dispose();
        _started = null;
        _asked = null;
    }

    /// <summary>Removes the control file's bytes, which only the bundle needs.</summary>
    private static Control WithoutSource(Control control) => control with { Source = ReadOnlyMemory<byte>.Empty };

    /// <summary>How a child ended.</summary>
    /// <param name="Step">The step in progress; null when none had begun.</param>
    private sealed record ChildEnd(string? Step, string Why);
}
