using System.Globalization;
using System.Runtime.ExceptionServices;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using AuditCli.Collectors.Exchanges;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>
/// Retries failed calls: errors that the SDK's standard rules call transient, a wrong clock (once) and expired credentials (once). A
/// throttled call is retried as long as other calls of the same service, region and account are not all throttled: it gives up after
/// <see cref="Patience"/> of waiting in which none of them got another response, or after <see cref="Longest"/> of waiting in total. After
/// a call has given up, later calls give up after the usual number of attempts, until one of them is not throttled. A replay makes exactly
/// the recorded attempts and does not wait: if the recording has no further attempt at a failed call, the recorded run gave up there. The
/// SDK's own handler is replaced because it decides by the time of day and by a process-wide quota.
/// </summary>
/// <param name="waits">The waits between attempts.</param>
/// <param name="renew">Renews the credentials; called with the access key id with which a request was refused as expired.</param>
/// <param name="pace">Returns the rate limit of an operation, by its name in the catalogue; null if it has no known limit.</param>
internal sealed class CallAttempts(IClientConfig config, RetryWaits waits, Func<string, Task> renew, Func<string, RequestPace?> pace) : PipelineHandler
{
    /// <summary>The longest time that a throttled call waits while no call gets a response.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>The longest time that one throttled call waits in total, although other calls get responses.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan LongestOwn = TimeSpan.FromSeconds(20);
    private readonly Rules _rules = new(config);

    /// <summary>The number of calls that got a response other than throttling, including refusals.</summary>
    private long _answered;

    /// <summary>Whether a call has given up and no call got a response since.</summary>
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
            context.Request.Headers["amz-sdk-request"] = string.Create(
                CultureInfo.InvariantCulture, $"attempt={attempt}; max={Math.Max(attempt, AwsServiceConfig.Attempts)}");
            TimeSpan own;
            RequestedWait? asked = null;
            try
            {
                var answer = await base.InvokeAsync<T>(executionContext);
                Answered();
                return answer;
            }
            catch (Exception e) when (!context.CancellationToken.IsCancellationRequested)
            {
                if (waits.IsReplay && before is not null && IsNotRecorded(e))
                    ExceptionDispatchInfo.Throw(before);
                before = e;
                var failure = e as AwsServiceFailure;
                if (AwsQuotas.IsThrottled(e))
                {
                    if (!MayWait(throttled, attempt))
                        throw;
                    (own, asked) = (Jittered(attempt), Asked(failure, context.Request, attempt + 1, null));
                    throttled.Wait(RetryAfter.OrOwn(asked?.Wait, own));
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
                        own = TimeSpan.Zero;
                        // Called for its side effect (clock-skew correction); the result is ignored, because it depends on the time of day.
                        if (!waits.IsReplay)
                        {
                            _rules.Logger = Logger;
                            await _rules.RetryAsync(executionContext, e);
                        }
                    }
                    else if (failure is { CredentialsExpired: true } && !renewed)
                    {
                        renewed = true;
                        own = TimeSpan.Zero;
                        if (!waits.IsReplay)
                            await renew(KeyId(context.Request));
                    }
                    else if (await _rules.RetryForExceptionAsync(executionContext, e))
                        (own, asked) = (Jittered(failures), Asked(failure, context.Request, failures + 1, AwsServiceConfig.Attempts));
                    else
                        throw;
                }
            }
            context.Retries++;
            context.IsSigned = false;
            if (waits.IsReplay)
                continue;
            await waits.WaitAsync(own, asked, context.CancellationToken);
            if (pace($"{call.Service.Name}:{call.Operation.Name}") is { } turns)
                await turns.WaitAsync(context.CancellationToken);
        }
    }

    private void Answered()
    {
        Interlocked.Increment(ref _answered);
        _stalled = false;
    }

    /// <summary>Whether a throttled call is retried.</summary>
    private bool MayWait(Throttled call, int attempt)
    {
        call.Notice(Interlocked.Read(ref _answered));
        if (waits.IsReplay || attempt < AwsServiceConfig.Attempts)
            return true;
        if (call.SinceAnswer >= Patience)
            _stalled = true;
        return !_stalled && call.InAll < Longest;
    }

    private static bool IsNotRecorded(Exception e) =>
        FailureChain.Of(e).Any(x => x is ExchangeRefusedException { Code: Codes.NoRecording });

    /// <summary>Returns full jitter below 2, 4, 8 seconds and so on.</summary>
    private static TimeSpan Jittered(int attempt) =>
        Random.Shared.NextDouble() * TimeSpan.FromSeconds(Math.Min(Math.Pow(2, attempt), LongestOwn.TotalSeconds));

    private static RequestedWait? Asked(AwsServiceFailure? failure, IRequest request, int next, int? of) =>
        RequestedWait.From(failure?.Wait, request.Endpoint, (int)(failure?.StatusCode ?? 0), next, of);

    private static string KeyId(IRequest request) =>
            request.Headers.TryGetValue("Authorization", out var signature) && signature.Split("Credential=") is [_, var credential]
                ? credential.Split('/')[0] : "";

    /// <summary>The time that one call has waited because of throttling.</summary>
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

    /// <summary>Decides which failures may be retried.</summary>
    private sealed class Rules(IClientConfig config) : StandardRetryPolicy(config)
    {
        /// <summary>
        /// Returns false: the SDK would retry a broken connection ten more times without counting, while here every attempt counts.
        /// </summary>
        public override bool IsStaleConnectionError(Exception exception) => false;

        /// <summary>
        /// Whether the call got no response at all, as the recorder reports it, or an error that the SDK calls transient. Reading again has
        /// no side effect, so a retry is safe.
        /// </summary>
        public override async Task<bool> RetryForExceptionAsync(IExecutionContext executionContext, Exception exception)
        {
            // A server that could not prove its identity will not do so a moment later.
            if (UntrustedServerException.In(exception) is not null)
                return false;
            return FailureChain.Of(exception).Any(x => x is HttpRequestException) || await base.RetryForExceptionAsync(executionContext, exception);
        }
    }
}
