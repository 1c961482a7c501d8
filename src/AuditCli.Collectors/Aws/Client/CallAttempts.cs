using System.Globalization;
using System.Runtime.ExceptionServices;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using AuditCli.Collectors.Http;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>
/// Repeats a call that failed: what the SDK's standard rules call transient, a clock that is wrong (once), credentials that expired
/// (once). A call that was refused because there were too many is repeated for as long as others of the same service, region and account
/// are answered: it gives up after <see cref="Patience"/> of waiting in which none was, or after <see cref="Longest"/> of waiting in all. Once
/// a call has given up, the next ones give up after the usual attempts, until one is answered.
/// A replay asks exactly as often as the recording did, and does not wait: where the recording has no further attempt at a call that
/// failed, the recorded run gave up. The SDK's own handler decides by the time of day and by a quota of the process.
/// </summary>
/// <param name="clock">Null in a replay.</param>
/// <param name="renew">Told the access key id with which a request was refused as expired.</param>
/// <param name="pace">The turns in which an operation may be asked, by its name in the catalogue; null where it has no known limit.</param>
internal sealed class CallAttempts(IClientConfig config, TimeProvider? clock, Func<string, Task> renew, Func<string, RequestPace?> pace) : PipelineHandler
{
    /// <summary>How long a throttled call waits while nothing is answered.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>How long one throttled call waits in all, although others are answered.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan LongestOwn = TimeSpan.FromSeconds(20);
    private readonly Rules _rules = new(config);

    /// <summary>Calls that were answered, with a refusal perhaps, and not told to come again.</summary>
    private long _answered;

    /// <summary>Whether a call gave up, and none was answered since.</summary>
    private volatile bool _stalled;

    public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
    {
        var context = executionContext.RequestContext;
        var call = (AwsCall)context.OriginalRequest;
        var throttled = new Throttled(Interlocked.Read(ref _answered));
        var (clockCorrected, renewed, failures) = (false, false, 0);
        Exception? before = null;
        for (var attempt = 1; ; attempt++)
        {
            context.Request.Headers["amz-sdk-request"] = string.Create(CultureInfo.InvariantCulture, $"attempt={attempt}; max={Math.Max(attempt, AwsServiceConfig.Attempts)}");
            TimeSpan wait;
            try
            {
                var answer = await base.InvokeAsync<T>(executionContext);
                Answered();
                return answer;
            }
            catch (Exception e) when (!context.CancellationToken.IsCancellationRequested)
            {
                if (clock is null && before is not null && IsNotRecorded(e))
                    ExceptionDispatchInfo.Throw(before);
                before = e;
                var failure = e as AwsServiceFailure;
                if (AwsQuotas.IsThrottled(e))
                {
                    if (!MayWait(throttled, attempt))
                        throw;
                    wait = Wait(failure, attempt);
                    throttled.Wait(wait);
                }
                else
                {
                    if (failure is not null)
                        Answered();
                    if (++failures >= AwsServiceConfig.Attempts)
                        throw;
                    if (failure is { ClockIsWrong: true } && !clockCorrected)
                    {
                        clockCorrected = true;
                        wait = TimeSpan.Zero;
                        // Called for its side effect: it sets the SDK's clock right. Its answer compares with the time of day, and is ignored.
                        if (clock is not null)
                        {
                            _rules.Logger = Logger;
                            await _rules.RetryAsync(executionContext, e);
                        }
                    }
                    else if (failure is { CredentialsExpired: true } && !renewed)
                    {
                        renewed = true;
                        wait = TimeSpan.Zero;
                        if (clock is not null)
                            await renew(KeyId(context.Request));
                    }
                    else if (await _rules.RetryForExceptionAsync(executionContext, e))
                        wait = Wait(failure, failures);
                    else
                        throw;
                }
            }
            context.Retries++;
            context.IsSigned = false;
            if (clock is null)
                continue;
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, clock, context.CancellationToken);
            if (pace($"{call.Service.Name}:{call.Operation.Name}") is { } turns)
                await turns.WaitAsync(context.CancellationToken);
        }
    }

    private void Answered()
    {
        Interlocked.Increment(ref _answered);
        _stalled = false;
    }

    /// <summary>Whether a call that was refused because there were too many asks again.</summary>
    private bool MayWait(Throttled call, int attempt)
    {
        call.Notice(Interlocked.Read(ref _answered));
        if (clock is null || attempt < AwsServiceConfig.Attempts)
            return true;
        if (call.SinceAnswer >= Patience)
            _stalled = true;
        return !_stalled && call.InAll < Longest;
    }

    private static bool IsNotRecorded(Exception e)
    {
        for (var at = e; at is not null; at = at.InnerException)
        {
            if (at is ExchangeRefusedException { Code: ExchangeRefusedException.NoRecording })
                return true;
        }
        return false;
    }

    /// <summary>What the provider asks for, or full jitter below 2, 4, 8 seconds and so on, whichever is longer.</summary>
    private static TimeSpan Wait(AwsServiceFailure? failure, int attempt)
    {
        var jittered = Random.Shared.NextDouble() * TimeSpan.FromSeconds(Math.Min(Math.Pow(2, attempt), LongestOwn.TotalSeconds));
        return failure?.Wait is { } asked && asked > jittered ? asked : jittered;
    }

    private static string KeyId(IRequest request) =>
        request.Headers.TryGetValue("Authorization", out var signature) && signature.Split("Credential=") is [_, var credential] ? credential.Split('/')[0] : "";

    /// <summary>How long one call has waited because there were too many.</summary>
    private sealed class Throttled(long answered)
    {
        private long _answered = answered;

        public TimeSpan SinceAnswer { get; private set; }

        public TimeSpan InAll { get; private set; }

        public void Notice(long answeredSoFar)
        {
            if (answeredSoFar != _answered)
                (_answered, SinceAnswer) = (answeredSoFar, TimeSpan.Zero);
        }

        public void Wait(TimeSpan wait) => (SinceAnswer, InAll) = (SinceAnswer + wait, InAll + wait);
    }

    /// <summary>What may be repeated at all.</summary>
    private sealed class Rules(IClientConfig config) : StandardRetryPolicy(config)
    {
        /// <summary>The SDK repeats a broken connection ten times more without counting; here every attempt counts.</summary>
        public override bool IsStaleConnectionError(Exception exception) => false;

        /// <summary>
        /// No answer at all, as the recorder words it, and whatever the SDK calls transient.
        /// Reading again changes nothing.
        /// </summary>
        public override async Task<bool> RetryForExceptionAsync(IExecutionContext executionContext, Exception exception)
        {
            // A server that did not prove who it is would not do so a moment later.
            if (Http.UntrustedServerException.In(exception) is not null)
                return false;
            for (var at = exception; at is not null; at = at.InnerException)
            {
                if (at is HttpRequestException)
                    return true;
            }
            return await base.RetryForExceptionAsync(executionContext, exception);
        }
    }
}
