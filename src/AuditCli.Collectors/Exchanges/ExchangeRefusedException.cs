
namespace AuditCli.Collectors.Exchanges;

/// <summary>
/// An exchange that the pipeline itself stopped. It is not an <see cref="HttpRequestException"/> or <see cref="IOException"/>, so that no
/// SDK retries it.
/// </summary>
/// <param name="code">One of <see cref="Codes"/>; it becomes the code of the evidence item.</param>
public sealed class ExchangeRefusedException(string code, string message) : InvalidOperationException(message)
{
    public string Code { get; } = code;
}
