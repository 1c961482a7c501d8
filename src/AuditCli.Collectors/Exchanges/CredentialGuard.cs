using AuditCli.Collectors.Redaction;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Guards the requests that obtain credentials: it refuses every request except the named exchanges, limits their time, and reports each
/// of them without its content. They are not sent through the recorded pipeline, so that no credential is recorded.
/// </summary>
/// <param name="seen">Called after each exchange, whether it was answered or not.</param>
internal sealed class CredentialGuard(TimeProvider clock, Action<CredentialExchange> seen)
{
    /// <summary>The time limit for establishing the connection.</summary>
    public static readonly TimeSpan Connect = TimeSpan.FromSeconds(10);

    /// <summary>The time limit of one exchange, from sending to the last byte of the response. The SDKs do not set one, or a longer one.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <summary>Sends a request and returns its whole response.</summary>
    /// <param name="operation">The name of the exchange; null if the request is none.</param>
    /// <exception cref="ExchangeRefusedException">The request is not an exchange of credentials.</exception>
    /// <exception cref="HttpRequestException">There is no whole response in time.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, string? operation, Func<CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        if (operation is null)
        {
            throw new ExchangeRefusedException(
                Codes.RefusedReadOnly, $"{request.Method} {request.RequestUri?.Shown()} is not an exchange of credentials");
        }
        var date = clock.GetUtcNow();
        var status = 0;
        using var late = new CancellationTokenSource(Longest);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            var response = await send(either.Token);
            await response.Content.LoadIntoBufferAsync(either.Token);
            status = (int)response.StatusCode;
            return response;
        }
        catch (OperationCanceledException e) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(
                HttpRequestError.Unknown, $"{operation} received no response",
                new TimeoutException($"there was no complete response within {Longest.TotalSeconds} s", e));
        }
        finally
        {
            seen(new(date, new(request.RequestUri!.Shown()), operation, status));
        }
    }
}
