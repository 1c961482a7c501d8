namespace AuditCli.Collectors.Http;

/// <summary>The outermost handler: refuses what the source's catalogue does not list, before it is recorded or sent.</summary>
/// <param name="refusal">Why a request may not be sent; null when it may.</param>
public sealed class ReadOnlyGuard(Func<HttpRequestMessage, string?> refusal, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <exception cref="ExchangeRefusedException">The request is refused (<see cref="ExchangeRefusedException.ReadOnly"/>).</exception>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        refusal(request) is { } reason
            ? Task.FromException<HttpResponseMessage>(new ExchangeRefusedException(ExchangeRefusedException.ReadOnly, reason))
            : base.SendAsync(request, cancellationToken);

    /// <summary>What is below belongs to the transport.</summary>
    protected override void Dispose(bool disposing) => base.Dispose(disposing: false);
}
