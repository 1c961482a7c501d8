using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Rest;
using Google.Apis.Http;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>
/// Decides by <see cref="RestRetry"/> whether an attempt is repeated and after which wait; the SDK's own rule is random.
/// </summary>
/// <param name="waits">The waits between attempts.</param>
/// <param name="attempts">The number of attempts at one request, including the first.</param>
internal sealed class RetryRules(RetryWaits waits, int attempts) : IHttpUnsuccessfulResponseHandler, IHttpExceptionHandler
{
    /// <summary>Retries a response that reports overload or another transient error of the server.</summary>
    public async Task<bool> HandleResponseAsync(HandleUnsuccessfulResponseArgs args)
    {
        if (!args.SupportsRetry || !RestRetry.IsPassing((int)args.Response.StatusCode))
            return false;
        var asked = RetryAfter.Of(args.Response.Headers.RetryAfter, args.Response.Headers.Date, RestRetry.LongestAskedFor);
        await waits.WaitAsync(
            RestRetry.Backoff(args.CurrentFailedTry),
            RequestedWait.From(asked, args.Request.RequestUri, (int)args.Response.StatusCode, args.CurrentFailedTry + 1, attempts),
            args.CancellationToken);
        return true;
    }

    /// <summary>Retries only a broken connection; a refusal by the guard or a missing recording is final.</summary>
    public async Task<bool> HandleExceptionAsync(HandleExceptionArgs args)
    {
        if (!args.SupportsRetry || args.Exception is not HttpRequestException || UntrustedServerException.In(args.Exception) is not null)
            return false;
        await waits.WaitAsync(RestRetry.Backoff(args.CurrentFailedTry), null, args.CancellationToken);
        return true;
    }
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
