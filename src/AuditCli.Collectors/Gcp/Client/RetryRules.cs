using AuditCli.Collectors.Http;
using Google.Apis.Http;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>
/// When an attempt is made again, and after which wait. The number of attempts is fixed, since a replay has as many answers as
/// were recorded; the SDK's own rule draws it by lot.
/// </summary>
/// <param name="clock">Null in a replay, which does not wait.</param>
internal sealed class RetryRules(TimeProvider? clock) : IHttpUnsuccessfulResponseHandler, IHttpExceptionHandler
{
    /// <summary>How often a question is sent before its failure is reported.</summary>
    public const int Attempts = 6;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(32);
    private static readonly TimeSpan LongestAskedFor = TimeSpan.FromMinutes(2);

    /// <summary>For an answer: overload, and what Google says is worth another attempt.</summary>
    public async Task<bool> HandleResponseAsync(HandleUnsuccessfulResponseArgs args)
    {
        if (!args.SupportsRetry || (int)args.Response.StatusCode is not (408 or 429 or 500 or 502 or 503 or 504))
            return false;
        await WaitAsync(AskedFor(args.Response) ?? Backoff(args.CurrentFailedTry), args.CancellationToken);
        return true;
    }

    /// <summary>For a broken transport alone: what the guard refused or a replay does not have stays as it is.</summary>
    public async Task<bool> HandleExceptionAsync(HandleExceptionArgs args)
    {
        if (!args.SupportsRetry || args.Exception is not HttpRequestException || UntrustedServerException.In(args.Exception) is not null)
            return false;
        await WaitAsync(Backoff(args.CurrentFailedTry), args.CancellationToken);
        return true;
    }

    private TimeSpan? AskedFor(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } when clock is not null => date - clock.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return asked is not { } wait ? null : wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestAskedFor ? LongestAskedFor : wait;
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
/// In a replay there is no token to renew, but after a recorded 401 the renewed attempt was recorded too and has to be asked for.
/// </summary>
internal sealed class RecordedRenewal : IHttpUnsuccessfulResponseHandler
{
    public Task<bool> HandleResponseAsync(HandleUnsuccessfulResponseArgs args) =>
        Task.FromResult(args.SupportsRetry && args.Response.StatusCode == System.Net.HttpStatusCode.Unauthorized);
}
