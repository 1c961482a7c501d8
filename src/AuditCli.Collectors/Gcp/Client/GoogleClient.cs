using AuditCli.Collectors.Exchanges;
using AuditCli.Collectors.Rest;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Http;

namespace AuditCli.Collectors.Gcp.Client;

/// <summary>The status and body of a response.</summary>
internal sealed record GoogleAnswer(int Status, ReadOnlyMemory<byte> Body);

/// <summary>
/// Sends requests through Google's own HTTP client, with its credentials and the collector's retry rules, on the given pipeline.
/// </summary>
internal sealed class GoogleClient : IDisposable
{
    private readonly ConfigurableHttpClient _http;

    /// <param name="pipeline">The guard and the handlers below it.</param>
    /// <param name="waits">The waits between attempts.</param>
    /// <param name="attempts">The number of attempts at one request, including the first.</param>
    public GoogleClient(HttpMessageHandler pipeline, GoogleCredential credential, RetryWaits waits, int attempts = RestRetry.Attempts)
    {
        var arguments = new CreateHttpClientArgs { ApplicationName = "auditcli" };
        arguments.Initializers.Add(credential);
        _http = new PipelineFactory(pipeline).CreateHttpClient(arguments);
        // The recorder limits the time of each attempt, so that a timeout is recorded like every other failure.
        _http.Timeout = Timeout.InfiniteTimeSpan;
        _http.MessageHandler.NumTries = attempts;
        _http.MessageHandler.FollowRedirect = false;
        var rules = new RetryRules(waits, attempts);
        _http.MessageHandler.AddUnsuccessfulResponseHandler(rules);
        _http.MessageHandler.AddExceptionHandler(rules);
        if (waits.IsReplay)
            _http.MessageHandler.AddUnsuccessfulResponseHandler(new RecordedRenewal());
    }

    /// <summary>Sends one request, including retries.</summary>
    /// <exception cref="CollectionException">There is no response.</exception>
    public async Task<GoogleAnswer> SendAsync(string what, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            return new((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not CollectionException)
        {
            throw new OperationCanceledException("the call was cancelled", e, cancellationToken);
        }
        catch (Exception e) when (GcpFailures.IsKnown(e))
        {
            throw GcpFailures.Map(what, e);
        }
    }

    public void Dispose() => _http.Dispose();

    private sealed class PipelineFactory(HttpMessageHandler pipeline) : HttpClientFactory
    {
        protected override HttpMessageHandler CreateHandler(CreateHttpClientArgs args) => pipeline;
    }
}
