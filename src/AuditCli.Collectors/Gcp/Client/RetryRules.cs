using AuditCli.Collectors.Exchanges;
using Google.Apis.Http;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>
/// Decides whether an attempt is repeated and after which wait. The number of attempts is fixed, since a replay has only the recorded
/// responses; the SDK's own rule is random.
/// </summary>
/// <param name="clock">Null in a replay, which does not wait.</param>
internal sealed class RetryRules(TimeProvider? clock) : IHttpUnsuccessfulResponseHandler, IHttpExceptionHandler
{
    /// <summary>The number of attempts at a request, including the first.</summary>
    public const int Attempts = 6;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(32);
    private static readonly TimeSpan LongestAskedFor = TimeSpan.FromMinutes(2);

    /// <summary>Retries a response that reports overload or another transient error of the server.</summary>
    public async Task<bool> HandleResponseAsync(HandleUnsuccessfulResponseArgs args)
    {
        if (!args.SupportsRetry || (int)args.Response.StatusCode is not (408 or 429 or 500 or 502 or 503 or 504))
            return false;
        var asked = RetryAfter.Of(args.Response.Headers.RetryAfter, args.Response.Headers.Date, LongestAskedFor);
        await WaitAsync(RetryAfter.OrOwn(asked, Backoff(args.CurrentFailedTry)), args.CancellationToken);
        return true;
    }

    /// <summary>Retries only a broken connection; a refusal by the guard or a missing recording is final.</summary>
    public async Task<bool> HandleExceptionAsync(HandleExceptionArgs args)
    {
        if (!args.SupportsRetry || args.Exception is not HttpRequestException || UntrustedServerException.In(args.Exception) is not null)
            return false;
        await WaitAsync(Backoff(args.CurrentFailedTry), args.CancellationToken);
        return true;
    }

    private static TimeSpan Backoff(int failed)
    {
        var step = TimeSpan.FromMilliseconds(250 * Math.Pow(2, failed));
        return (step < Longest ? step : Longest) + TimeSpan.FromMilliseconds(Random.Shared.Next(250));
    }

    private Task WaitAsync(TimeSpan wait, CancellationToken cancellationToken) =>
        clock is null ? Task.CompletedTask : Task.Delay(wait, clock, cancellationToken);
}

/// <summary>
/// Repeats a request after a recorded 401. A replay has no token to renew, but the attempt with the renewed token was recorded and must be
/// replayed.
/// </summary>
internal sealed class RecordedRenewal : IHttpUnsuccessfulResponseHandler
{
    public Task<bool> HandleResponseAsync(HandleUnsuccessfulResponseArgs args) =>
        Task.FromResult(args.SupportsRetry && args.Response.StatusCode == System.Net.HttpStatusCode.Unauthorized);
}
