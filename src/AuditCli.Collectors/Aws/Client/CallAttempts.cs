using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>
/// Repeats a call that failed: what the SDK's standard rules call transient or throttling, a clock that is wrong (once), credentials
/// that expired (once). It decides by the answer alone, which a replay has too: a replay asks exactly as often as the recording
/// did, whatever the time is then, and does not wait. The SDK's own handler decides by the time of day and by a quota of the process.
/// </summary>
/// <param name="clock">Null in a replay.</param>
/// <param name="renew">Told the access key id with which a request was refused as expired.</param>
internal sealed class CallAttempts(IClientConfig config, TimeProvider? clock, Func<string, Task> renew) : PipelineHandler
{
    private static readonly TimeSpan LongestOwn = TimeSpan.FromSeconds(20);
    private readonly Rules _rules = new(config);

    public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
    {
        var context = executionContext.RequestContext;
        var (clockCorrected, renewed) = (false, false);
        for (var attempt = 1; ; attempt++)
        {
            context.Request.Headers["amz-sdk-request"] = string.Create(CultureInfo.InvariantCulture, $"attempt={attempt}; max={AwsServiceConfig.Attempts}");
            TimeSpan wait;
            try
            {
                return await base.InvokeAsync<T>(executionContext);
            }
            catch (Exception e) when (attempt < AwsServiceConfig.Attempts && !context.CancellationToken.IsCancellationRequested)
            {
                var failure = e as AwsServiceFailure;
                if (failure is { ClockIsWrong: true } && !clockCorrected)
                {
                    clockCorrected = true;
                    wait = TimeSpan.Zero;
                    // Its answer is not asked for: it compares with the time of day. What counts is that it sets the SDK's clock right.
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
                    wait = Wait(failure, attempt);
                else
                    throw;
            }
            context.Retries++;
            context.IsSigned = false;
            if (clock is not null && wait > TimeSpan.Zero)
                await Task.Delay(wait, clock, context.CancellationToken);
        }
    }

    /// <summary>What the provider asks for, or full jitter below 2, 4, 8 seconds and so on, whichever is longer.</summary>
    private static TimeSpan Wait(AwsServiceFailure? failure, int attempt)
    {
        var jittered = Random.Shared.NextDouble() * TimeSpan.FromSeconds(Math.Min(Math.Pow(2, attempt), LongestOwn.TotalSeconds));
        return failure?.Wait is { } asked && asked > jittered ? asked : jittered;
    }

    private static string KeyId(IRequest request) =>
        request.Headers.TryGetValue("Authorization", out var signature) && signature.Split("Credential=") is [_, var credential] ? credential.Split('/')[0] : "";

    /// <summary>What may be repeated at all.</summary>
    private sealed class Rules(IClientConfig config) : StandardRetryPolicy(config)
    {
        /// <summary>The SDK repeats a broken connection ten times more without counting; here every attempt counts.</summary>
        public override bool IsStaleConnectionError(Exception exception) => false;

        /// <summary>
        /// No answer at all, as the recorder words it, a status that says "too many" under any code, and whatever the SDK calls transient.
        /// Reading again changes nothing.
        /// </summary>
        public override async Task<bool> RetryForExceptionAsync(IExecutionContext executionContext, Exception exception)
        {
            // A server that did not prove who it is would not do so a moment later.
            if (Http.UntrustedServerException.In(exception) is not null)
                return false;
            for (var at = exception; at is not null; at = at.InnerException)
            {
                if (at is HttpRequestException or AwsServiceFailure { StatusCode: HttpStatusCode.TooManyRequests })
                    return true;
            }
            return await base.RetryForExceptionAsync(executionContext, exception);
        }
    }
}
