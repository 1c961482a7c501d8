
namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// The outermost handler: refuses requests that the source's catalogue does not contain, before they are recorded or sent.
/// </summary>
/// <param name="refusal">Returns why a request may not be sent; null if it may.</param>
public sealed class ReadOnlyGuard(Func<HttpRequestMessage, string?> refusal, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <exception cref="ExchangeRefusedException">The request is refused (<see cref="Codes.RefusedReadOnly"/>).</exception>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        refusal(request) is { } reason
            ? Task.FromException<HttpResponseMessage>(new ExchangeRefusedException(Codes.RefusedReadOnly, reason))
            : base.SendAsync(request, cancellationToken);

    /// <summary>Does not dispose the inner handler, which belongs to the transport.</summary>
    protected override void Dispose(bool disposing) => base.Dispose(disposing: false);
}
