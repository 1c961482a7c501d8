using System.Collections.Immutable;
using System.Net.Sockets;
using AuditCli.Collectors.Redaction;
using AuditCli.Evidence.Warc;

namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// Converts exceptions to the form in which they are recorded, and back. SDKs decide about retries by the whole chain of types and codes,
/// so a replay must throw the same chain.
/// </summary>
internal static class FailureChain
{
    /// <summary>Returns the exception and those nested in it, outermost first.</summary>
    public static IEnumerable<Exception> Of(Exception? failure)
    {
        for (var at = failure; at is not null; at = at.InnerException)
            yield return at;
    }

    /// <summary>Returns one link per nested exception, outermost first.</summary>
    public static ImmutableArray<FailureLink> Describe(Exception failure)
    {
        var chain = ImmutableArray.CreateBuilder<FailureLink>();
        foreach (var at in Of(failure))
        {
            var (type, code) = at switch
            {
                HttpRequestException http => (nameof(HttpRequestException), http.HttpRequestError.ToString()),
                SocketException socket => (nameof(SocketException), socket.SocketErrorCode.ToString()),
                ExchangeRefusedException refused => (nameof(ExchangeRefusedException), refused.Code),
                OperationCanceledException => (nameof(TaskCanceledException), "-"),
                TimeoutException => (nameof(TimeoutException), "-"),
                UntrustedServerException => (nameof(UntrustedServerException), "-"),
                _ => (nameof(IOException), "-"),
            };
            chain.Add(new(type, code, CredentialText.Clean(at.Message)));
        }
        return chain.ToImmutable();
    }

    /// <summary>Returns the exception that the chain describes.</summary>
    /// <exception cref="InvalidDataException">A type or code is not one that <see cref="Describe"/> writes.</exception>
    public static Exception Restore(ImmutableArray<FailureLink> chain)
    {
        Exception? inner = null;
        foreach (var link in chain.Reverse())
        {
            inner = link.Type switch
            {
                nameof(HttpRequestException) => new HttpRequestException(Code<HttpRequestError>(link), link.Message, inner),
                nameof(SocketException) => new SocketException((int)Code<SocketError>(link)),
                nameof(ExchangeRefusedException) => new ExchangeRefusedException(link.Code, link.Message),
                nameof(TaskCanceledException) => new TaskCanceledException(link.Message, inner),
                nameof(TimeoutException) => new TimeoutException(link.Message, inner),
                nameof(UntrustedServerException) => new UntrustedServerException(link.Message),
                nameof(IOException) => new IOException(link.Message, inner),
                _ => throw new InvalidDataException($"a recorded failure names the unknown type {link.Type}"),
            };
        }
        return inner ?? throw new InvalidDataException("a recorded failure has no exception");
    }

    /// <summary>
    /// Returns the message of a failed connection: the socket's message if there is one; for a failed TLS handshake the innermost cause, to
    /// which the runtime's message only refers; otherwise the runtime's message.
    /// </summary>
    public static string Words(Exception failure)
    {
        Exception? socket = null, broken = null, last = failure;
        var secure = false;
        foreach (var at in Of(failure))
        {
            last = at;
            socket ??= at as SocketException;
            broken ??= at is HttpRequestException or IOException ? at : null;
            secure |= at is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError };
        }
        return socket?.Message ?? (secure ? $"the connection could not be secured (TLS): {last.Message}" : (broken ?? failure).Message);
    }

    private static T Code<T>(FailureLink link) where T : struct, Enum => Enum.TryParse<T>(link.Code, out var code)
        ? code
        : throw new InvalidDataException($"a recorded failure has the unknown code {link.Type} {link.Code}");
}
