using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using AuditCli.Controls.Evaluation.Isolation;

namespace AuditCli.Controls.Evaluation;

/// <summary>
/// Where the SQL of controls runs: a child process of the same program, limited in memory, time and output, without credentials and
/// without the right to write files. One child serves many jobs; one that dies or is killed costs the step it was at, which is ERROR,
/// and another takes its place. Memory and files are limited by the system on Linux (files on macOS too); elsewhere only by time and
/// output. For one job at a time.
/// </summary>
/// <param name="command">How this program is started, without arguments.</param>
public sealed class EvaluationProcess(ImmutableArray<string> command, EvaluationLimits limits) : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private Task<(ChildProcess Child, Readiness Readiness)>? _started;
    private ControlQuestion? _asked;
    private (Control Control, string Why)? _unreadable;

    /// <summary>Limits of each step.</summary>
    public EvaluationLimits Limits => limits;

    /// <summary>Starts a child, so that it is ready when it is needed. Does not wait.</summary>
    public void Start() => _started ??= Task.Run(StartAsync);

    /// <summary>The engine, and whether the system holds the child to the memory it may use.</summary>
    /// <exception cref="IOException">No child can be started.</exception>
    public async Task<(EngineDescription Engine, bool MemoryIsLimited)> DescribeAsync()
    {
        var (_, readiness) = await ReadyAsync();
        return (readiness.Engine, readiness.MemoryIsLimited);
    }

    /// <summary>As <see cref="ControlSql.CheckAsync"/>; SQL that ends the child is a fault like any other.</summary>
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
    /// The evidence that each test's SQL names, and the approvals. A test is left out whose SQL is refused, or ends the child: what it
    /// reads is not known.
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

    /// <summary>Runs one slice of a question. Whatever a child wrote before it ended is cut off the rows again.</summary>
    internal async Task<SliceOutcome> EvaluateAsync(ControlQuestion question, Slice slice, ImmutableArray<Stream> rows, CancellationToken cancellationToken)
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
                // What it took may not come back to the process, and the next partition must not fail for it.
                if (answer.Tests.Any(t => Faults.IsExhausted(t.Error, limits)))
                    Forget((await ReadyAsync()).Child);
                return answer;
            }
            foreach (var (n, stream) in rows.Index())
            {
                stream.SetLength(begin[n]);
                stream.Position = begin[n];
            }
            // SQL that cannot even be read is not read again for every account.
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
        catch (IOException)
        {
            // It never started, which whoever needed it was told.
        }
    }

    /// <summary>What a job came to: its answer, or how the child ended without one.</summary>
    private async Task<(T? Answer, ChildEnd? End)> AskAsync<T>(
        ControlQuestion? question, Frame job, ImmutableArray<Stream> rows, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (child, _) = await ReadyAsync();
        // Before its first step a child does nothing but take the job; SQL is only parsed then, which no engine can be asked to stop.
        var reads = job.Kind != FrameKind.Slice;
        using var watch = new Watch(child, reads ? limits.SqlTime : limits.TestTime + limits.Grace, TimeOf, cancellationToken);
        (TimeSpan, TimeSpan) TimeOf(string step) => reads || step == EvaluationChild.GateStep ? (limits.SqlTime, TimeSpan.Zero) : (limits.TestTime, limits.Grace);
        T? answer = null;
        try
        {
            if (await SendAsync(child, question, job))
                answer = await ListenAsync(child, rows, watch, type, cancellationToken);
            if (answer is not null)
                return (answer, null);
            cancellationToken.ThrowIfCancellationRequested();
            var (exitCode, _) = await child.EndAsync();
            return (null, new(watch.Step, watch.Why ?? $"the process that ran it ended with exit code {exitCode} before it answered: it needed more memory than it may have, or it broke the engine"));
        }
        finally
        {
            // Whatever stopped the listening, a child in the middle of a job is of no use any more.
            if (answer is null)
                Forget(child);
        }
    }

    private async Task<T?> ListenAsync<T>(ChildProcess child, ImmutableArray<Stream> rows, Watch watch, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class
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
                    var part = frame.Content[RowPipe.HeadBytes..];
                    written += part.Length;
                    if (written > limits.Output)
                        watch.Stop($"stopped after {limits.Output} bytes of rows, the limit");
                    else
                        await rows[BinaryPrimitives.ReadUInt16LittleEndian(frame.Content.Span)].WriteAsync(part, cancellationToken);
                    break;
                case FrameKind.Answer:
                    return frame.Read(type);
                default:
                    throw new InvalidDataException($"a child does not say {frame.Kind}");
            }
        }
        return null;
    }

    /// <summary>Whether the child took it; one that has ended does not.</summary>
    private async Task<bool> SendAsync(ChildProcess child, ControlQuestion? question, Frame job)
    {
        try
        {
            if (question is not null && !ReferenceEquals(question, _asked))
            {
                var isSameControl = ReferenceEquals(question.Control, _asked?.Control);
                await Frame.Of(FrameKind.Question, new(question with { Control = WithoutSource(question.Control) }, isSameControl), MessageContext.Default.QuestionJob)
                    .WriteAsync(child.Input, CancellationToken.None);
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

    /// <summary>The next message; null when the child ended, be it in the middle of one.</summary>
    private static async Task<Frame?> ReceiveAsync(ChildProcess child)
    {
        try
        {
            // Needs no token: who loses patience kills the child, and that ends the pipe.
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
        catch (IOException)
        {
            _started = null;
            throw;
        }
    }

    private async Task<(ChildProcess Child, Readiness Readiness)> StartAsync()
    {
        var child = ChildProcess.Start(command, limits);
        using var watch = new Watch(child, StartTime, _ => (StartTime, TimeSpan.Zero), CancellationToken.None);
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

    /// <summary>The file's bytes are for the bundle; SQL does not see them.</summary>
    private static Control WithoutSource(Control control) => control with { Source = ReadOnlyMemory<byte>.Empty };

    /// <summary>How a child ended.</summary>
    /// <param name="Step">What it was at; null when it had begun nothing.</param>
    private sealed record ChildEnd(string? Step, string Why);

    /// <summary>Kills a child that takes too long over a step, or is not wanted any more.</summary>
    private sealed class Watch : IDisposable
    {
        private readonly ChildProcess _child;
        private readonly Func<string, (TimeSpan Limit, TimeSpan Grace)> _time;
        private readonly CancellationTokenSource _patience = new();
        private readonly CancellationTokenRegistration _late;
        private TimeSpan _limit;
        private readonly CancellationTokenRegistration _cancelled;

        /// <param name="first">Until the first step begins.</param>
        /// <param name="time">How long a step may take, and how much later it is killed.</param>
        public Watch(ChildProcess child, TimeSpan first, Func<string, (TimeSpan Limit, TimeSpan Grace)> time, CancellationToken cancellationToken)
        {
            (_child, _time, _limit) = (child, time, first);
            _late = _patience.Token.Register(() => Stop(Faults.OutOfTime(_limit)));
            _cancelled = cancellationToken.Register(child.Kill);
            _patience.CancelAfter(first);
        }

        public string? Step { get; private set; }

        /// <summary>Why the child was stopped; null when it was not.</summary>
        public string? Why { get; private set; }

        public void Begin(string step)
        {
            Step = step;
            (_limit, var grace) = _time(step);
            _patience.CancelAfter(_limit + grace);
        }

        public void Stop(string why)
        {
            Why ??= why;
            _child.Kill();
        }

        public void Dispose()
        {
            _cancelled.Dispose();
            _late.Dispose();
            _patience.Dispose();
        }
    }
}
