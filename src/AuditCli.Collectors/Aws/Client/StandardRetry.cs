using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace AuditCli.Collectors.Aws.Client;

/// <summary>
/// The SDK's standard rules about what is retried, with a fixed number of attempts and waits on our clock: a replay must
/// ask exactly as often as the recording did, and it does not wait.
/// </summary>
/// <param name="clock">Null in a replay.</param>
internal sealed class StandardRetry(IClientConfig config, TimeProvider? clock) : StandardRetryPolicy(config)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    public override bool RetryLimitReached(IExecutionContext executionContext) => executionContext.RequestContext.Retries >= MaxRetries;

    /// <summary>The SDK repeats a broken connection ten times more without counting; here every attempt counts.</summary>
    public override bool IsStaleConnectionError(Exception exception) => false;

    /// <summary>The SDK's process-wide retry quota would make the number of attempts depend on other calls.</summary>
    public override bool OnRetry(IExecutionContext executionContext, bool bypassAcquireCapacity, bool isThrottlingError) => true;

    public override async Task<bool> RetryForExceptionAsync(IExecutionContext executionContext, Exception exception)
    {
        if (executionContext.RequestContext.CancellationToken.IsCancellationRequested)
            return false;
        var wait = (exception as AwsServiceFailure)?.Wait;
        executionContext.RequestContext.ContextAttributes[nameof(AwsServiceFailure.Wait)] = wait ?? TimeSpan.Zero;
        return Transport(exception) || await base.RetryForExceptionAsync(executionContext, exception);
    }

    public override async Task WaitBeforeRetryAsync(IExecutionContext executionContext)
    {
        if (clock is null)
            return;
        var context = executionContext.RequestContext;
        var jittered = Random.Shared.NextDouble() * TimeSpan.FromSeconds(Math.Min(Math.Pow(2, context.Retries), Longest.TotalSeconds));
        var asked = context.ContextAttributes.TryGetValue(nameof(AwsServiceFailure.Wait), out var value) ? (TimeSpan)value : TimeSpan.Zero;
        await Task.Delay(asked > jittered ? asked : jittered, clock, context.CancellationToken);
    }

    /// <summary>No answer at all, as the recorder words it. Reading again changes nothing, so every such failure may be retried.</summary>
    private static bool Transport(Exception exception)
    {
        for (var at = exception; at is not null; at = at.InnerException)
        {
            if (at is HttpRequestException)
                return true;
        }
        return false;
    }
}
