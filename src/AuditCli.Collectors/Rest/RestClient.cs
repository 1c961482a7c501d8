using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Rest;

/// <summary>
/// Sends requests on the recorded pipeline and repeats those that failed for a moment. The number of attempts is fixed, since a replay has
/// only the recorded responses.
/// </summary>
/// <param name="pipeline">The guard and the handlers below it.</param>
/// <param name="authorize">Returns what proves who asks; null to send nothing.</param>
/// <param name="waits">The waits between attempts.</param>
/// <param name="reset">The header field with the moment, in seconds since 1970, from which requests are answered again; null for none.</param>
internal sealed class RestClient(
    HttpMessageHandler pipeline, Func<CancellationToken, Task<RestAuthorization?>> authorize, RetryWaits waits, string? reset = null) : IDisposable
{
    // The recorder limits the time of each attempt, so that a timeout is recorded like every other failure.
    private readonly HttpClient _http = new(pipeline, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Sends a request, and sends it again while the answer is one that may change by itself.</summary>
    /// <param name="write">Writes the request; it is called once for each attempt.</param>
    /// <exception cref="CollectionException">There is no response.</exception>
    public async Task<RestAnswer> SendAsync(string what, Func<HttpRequestMessage> write, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var request = write();
                if (await authorize(cancellationToken) is { } proof)
                {
                    request.Headers.TryAddWithoutValidation("Authorization", proof.Header);
                    request.Options.Set(EchoedSecrets.Also, proof.Secrets);
                }
                request.Headers.TryAddWithoutValidation("Accept", "application/json");
                using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
                if (attempt == RestRetry.Attempts || !IsPassing(response))
                    return await ReadAsync(response, cancellationToken);
                var asked = RequestedWait.From(
                    Asked(response), response.RequestMessage?.RequestUri, (int)response.StatusCode, attempt + 1, RestRetry.Attempts);
                await waits.WaitAsync(RestRetry.Backoff(attempt), asked, cancellationToken);
            }
            catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not CollectionException)
            {
                throw new OperationCanceledException("the call was cancelled", e, cancellationToken);
            }
            catch (HttpRequestException e) when (attempt < RestRetry.Attempts && RestFailures.MayPass(e))
            {
                await waits.WaitAsync(RestRetry.Backoff(attempt), null, cancellationToken);
            }
            catch (Exception e) when (RestFailures.IsKnown(e))
            {
                throw RestFailures.Map(what, e);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<RestAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var fields = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase);
        return new((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken), fields.GetValueOrDefault);
    }

    /// <summary>Whether the answer says that it may be another one later: overload, a fault of the server, or a limit that states its end.</summary>
    private static bool IsPassing(HttpResponseMessage response) =>
        RestRetry.IsPassing((int)response.StatusCode)
        || response.StatusCode == System.Net.HttpStatusCode.Forbidden && response.Headers.RetryAfter is not null;

    private TimeSpan? Asked(HttpResponseMessage response)
    {
        if (RetryAfter.Of(response.Headers.RetryAfter, response.Headers.Date, RestRetry.LongestAskedFor) is { } asked)
            return asked;
        if (reset is null || !response.Headers.TryGetValues(reset, out var values) || response.Headers.Date is not { } now
            || !long.TryParse(values.First(), out var seconds) || seconds is < 0 or > 253_402_300_799)
        {
            return null;
        }
        var wait = DateTimeOffset.FromUnixTimeSeconds(seconds) - now;
        return wait <= TimeSpan.Zero ? null : wait < RestRetry.LongestAskedFor ? wait : RestRetry.LongestAskedFor;
    }
}
